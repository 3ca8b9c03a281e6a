"""Charts as Mermaid that GitHub draws in every version it has used; no text of a user's gets into one.

A chart may draw nothing here: the table beside it carries the numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

from lockgate.report.document import Chart, ForestChart, PointChart
from lockgate.report.sections.predictions import grouped, mean_point

_STOPS = 20
_BARS = 10
ROWS = 12
"""How many rows of a table are drawn."""


def mermaid(chart: Chart) -> str | None:
    """The source of the diagram, or None where Mermaid has no way to draw it."""
    if isinstance(chart, ForestChart):
        return _rows(chart)
    if not isinstance(chart, PointChart) or len(chart.points) < 2:
        return None
    if chart.style == "steps":
        return _curve(chart)
    points = [mean_point(group) for group in grouped(chart.points, _BARS)]
    return _bars(chart, points)


def _rows(chart: ForestChart) -> str | None:
    """The rows by their numbers in the table that the chart stands beside; the intervals are only there.

    Mermaid's bars rise from the bottom whatever their sign, so rows with negative values are joined by a line.
    """
    values = [row.value for row in chart.rows[:ROWS]]
    if len(values) < 2:
        return None
    low, high = min(0.0, chart.reference, *values), max(0.0, chart.reference, *values)
    labels = ", ".join(f'"{number}"' for number in range(1, len(values) + 1))
    mark, word = ("line", "curve") if low < 0 else ("bar", "bars")
    # The first of two lines is drawn the paler.
    rows, straight = f"{mark} {_numbers(values)}", f"line {_numbers([chart.reference] * len(values))}"
    titles = f"{word}: {chart.bars}, straight line: {chart.line}"
    return _chart(
        chart.title,
        f'x-axis "rows of the table" [{labels}]',
        f'y-axis "{titles}" {_number(low)} --> {_number(high if high > low else 1.0)}',
        *((straight, rows) if low < 0 else (rows, straight)),
    )


def _curve(chart: PointChart) -> str:
    """Mermaid spreads a line's values evenly, so the curve is read off at even steps. The diagonal is the paler."""
    stops = [index / _STOPS for index in range(_STOPS + 1)]
    heights = [_height(chart.points, stop) for stop in stops]
    return _chart(
        chart.title,
        f'x-axis "{chart.x_axis}" 0 --> 1',
        f'y-axis "{chart.y_axis}" 0 --> 1',
        f"line {_numbers(stops)}",
        f"line {_numbers(heights)}",
    )


def _bars(chart: PointChart, points: Sequence[tuple[float, float]]) -> str:
    """No legend can be had, so the axis says which is which."""
    predicted = [x for x, _ in points]
    actual = [y for _, y in points]
    low, high = min(0.0, *predicted, *actual), max(*predicted, *actual, 0.0)
    labels = ", ".join(f'"{number}"' for number in range(1, len(points) + 1))
    return _chart(
        chart.title,
        f'x-axis "groups by {chart.x_axis}" [{labels}]',
        f'y-axis "bars: {chart.y_axis}, line: predicted" {_number(low)} --> {_number(high if high > low else 1.0)}',
        f"bar {_numbers(actual)}",
        f"line {_numbers(predicted)}",
    )


def _chart(title: str, *lines: str) -> str:
    return "\n".join(("xychart-beta", f'    title "{title}"', *(f"    {line}" for line in lines)))


def _height(points: Sequence[tuple[float, float]], stop: float) -> float:
    before = max((point for point in points if point[0] <= stop), default=(0.0, 0.0))
    after = min((point for point in points if point[0] > stop), default=None)
    if after is None:
        return before[1]
    share = (stop - before[0]) / (after[0] - before[0])
    return before[1] + share * (after[1] - before[1])


def _numbers(values: Sequence[float]) -> str:
    return f"[{', '.join(_number(value) for value in values)}]"


def _number(value: float) -> str:
    """Mermaid reads no exponents."""
    return f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) < 1e3 else f"{value:.0f}"
