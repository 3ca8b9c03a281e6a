"""The slices, worst first: where the model does worse than on the whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lockgate.contract import Better, Metric, Slice
from lockgate.report.champion import is_scored
from lockgate.report.document import Block, Cell, ForestChart, Range, Section, Table, Text, Tone, headings
from lockgate.report.model import ModelReport
from lockgate.report.numbers import scale_for, show, show_change, show_count, show_interval, show_metric
from lockgate.report.sections.metrics import primary_metric
from lockgate.report.text import plural

_DRAWN = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """A slice under the metric by which slices are ordered; `loss` is how much worse than the whole it is."""

    label: str
    rows: int
    value: float | None
    low: float | None
    high: float | None
    loss: float | None
    is_worse: bool


def slices_section(model: ModelReport) -> Section | None:
    evaluation, name = model.evaluation, primary_metric(model)
    if evaluation is None or name is None or not any(evaluation["slices"].values()):
        return None
    whole = evaluation["metrics"][name]
    rows = sorted(_rows(evaluation["slices"], name, whole), key=_worst_first)
    table = Table(
        caption=f"Slices by {name}, worst first",
        headings=headings(("Slice",), ("Rows", name, "Against the whole")) + headings(("Reading",)),
        rows=tuple(_cells(row, whole) for row in rows),
        shown=12,
    )
    chart = _chart(name, whole, rows)
    blocks: tuple[Block, ...] = (Text(text=_lead(name, whole, rows)), table)
    blocks = (*blocks, chart) if chart else blocks
    if is_scored(model.comparison) and model.comparison is not None and model.comparison["slices"]:
        return Section(title="Slices against the whole", blocks=blocks, folded=True)
    return Section(title="Slices, worst first", blocks=blocks)


def _rows(slices: dict[str, list[Slice]], name: str, whole: Metric) -> Iterator[_Row]:
    for column, group in slices.items():
        for it in group:
            metric = it["metrics"].get(name, {"value": None, "low": None, "high": None})
            yield _Row(
                label=f"{column} = {it['label']}",
                rows=it["rows"],
                value=metric["value"],
                low=metric["low"],
                high=metric["high"],
                loss=_loss(metric["value"], whole["value"], whole["better"]),
                is_worse=_excludes(metric["low"], metric["high"], whole["value"], whole["better"]),
            )


def _loss(value: float | None, whole: float | None, better: Better) -> float | None:
    if value is None or whole is None:
        return None
    return whole - value if better == "higher" else value - whole


def _excludes(low: float | None, high: float | None, whole: float | None, better: Better) -> bool:
    if low is None or high is None or whole is None:
        return False
    return high < whole if better == "higher" else low > whole


def _worst_first(row: _Row) -> tuple[bool, bool, float, str]:
    """What is clearly worse comes before what only seems so on a few rows."""
    return row.loss is None, not row.is_worse, -(row.loss or 0.0), row.label


def _lead(name: str, whole: Metric, rows: list[_Row]) -> str:
    overall = show_metric(whole["value"], whole["low"], whole["high"], whole["unit"])
    worse = sum(row.is_worse for row in rows)
    finding = (
        f"{plural(worse, 'slice')} of {len(rows):,} {'is' if worse == 1 else 'are'} clearly worse: "
        "the whole interval lies on the worse side of it."
        if worse
        else f"None of the {plural(len(rows), 'slice')} is clearly worse."
    )
    return f"The whole holdout has {name} {overall}. {finding}"


def _cells(row: _Row, whole: Metric) -> tuple[Cell, ...]:
    scale = scale_for((row.value, row.low, row.high, whole["value"]), whole["unit"])
    change = None if row.value is None or whole["value"] is None else row.value - whole["value"]
    return (
        Cell(text=row.label),
        Cell(text=show_count(row.rows)),
        Cell(text=show_interval(row.value, row.low, row.high, scale)),
        Cell(text=show_change(change, scale)),
        Cell(text=_reading(row), tone=_tone(row)),
    )


def _reading(row: _Row) -> str:
    if row.value is None:
        return "too few rows or one class"
    if row.low is None or row.high is None:
        return "too few rows for an interval"
    return "clearly worse" if row.is_worse else "not clearly worse"


def _tone(row: _Row) -> Tone:
    return "fail" if row.is_worse else "muted"


def _chart(name: str, whole: Metric, rows: list[_Row]) -> ForestChart | None:
    scale = scale_for((whole["value"],), whole["unit"])
    drawn = tuple(
        Range(
            label=row.label,
            shown=show(row.value, scale),
            value=row.value,
            low=row.low,
            high=row.high,
            tone="fail" if row.is_worse else "",
        )
        for row in rows[:_DRAWN]
        if row.value is not None
    )
    if not drawn or whole["value"] is None:
        return None
    return ForestChart(
        title="Slices against the whole",
        description="Slices with their intervals, worst first. The dashed line is the whole holdout.",
        axis=name,
        bars="slices",
        line="the whole holdout",
        reference=whole["value"],
        rows=drawn,
    )
