"""The slices against the champion: which got worse, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lockgate.contract import Answer
from lockgate.contract.comparison import Comparison, SliceDifference
from lockgate.report.champion import is_scored
from lockgate.report.document import Block, Cell, ForestChart, Range, Section, Table, Text, headings
from lockgate.report.model import ModelReport
from lockgate.report.numbers import scale_for, show_change, show_count, show_quantity
from lockgate.report.sections.comparison import answer_cell, change_cells, percent
from lockgate.report.sections.metrics import primary_metric
from lockgate.report.text import plural

_DRAWN = 30
_ORDER: dict[Answer | None, int] = {"worse": 0, "too little data": 1, "no worse": 2, "better": 3, None: 4}


def slice_changes_section(model: ModelReport) -> Section | None:
    comparison = model.comparison
    if comparison is None or not is_scored(comparison) or not comparison["slices"]:
        return None
    metric = _main_metric(model, comparison)
    ordered = sorted((it for it in comparison["slices"] if it["metric"] == metric), key=_worst_first)
    others = [it for it in comparison["slices"] if it["metric"] != metric and it["answer"] == "worse"]
    blocks: tuple[Block, ...] = (
        Text(text=_lead(comparison, metric, ordered)),
        _table(comparison, f"Slices by {metric}, those that got worse first", ordered),
        *_chart(metric, ordered),
    )
    if others:
        caption = "Slices that got worse by other metrics"
        blocks += (_table(comparison, caption, sorted(others, key=_worst_first), names_metric=True),)
    worse = {label(it) for it in (*ordered, *others) if it["answer"] == "worse"}
    if worse:
        return Section(title="Slices that got worse", blocks=blocks)
    title = f"Slices against the champion: none of {len(ordered):,} got worse"
    return Section(title=title, blocks=blocks, folded=True)


def _main_metric(model: ModelReport, comparison: Comparison) -> str:
    """The metric that stands for the model, else the first that slices have."""
    known = [change["metric"] for change in comparison["slices"]]
    primary = primary_metric(model)
    return primary if primary in known else known[0]


def _table(
    comparison: Comparison, caption: str, changes: Sequence[SliceDifference], *, names_metric: bool = False
) -> Table:
    interval = f"Difference [{percent(comparison)} % interval]"
    return Table(
        caption=caption,
        headings=headings(("Slice",), ("Rows", "Candidate", "Champion", interval)) + headings(("Answer",)),
        rows=tuple(_row(change, names_metric=names_metric) for change in changes),
        shown=12,
    )


def _worst_first(change: SliceDifference) -> tuple[bool, int, float, str]:
    return change["difference"] is None, _ORDER[change["answer"]], _gain(change), label(change)


def _gain(change: SliceDifference) -> float:
    """The difference in the direction of better."""
    difference = change["difference"] or 0.0
    return difference if change["better"] == "higher" else -difference


def label(change: SliceDifference) -> str:
    return f"{change['column']} = {change['label']}"


def _lead(comparison: Comparison, metric: str, changes: Sequence[SliceDifference]) -> str:
    judged = sum(change["answer"] is not None for change in changes)
    worse = sum(change["answer"] == "worse" for change in changes)
    margin = changes[0]["margin"]
    by_more = f" by more than {show_quantity(margin, changes[0]['unit'])}" if margin else ""
    found = f"By {metric}, {worse or 'none'} of {plural(len(changes), 'slice')} got worse{by_more}."
    # One tail of a two-sided interval.
    by_chance = judged * (1 - comparison["confidence"]) / 2
    if by_chance < 0.5 or not worse:
        return found
    return f"{found} Of {judged:,} intervals about {by_chance:.0f} would say so by chance alone."


def _row(change: SliceDifference, *, names_metric: bool) -> tuple[Cell, ...]:
    rows = Cell(text=show_count(change["rows"]))
    name = f"{change['metric']}: {label(change)}" if names_metric else label(change)
    return Cell(text=name), rows, *change_cells(change), answer_cell(change)


def _chart(metric: str, changes: Sequence[SliceDifference]) -> Iterator[Block]:
    drawn = tuple(_range(change) for change in changes[:_DRAWN] if change["difference"] is not None)
    if drawn:
        yield ForestChart(
            title="Difference from the champion by slice",
            description="Slices with the intervals of their differences. On the dashed line both models are equal.",
            axis=f"{metric}: candidate minus champion",
            bars="candidate minus champion",
            line="equal",
            reference=0.0,
            rows=drawn,
        )


def _range(change: SliceDifference) -> Range:
    difference = change["difference"] or 0.0
    scale = scale_for((difference,), change["unit"])
    answer = change["answer"]
    return Range(
        label=label(change),
        shown=show_change(difference, scale),
        value=difference,
        low=change["low"],
        high=change["high"],
        tone="fail" if answer == "worse" else "pass" if answer == "better" else "",
    )
