"""Charts as SVG elements for a page: sizes and places only, colours come from the page's style sheet.

An element is plain data; the page's template writes and escapes it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from lockgate.report.document import Chart, ForestChart, LimitChart, PointChart, Range
from lockgate.report.numbers import Scale, show
from lockgate.report.text import clip

Attributes: TypeAlias = Mapping[str, str]
Span: TypeAlias = tuple[float, float]

_ROW, _TOP, _LABELS, _TRACK, _VALUES = 30, 14, 190, 300, 210
_WIDTH = _LABELS + _TRACK + _VALUES
_SQUARE, _LEFT, _BOTTOM = 300, 56, 44
_LABEL_LENGTH = 27


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """One SVG element: its tag, its attributes and the text inside."""

    tag: str
    attributes: Attributes
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    """A chart drawn; `description` is read out to whoever cannot see it."""

    title: str
    description: str
    width: int
    height: int
    shapes: tuple[Shape, ...]


def draw(chart: Chart) -> Drawing:
    match chart:
        case LimitChart():
            height = _TOP + _ROW * len(chart.rows)
            return _drawing(chart, _WIDTH, height, _limit_rows(chart))
        case ForestChart():
            height = _TOP + _ROW * len(chart.rows) + _BOTTOM
            return _drawing(chart, _WIDTH, height, _forest(chart))
        case PointChart():
            return _drawing(chart, _LEFT + _SQUARE + 24, _TOP + _SQUARE + _BOTTOM, _points(chart))
        case _:
            assert_never(chart)


def _drawing(chart: Chart, width: int, height: int, shapes: Iterator[Shape]) -> Drawing:
    return Drawing(
        title=chart.title, description=chart.description, width=width, height=height, shapes=tuple(shapes)
    )


def _limit_rows(chart: LimitChart) -> Iterator[Shape]:
    for index, row in enumerate(chart.rows):
        y = _TOP + _ROW * index + _ROW / 2
        span = _span(_numbers_of(row))
        limit = _place(row.limit if row.limit is not None else row.value, span)
        start, end = (limit, _LABELS + _TRACK) if row.allowed == "above" else (_LABELS, limit)
        yield _rectangle("track", _LABELS, y - 8, _TRACK, 16)
        yield _rectangle("allowed", start, y - 8, end - start, 16)
        yield _line("limit", limit, y - 11, limit, y + 11)
        yield from _marks(row, span, y)


def _forest(chart: ForestChart) -> Iterator[Shape]:
    numbers = [number for row in chart.rows for number in _numbers_of(row)]
    span = _span([*numbers, chart.reference])
    bottom = _TOP + _ROW * len(chart.rows)
    for tick, word in _ticks(span):
        x = _place(tick, span)
        yield _line("grid", x, _TOP, x, bottom)
        yield _text("tick", x, bottom + 16, word, "middle")
    yield _text("axis", _LABELS + _TRACK / 2, bottom + 36, clip(chart.axis, 40), "middle")
    reference = _place(chart.reference, span)
    yield _line("reference", reference, _TOP - 6, reference, bottom)
    for index, row in enumerate(chart.rows):
        yield from _marks(row, span, _TOP + _ROW * index + _ROW / 2)


def _marks(row: Range, span: Span, y: float) -> Iterator[Shape]:
    """The label, the interval as a bar with ends, the value as a dot, and the value in words."""
    tone = f"tone-{row.tone or 'plain'}"
    yield _text("label", _LABELS - 12, y + 4, clip(row.label, _LABEL_LENGTH), "end")
    if row.low is not None and row.high is not None:
        low, high = _place(row.low, span), _place(row.high, span)
        yield _line(f"whisker {tone}", low, y, high, y)
        yield _line(f"whisker {tone}", low, y - 4, low, y + 4)
        yield _line(f"whisker {tone}", high, y - 4, high, y + 4)
    place = {"cx": _number(_place(row.value, span)), "cy": _number(y), "r": "4.5"}
    yield Shape(tag="circle", attributes={"class": f"dot {tone}", **place})
    yield _text("value", _LABELS + _TRACK + 12, y + 4, row.shown, "start")


def _points(chart: PointChart) -> Iterator[Shape]:
    xs, ys = [x for x, _ in chart.points], [y for _, y in chart.points]
    span = (0.0, 1.0) if chart.style != "scatter" else _span([*xs, *ys])
    yield from _frame(chart, span)
    if chart.style == "scatter":
        yield from (_dot("mark", point, span, "2") for point in chart.points)
        return
    path = " ".join(f"{_number(x)},{_number(y)}" for x, y in (_at(point, span) for point in chart.points))
    yield Shape(tag="polyline", attributes={"class": "curve", "points": path})
    if chart.style == "curve":
        yield from (_dot("dot tone-plain", point, span, "4") for point in chart.points)


def _frame(chart: PointChart, span: Span) -> Iterator[Shape]:
    right, bottom = _LEFT + _SQUARE, _TOP + _SQUARE
    for tick, word in _ticks(span):
        x, y = _at((tick, tick), span)
        yield _line("grid", x, _TOP, x, bottom)
        yield _line("grid", _LEFT, y, right, y)
        yield _text("tick", x, bottom + 16, word, "middle")
        yield _text("tick", _LEFT - 8, y + 4, word, "end")
    yield _line("reference", _LEFT, bottom, right, _TOP)
    yield _text("axis", _LEFT + _SQUARE / 2, bottom + 36, chart.x_axis, "middle")
    middle = _number(_TOP + _SQUARE / 2)
    turned = {"class": "axis", "text-anchor": "middle", "transform": f"translate(13 {middle}) rotate(-90)"}
    yield Shape(tag="text", attributes=turned, text=chart.y_axis)


def _at(point: tuple[float, float], span: Span) -> tuple[float, float]:
    width = span[1] - span[0]
    x, y = (min(1.0, max(0.0, (value - span[0]) / width)) for value in point)
    return _LEFT + _SQUARE * x, _TOP + _SQUARE * (1 - y)


def _dot(kind: str, point: tuple[float, float], span: Span, radius: str) -> Shape:
    x, y = _at(point, span)
    return Shape(tag="circle", attributes={"class": kind, "cx": _number(x), "cy": _number(y), "r": radius})


def _numbers_of(row: Range) -> tuple[float, ...]:
    numbers = (row.value, row.low, row.high, row.limit)
    return tuple(number for number in numbers if number is not None)


def _span(numbers: Sequence[float]) -> Span:
    """From the least to the greatest with a margin, so that nothing lies on the edge; never empty."""
    low, high = min(numbers), max(numbers)
    margin = (high - low) * 0.15 or abs(high) * 0.1 or 1.0
    return low - margin, high + margin


def _ticks(span: Span) -> tuple[tuple[float, str], ...]:
    """Round numbers within the span, three to eight of them, each as it is written."""
    most = (span[1] - span[0]) / 3
    power = 10.0 ** math.floor(math.log10(most))
    step = next(factor * power for factor in (5, 2, 1) if factor * power <= most)
    first, last = math.ceil(span[0] / step - 1e-9), math.floor(span[1] / step + 1e-9)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return tuple(
        (tick * step, show(tick * step, Scale(factor=1.0, decimals=decimals, unit="")))
        for tick in range(first, last + 1)
    )


def _place(value: float, span: Span) -> float:
    return _LABELS + _TRACK * (value - span[0]) / (span[1] - span[0])


def _rectangle(kind: str, x: float, y: float, width: float, height: float) -> Shape:
    places = {"x": x, "y": y, "width": width, "height": height}
    return Shape(
        tag="rect", attributes={"class": kind, **{key: _number(value) for key, value in places.items()}}
    )


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Shape:
    places = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    return Shape(
        tag="line", attributes={"class": kind, **{key: _number(value) for key, value in places.items()}}
    )


def _text(kind: str, x: float, y: float, text: str, anchor: str) -> Shape:
    attributes = {"class": kind, "x": _number(x), "y": _number(y), "text-anchor": anchor}
    return Shape(tag="text", attributes=attributes, text=text)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
