"""What a report consists of, before it is Markdown or HTML: sections of text, tables and charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Tone: TypeAlias = Literal["", "pass", "warn", "fail", "muted"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """`badge` is an outcome in a word; `code` is an identifier."""

    text: str
    kind: Literal["text", "code", "badge"] = "text"
    tone: Tone = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    text: str
    numeric: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """The first cell of a row names it. Where space is short, the first `shown` rows are shown."""

    caption: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]
    shown: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    text: str
    tone: Tone = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """Markdown that was written elsewhere."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Diff:
    """Lines of two texts, each with the mark of the unified form before it: `+`, `-`, `@` or a space."""

    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """A value and its interval under a label. `allowed` is the side of the limit on which the value has to be."""

    label: str
    shown: str
    value: float
    low: float | None
    high: float | None
    tone: Tone
    limit: float | None = None
    allowed: Literal["above", "below"] = "above"


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitChart:
    """Each row on its own scale, against its own limit."""

    title: str
    description: str
    rows: tuple[Range, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ForestChart:
    """All rows on one scale, against one reference. `title`, `bars` and `line` are words of ours, never a user's.

    Where a row can only be a bar, `bars` and `line` say what the rows and the reference are.
    """

    title: str
    description: str
    axis: str
    bars: str
    line: str
    reference: float
    rows: tuple[Range, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PointChart:
    """Points in a square with its diagonal: joined for curves, and apart for a scatter."""

    title: str
    description: str
    x_axis: str
    y_axis: str
    style: Literal["curve", "steps", "scatter"]
    points: tuple[tuple[float, float], ...]


Chart: TypeAlias = LimitChart | ForestChart | PointChart
Block: TypeAlias = Text | Table | Chart | Card | Diff


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """`folded` sections are for looking things up."""

    title: str
    blocks: tuple[Block, ...]
    folded: bool = False


def cells(*texts: str) -> tuple[Cell, ...]:
    return tuple(Cell(text=text) for text in texts)


def headings(words: Sequence[str], numbers: Sequence[str] = ()) -> tuple[Heading, ...]:
    """Columns of words, then columns of numbers."""
    left = tuple(Heading(text=text) for text in words)
    return left + tuple(Heading(text=text, numeric=True) for text in numbers)
