"""Expressions of a plan over scraped samples, with the values that Prometheus 3 gives. Reads nothing, scrapes nothing.

Two things are left out, as a rehearsal has neither: native histograms, and the markers of series that ended.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from lockgate.plan.promql import (
    Absent,
    Aggregate,
    Binary,
    Expression,
    HistogramQuantile,
    Ln,
    Matcher,
    Number,
    Selector,
    Window,
)
from lockgate.rehearsal.binary import binary
from lockgate.rehearsal.series import NAME, Labels, Sample, Series, Vector, only, without
from lockgate.rehearsal.windows import over_time

_LOOKBACK_SECONDS = 300


def evaluate(expression: Expression, series: Sequence[Series], at: float) -> Vector | float:
    """A number for a number, else the samples at that time, in seconds; EvaluationError where Prometheus has one."""
    match expression:
        case Number(value):
            return float(value)
        case Binary(left, operator, right, on):
            return binary(evaluate(left, series, at), operator, evaluate(right, series, at), on)
        case _:
            return vector(expression, series, at)


def vector(expression: Expression, series: Sequence[Series], at: float) -> Vector:  # noqa: PLR0911 - one for each kind of node
    """As `evaluate`, of an expression that is no number."""
    match expression:
        case Selector():
            return tuple(_newest(expression, series, at))
        case Window(function, selector, seconds):
            found = _selected(selector, series)
            windows = ((it, over_time(function, it.between(at - seconds, at), at, seconds)) for it in found)
            return tuple(
                Sample(without(_labels(it), NAME), value) for it, value in windows if value is not None
            )
        case Ln(operand):
            return tuple(
                Sample(without(it.labels, NAME), _ln(it.value)) for it in vector(operand, series, at)
            )
        case Absent(selector):
            return () if any(_newest(selector, series, at)) else (Sample(_wanted(selector), 1.0),)
        case Aggregate():
            return tuple(_aggregated(expression, vector(expression.operand, series, at)))
        case HistogramQuantile(quantile, operand):
            return tuple(_quantiles(float(quantile), vector(operand, series, at)))
        case _:
            samples = evaluate(expression, series, at)
            assert isinstance(samples, tuple), "a vector is asked for where there is a number"
            return samples


def _selected(selector: Selector, series: Sequence[Series]) -> Iterator[Series]:
    for it in series:
        if it.labels.get(NAME) == selector.metric and all(_holds(m, it) for m in selector.matchers):
            yield it


def _holds(matcher: Matcher, series: Series) -> bool:
    value = series.labels.get(matcher.label, "")
    if matcher.operator in ("=", "!="):
        return (value == matcher.value) == (matcher.operator == "=")
    return bool(re.fullmatch(matcher.value, value, re.DOTALL)) == (matcher.operator == "=~")


def _newest(selector: Selector, series: Sequence[Series], at: float) -> Iterator[Sample]:
    for it in _selected(selector, series):
        for _, value in list(it.between(at - _LOOKBACK_SECONDS, at))[-1:]:
            yield Sample(_labels(it), value)


def _labels(series: Series) -> Labels:
    """A label with an empty value is as good as none."""
    return frozenset(pair for pair in series.labels.items() if pair[1])


def _wanted(selector: Selector) -> Labels:
    """The labels that an absent series would surely have."""
    named = [matcher.label for matcher in selector.matchers]
    return frozenset(
        (matcher.label, matcher.value)
        for matcher in selector.matchers
        if matcher.operator == "=" and matcher.value and named.count(matcher.label) == 1
    )


def _aggregated(aggregate: Aggregate, samples: Vector) -> Iterator[Sample]:
    groups: dict[Labels, list[float]] = defaultdict(list)
    for sample in samples:
        groups[only(sample.labels, aggregate.by)].append(sample.value)
    for labels, values in groups.items():
        yield Sample(labels, _reduced(aggregate, values))


def _reduced(aggregate: Aggregate, values: list[float]) -> float:
    match aggregate.reduction:
        case "sum":
            return sum(values)
        case "max":
            return max((value for value in values if not math.isnan(value)), default=math.nan)
        case "count":
            return float(len(values))


def _quantiles(quantile: float, samples: Vector) -> Iterator[Sample]:
    histograms: dict[Labels, dict[float, float]] = defaultdict(lambda: defaultdict(float))
    for sample in samples:
        bound = _bound(dict(sample.labels).get("le", ""))
        if bound is not None:
            histograms[without(sample.labels, NAME, "le")][bound] += sample.value
    for labels, buckets in histograms.items():
        yield Sample(labels, _quantile(quantile, sorted(buckets.items())))


def _bound(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _quantile(quantile: float, buckets: list[tuple[float, float]]) -> float:
    """Linear within the bucket, whose counts are cumulative; the first begins at zero."""
    bounds = [bound for bound, _ in buckets]
    counts = [max(count for _, count in buckets[: index + 1]) for index in range(len(buckets))]
    if len(bounds) < 2 or bounds[-1] != math.inf or not counts[-1] > 0:
        return math.nan
    rank = quantile * counts[-1]
    index = next((i for i, count in enumerate(counts[:-1]) if count >= rank), len(counts) - 1)
    if index == len(counts) - 1:
        return bounds[-2]
    if index == 0 and bounds[0] <= 0:
        return bounds[0]
    start, below = (bounds[index - 1], counts[index - 1]) if index else (0.0, 0.0)
    inside = counts[index] - below
    return start + (bounds[index] - start) * ((rank - below) / inside) if inside else math.nan


def _ln(value: float) -> float:
    if value == 0:
        return -math.inf
    return math.log(value) if value > 0 else math.nan
