"""Samples that were scraped, and what an expression makes of them at one moment."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from lockgate.tuples import NamedTuple

NAME = "__name__"

Labels: TypeAlias = frozenset[tuple[str, str]]


class Series(NamedTuple):
    """`times` are in seconds and ascend; the metric's name is the label `__name__`."""

    labels: Mapping[str, str]
    times: Sequence[float]
    values: Sequence[float]

    def between(self, start: float, end: float) -> Iterator[tuple[float, float]]:
        """The samples after the start, up to and including the end."""
        first, last = bisect_right(self.times, start), bisect_right(self.times, end)
        return zip(self.times[first:last], self.values[first:last], strict=True)


class Sample(NamedTuple):
    labels: Labels
    value: float


Vector: TypeAlias = tuple[Sample, ...]


class EvaluationError(ValueError):
    """What Prometheus would refuse to evaluate too."""


def without(labels: Labels, *names: str) -> Labels:
    return frozenset(pair for pair in labels if pair[0] not in names)


def only(labels: Labels, names: Sequence[str]) -> Labels:
    return frozenset(pair for pair in labels if pair[0] in names)
