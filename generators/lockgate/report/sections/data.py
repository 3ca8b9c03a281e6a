"""The data: rows, what was wrong with them, the windows of training and holdout, and how the target is spread."""

from __future__ import annotations

import json
from collections.abc import Iterator

from lockgate.contract import Check, ColumnProfile, Ingest, Part, Split, Validation
from lockgate.report.document import Block, Cell, Section, Table, Text, cells, headings
from lockgate.report.model import ModelReport
from lockgate.report.numbers import ABSENT, scale_for, show, show_count, show_quantity, show_share
from lockgate.report.sections.data_changes import column_changes, data_changes, tracked_table
from lockgate.report.text import clip, plural


def data_section(model: ModelReport) -> Section | None:
    blocks = (*_rows(model.ingest, model.validation), *tracked_table(model), *data_changes(model))
    if not _is_compared(model):
        blocks += (*_split(model),)
    return Section(title="Data", blocks=blocks) if blocks else None


def data_detail_section(model: ModelReport) -> Section | None:
    """Of the candidate's data what a reviewer looks up."""
    blocks = (*column_changes(model), *(_split(model) if _is_compared(model) else ()))
    blocks += (*_columns(model.validation),)
    return Section(title="The data in detail", blocks=blocks, folded=True) if blocks else None


def _is_compared(model: ModelReport) -> bool:
    """Whether the champion's data tell more than how the candidate's were split."""
    return model.comparison is not None and model.comparison["data"] is not None


def _rows(ingest: Ingest | None, validation: Validation | None) -> Iterator[Block]:
    if ingest is not None:
        columns = plural(len(ingest["columns"]), "column")
        yield Text(text=f"{show_count(ingest['rows'])} rows of {columns} from {ingest['source']}.")
    if validation is None:
        return
    invalid, rows = validation["invalid_rows"], validation["rows"]
    if invalid:
        share = f"{show_count(invalid)} of {show_count(rows)} rows ({show_share(invalid, rows)})"
        yield Text(text=f"{share} failed a check and were left out.", tone="warn")
    else:
        yield Text(text=f"All {show_count(rows)} rows passed every check.")
    if validation["checks"]:
        yield _checks_table(validation)
    if validation["dropped_columns"]:
        listed = clip(", ".join(validation["dropped_columns"]), 400)
        yield Text(text=f"Not in the spec, so dropped: {listed}.")


def _checks_table(validation: Validation) -> Table:
    ordered = sorted(validation["checks"], key=lambda check: -check["failed_rows"])
    return Table(
        caption="Checks that rows failed",
        headings=headings(("Column", "Check"), ("Rows",)) + headings(("Evidence",)),
        rows=tuple(
            cells(check["column"], check["check"], show_count(check["failed_rows"]), _evidence(check))
            for check in ordered
        ),
        shown=10,
    )


def _evidence(check: Check) -> str:
    examples = (
        f"row {show_count(it['row'])}: {clip(json.dumps(it['value'], ensure_ascii=False), 40)}"
        for it in check["examples"]
    )
    return "; ".join(examples) or ABSENT


def _split(model: ModelReport) -> Iterator[Block]:
    split = model.split
    if split is None:
        return
    is_regression = model.evaluation is not None and model.evaluation["kind"] == "regression"
    ways = {"time": "by time", "group": "by group", "random": "at random"}
    unused = f"; {show_count(split['unused_rows'])} rows are in neither" if split["unused_rows"] else ""
    yield Text(text=f"Split {ways[split['method']]}{unused}.")
    yield Table(
        caption="Training and holdout",
        headings=headings(("",), ("Training", "Holdout")),
        rows=(
            cells("Rows", show_count(split["train"]["rows"]), show_count(split["holdout"]["rows"])),
            *_windows(split),
            *_targets(split["train"], split["holdout"], is_regression=is_regression),
        ),
        shown=16,
    )


def _windows(split: Split) -> Iterator[tuple[Cell, ...]]:
    train, holdout = split["train"], split["holdout"]
    if train["start"] is not None or holdout["start"] is not None:
        yield cells("From", _moment(train["start"]), _moment(holdout["start"]))
        yield cells("To", _moment(train["end"]), _moment(holdout["end"]))


def _moment(moment: str | None) -> str:
    if moment is None:
        return ABSENT
    date, _, time = moment.partition("T")
    return date if time.strip("0:.Z+") == "" else f"{date} {time}"


def _targets(train: Part, holdout: Part, *, is_regression: bool) -> Iterator[tuple[Cell, ...]]:
    for key in dict.fromkeys((*train["target"], *holdout["target"])):
        sides = (train["target"].get(key), holdout["target"].get(key))
        if is_regression:
            yield cells(f"Target: {key}", *(show_quantity(side) for side in sides))
        else:
            yield cells(f"Target is {key}", *(ABSENT if side is None else show_share(side) for side in sides))


def _columns(validation: Validation | None) -> Iterator[Block]:
    if validation is None or not validation["columns"]:
        return
    yield Table(
        caption="The candidate's columns",
        headings=headings(("Column", "Type"), ("Missing", "Distinct", "Least", "Mean", "Greatest")),
        rows=tuple(_column_row(name, profile) for name, profile in validation["columns"].items()),
        shown=15,
    )


def _column_row(name: str, profile: ColumnProfile) -> tuple[Cell, ...]:
    numbers = (profile.get("min"), profile.get("mean"), profile.get("max"))
    scale = scale_for(numbers, "")
    return (
        Cell(text=name, kind="code"),
        *cells(profile["type"], show_share(profile["missing_ratio"]), show_count(profile["distinct"])),
        *cells(*(show(number, scale) for number in numbers)),
    )
