"""The part of PromQL that is written here, as data: an expression is a tree of these, and never text.

Numbers are decimals, so that a limit comes out as it was written. Windows are in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, TypeAlias

from lockgate.tuples import NamedTuple

MatchOperator: TypeAlias = Literal["=", "!=", "=~", "!~"]
OverTime: TypeAlias = Literal["rate", "increase", "avg_over_time"]
Reduction: TypeAlias = Literal["sum", "max", "count"]
Arithmetic: TypeAlias = Literal["+", "-", "*", "/"]
Comparison: TypeAlias = Literal["==", "!=", ">", "<", ">=", "<="]
SetOperator: TypeAlias = Literal["and", "or", "unless"]


class Matcher(NamedTuple):
    """One condition on a label; `value` is a regular expression where the operator has a `~`."""

    label: str
    operator: MatchOperator
    value: str


class Selector(NamedTuple):
    """The newest sample of each series of that name."""

    metric: str
    matchers: tuple[Matcher, ...] = ()


class Window(NamedTuple):
    """A function over the samples of the last seconds of each series."""

    function: OverTime
    selector: Selector
    seconds: int


class Number(NamedTuple):
    value: Decimal


class Ln(NamedTuple):
    operand: Expression


class Absent(NamedTuple):
    """One sample where there is no series, none where there is one."""

    selector: Selector


class Aggregate(NamedTuple):
    """Over the samples that are alike in the labels of `by`, which are kept."""

    reduction: Reduction
    operand: Expression
    by: tuple[str, ...] = ()


class HistogramQuantile(NamedTuple):
    """Of buckets, whose upper bounds are the label `le`."""

    quantile: Decimal
    operand: Expression


class On(NamedTuple):
    """Samples of two sides belong together where these labels are alike.

    With `one_right`, many samples on the left belong to one on the right, and keep their labels.
    """

    labels: tuple[str, ...] = ()
    one_right: bool = False


class Binary(NamedTuple):
    """Of two vectors, or a vector and a number. Without `on`, all labels must be alike.

    A comparison keeps the left samples for which it holds.
    """

    left: Expression
    operator: Arithmetic | Comparison | SetOperator
    right: Expression
    on: On | None = None


Expression: TypeAlias = Selector | Window | Number | Ln | Absent | Aggregate | HistogramQuantile | Binary


def equals(labels: Mapping[str, str]) -> tuple[Matcher, ...]:
    """The matchers that want just these values."""
    return tuple(Matcher(label, "=", value) for label, value in labels.items())
