"""Operations on two sides: vectors, numbers, or one of each."""

from __future__ import annotations

import math
import operator as python
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias, get_args

from lockgate.plan.promql import Arithmetic, Comparison, On, SetOperator
from lockgate.rehearsal.series import NAME, EvaluationError, Labels, Sample, Vector, only, without

Operator: TypeAlias = Arithmetic | Comparison | SetOperator

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "==": python.eq,
    "!=": python.ne,
    ">": python.gt,
    "<": python.lt,
    ">=": python.ge,
    "<=": python.le,
}


def binary(left: Vector | float, operator: Operator, right: Vector | float, on: On | None) -> Vector | float:
    """The operation's value; EvaluationError where a sample has more than one partner, or none can be had."""
    if isinstance(left, tuple) and isinstance(right, tuple):
        operation = _together if operator in get_args(SetOperator) else _matched
        return tuple(operation(left, operator, right, on))
    if isinstance(left, tuple) and not isinstance(right, tuple):
        pairs = [(it, it.value, right) for it in left]
    elif isinstance(right, tuple) and not isinstance(left, tuple):
        pairs = [(it, left, it.value) for it in right]
    else:
        assert isinstance(left, float), left
        assert isinstance(right, float), right
        return _arithmetic(left, operator, right)
    return tuple(kept for it, one, other in pairs for kept in _computed(it, one, operator, other))


def _together(left: Vector, operator: Operator, right: Vector, on: On | None) -> Iterator[Sample]:
    on_left = {_key(it.labels, on) for it in left}
    on_right = {_key(it.labels, on) for it in right}
    match operator:
        case "and":
            yield from (it for it in left if _key(it.labels, on) in on_right)
        case "unless":
            yield from (it for it in left if _key(it.labels, on) not in on_right)
        case _:
            yield from left
            yield from (it for it in right if _key(it.labels, on) not in on_left)


def _matched(left: Vector, operator: Operator, right: Vector, on: On | None) -> Iterator[Sample]:
    partners: dict[Labels, Sample] = {}
    for it in right:
        if partners.setdefault(_key(it.labels, on), it) is not it:
            raise EvaluationError(
                f"two samples on the right of {operator!r} are alike in the labels it matches"
            )
    seen: set[Labels] = set()
    for it in left:
        key = _key(it.labels, on)
        if key not in partners:
            continue
        for sample in _computed(it, it.value, operator, partners[key].value):
            labels = only(sample.labels, on.labels) if on and not on.one_right else sample.labels
            place = labels if on and on.one_right else key
            if place in seen:
                raise EvaluationError(f"{operator!r} gives two samples of the same labels")
            seen.add(place)
            yield Sample(labels, sample.value)


def _computed(kept: Sample, left: float, operator: Operator, right: float) -> Iterator[Sample]:
    """A comparison keeps the sample as it is or drops it; arithmetic gives a value that has lost its name."""
    if operator not in _COMPARISONS:
        yield Sample(without(kept.labels, NAME), _arithmetic(left, operator, right))
    elif _COMPARISONS[operator](left, right):
        yield kept


def _arithmetic(left: float, operator: Operator, right: float) -> float:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return _divided(left, right)
        case _:
            raise EvaluationError(f"{operator!r} is not between two numbers")


def _divided(left: float, right: float) -> float:
    if right:
        return left / right
    if not left or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def _key(labels: Labels, on: On | None) -> Labels:
    return without(labels, NAME) if on is None else only(labels, on.labels)
