"""Functions over the samples of a window, as Prometheus has them.

https://github.com/prometheus/prometheus/blob/main/promql/functions.go, `extrapolatedRate`
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import assert_never

from lockgate.plan.promql.nodes import OverTime

# How much longer than the mean distance of two samples a gap at an end may be before the series is taken to begin
# or end inside the window.
_GAP = 1.1


def over_time(
    function: OverTime, samples: Iterable[tuple[float, float]], at: float, seconds: int
) -> float | None:
    """The function's value over the samples (time, value) of the seconds before that time; None where it has none."""
    found = list(samples)
    match function:
        case "increase":
            return _increase(found, at - seconds, at)
        case "rate":
            increase = _increase(found, at - seconds, at)
            return None if increase is None else increase / seconds
        case "avg_over_time":
            return sum(value for _, value in found) / len(found) if found else None
        case _:
            assert_never(function)


def _increase(samples: Sequence[tuple[float, float]], start: float, end: float) -> float | None:
    """What a counter gained, resets made good, extrapolated to the ends of the window."""
    if len(samples) < 2:
        return None
    (first_time, first), (last_time, _) = samples[0], samples[-1]
    gained = sum(new - old if new >= old else new for (_, old), (_, new) in pairwise(samples))
    covered = last_time - first_time
    mean_gap = covered / (len(samples) - 1)
    before = _reach(first_time - start, mean_gap)
    if gained > 0 and first >= 0:
        # A counter was not below zero before its first sample.
        before = min(before, covered * (first / gained))
    return gained * (covered + before + _reach(end - last_time, mean_gap)) / covered


def _reach(distance: float, mean_gap: float) -> float:
    return mean_gap / 2 if distance >= mean_gap * _GAP else distance
