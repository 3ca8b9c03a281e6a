"""The live numbers that the server's page shows: traffic of the last minute, and drift since the server started."""

from __future__ import annotations

from collections import deque
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lockgate_runtime.server.binning import shares

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from lockgate_runtime.server.shared_counters import SharedCounters

_WINDOW_SECONDS = 60
_MOST_FEATURES = 5


class _Moment(NamedTuple):
    """Answers until then, by duration; shape (bounds + 1)."""

    seconds: float
    durations: NDArray[np.float64]


class Live:
    """Remembers the last minute, a moment a second; `clock` gives seconds from any start."""

    def __init__(self, counters: SharedCounters, clock: Callable[[], float]) -> None:
        self._counters, self._clock = counters, clock
        self._moments = deque([self._now()])

    def remember(self) -> None:
        """To be called every second; oftener does no harm."""
        if self._clock() - self._moments[-1].seconds >= 1:
            self._moments.append(self._now())
        while len(self._moments) > 1 and self._clock() - self._moments[1].seconds >= _WINDOW_SECONDS:
            self._moments.popleft()

    def numbers(self) -> dict[str, object]:
        """Of all workers. Latencies are None where nothing was answered in the last minute."""
        layout, total, now, then = (
            self._counters.layout,
            self._counters.total(),
            self._now(),
            self._moments[0],
        )
        counts = now.durations - then.durations
        seconds = max(now.seconds - then.seconds, 1.0)
        return {
            "requests": int(now.durations.sum()),
            "rows": int(total[layout.place("rows")]),
            "requests_per_second": round(float(counts.sum()) / seconds, 3),
            "p50_seconds": quantile(0.5, layout.durations, counts.tolist()),
            "p99_seconds": quantile(0.99, layout.durations, counts.tolist()),
            "in_flight": int(total[layout.place("in_flight")]),
            "queued_rows": int(total[layout.place("queued_rows")]),
            "refusals": {reason: int(count) for reason, count in sorted(self._counters.refusals().items())},
            "drift": self._drift(total),
        }

    def _drift(self, total: NDArray[np.float64]) -> list[dict[str, object]]:
        layout = self._counters.layout
        found: list[tuple[float, str]] = []
        for feature, place in zip(layout.signature["inputs"], layout.features, strict=True):
            before = layout.reference["features"][feature["name"]]
            if total[place].any():
                found.append((psi(shares(before["counts"]), shares(total[place])), feature["name"]))
        worst = sorted(found, key=lambda it: (-it[0], it[1]))[:_MOST_FEATURES]
        return [{"feature": name, "psi": round(value, 4)} for value, name in worst]

    def _now(self) -> _Moment:
        layout = self._counters.layout
        return _Moment(self._clock(), self._counters.total()[layout.places["durations"]])


def psi(before: Sequence[float], now: Sequence[float]) -> float:
    """The population stability index of two distributions over the same bins, none of them 0: Σ (p - q) log(p / q)."""
    q, p = np.asarray(before), np.asarray(now)
    return float(((p - q) * np.log(p / q)).sum())


def quantile(share: float, bounds: Sequence[float], counts: Sequence[float]) -> float | None:
    """As Prometheus' `histogram_quantile`: linear inside a bin, and the last bound above it. None of no counts."""
    rank = share * sum(counts)
    if not rank:
        return None
    reached = list(accumulate(counts))
    place = next(index for index, until in enumerate(reached) if until >= rank)
    if place == len(bounds):
        return bounds[-1]
    lower, before = (bounds[place - 1], reached[place - 1]) if place else (0.0, 0.0)
    return lower + (bounds[place] - lower) * (rank - before) / counts[place]
