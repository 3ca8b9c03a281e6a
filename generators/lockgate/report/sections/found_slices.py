"""The worst slices that were looked for rather than named, and the groups between which differences are gated."""

from __future__ import annotations

from collections.abc import Iterator

from lockgate.contract.comparison import Fairness, FoundSlice
from lockgate.report.document import Cell, Section, Table, Text, cells, headings
from lockgate.report.model import ModelReport
from lockgate.report.numbers import scale_for, show, show_count, show_quantity
from lockgate.report.sections.gates import TONES

_LOSSES = {"log_loss": "log loss", "squared_error": "squared error"}


def found_slices_section(model: ModelReport) -> Section | None:
    comparison = model.comparison
    if comparison is None or not comparison["slices_tested"]:
        return None
    found, tested = comparison["worst_slices"], show_count(comparison["slices_tested"])
    if not found:
        none = f"Of {tested} slices that were tested, none is clearly worse than the other rows."
        return Section(title="Worst slices found", blocks=(Text(text=none),))
    lead = (
        f"Looked for, not named: of {tested} slices tested, these lose clearly more than the other rows. "
        "Their p-values are corrected for all that were tested (Holm): the chance that any of them is here by chance "
        "is at most 5 %."
    )
    return Section(title="Worst slices found", blocks=(Text(text=lead), _found_table(found)))


def _found_table(found: list[FoundSlice]) -> Table:
    return Table(
        caption="Slices that were found",
        headings=headings(("Slice",), ("Rows",)) + headings(("Loss",), ("Here", "On all rows", "Adjusted p")),
        rows=tuple(_found_row(it) for it in found),
        shown=10,
    )


def _found_row(it: FoundSlice) -> tuple[Cell, ...]:
    scale = scale_for((it["value"], it["whole"]), "")
    p_value = it["p_value_adjusted"]
    shown = "< 0.001" if p_value < 0.001 else show_quantity(p_value)
    rows, loss = show_count(it["rows"]), _LOSSES[it["metric"]]
    return cells(it["description"], rows, loss, show(it["value"], scale), show(it["whole"], scale), shown)


def fairness_section(model: ModelReport) -> Section | None:
    if model.comparison is None or not model.comparison["fairness"]:
        return None
    measured = model.comparison["fairness"]
    table = Table(
        caption="Groups between which a difference is gated",
        headings=headings(("Gate", "Metric", "Group"), ("Rows", "Value")),
        rows=tuple(row for it in measured for row in _groups(it)),
        shown=20,
    )
    return Section(title="Fairness", blocks=(*(_lead(it) for it in measured), table))


def _lead(it: Fairness) -> Text:
    tone = TONES[it["outcome"]]
    return Text(
        text=f"{it['name']}: {it['reason'].rstrip('.')}.", tone=tone if tone in ("warn", "fail") else ""
    )


def _groups(it: Fairness) -> Iterator[tuple[Cell, ...]]:
    values = [group["value"] for group in it["groups"].values()]
    scale = scale_for(values, "", it["difference"])
    ordered = sorted(
        it["groups"].items(), key=lambda pair: (pair[1]["value"] is None, -(pair[1]["value"] or 0.0))
    )
    for name, group in ordered:
        value = "too few rows" if group["value"] is None else show(group["value"], scale)
        group_name = f"{it['column']} = {name}"
        yield cells(it["name"], it["metric"], group_name, show_count(group["rows"]), value)
