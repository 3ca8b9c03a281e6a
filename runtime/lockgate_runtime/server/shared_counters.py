"""Numbers that all workers of a server count into, in memory they share: a row for each worker, read as one sum.

It is made before the workers are forked. A worker that is started again goes on with its row, so no counter goes back.
"""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import numpy as np

from lockgate_runtime.server.binning import bins_of
from lockgate_runtime.server.shared_bins import shared_bins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lockgate.contract import Reference, Signature

ROUTES = ("v1", "v2")
MOST_CODES = 600
BATCH_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
CONFIDENCES = tuple(tenth / 10 for tenth in range(1, 11))
_DURATIONS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_GAUGES = ("in_flight", "queued_rows", "pid")
MOST_REASONS = 32
REASON_BYTES = 32
_CACHE_LINE = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Where in a row each number is. A histogram's places are those of its `le` bounds and of +Inf.

    `requests` has a place for each code of the first route, then for each of the second.
    """

    signature: Signature
    reference: Reference
    durations: tuple[float, ...]
    places: Mapping[str, slice]
    features: tuple[slice, ...]
    slots: int

    def place(self, name: str) -> int:
        """The first place of that name."""
        start: int = self.places[name].start
        return start


def layout_of(signature: Signature, reference: Reference, slo_seconds: float | None) -> Layout:
    """A row's layout; `slo_seconds` is the latency that is aimed at, which gets bounds of its own."""
    slo = () if slo_seconds is None else (slo_seconds / 2, slo_seconds, slo_seconds * 2)
    durations = tuple(sorted({*_DURATIONS, *slo}))
    sizes = {
        **dict.fromkeys((*_GAUGES, "rows", "duration_sum", "confidence_sum", "log_dropped"), 1),
        "requests": len(ROUTES) * MOST_CODES,
        "durations": len(durations) + 1,
        "batches": len(BATCH_ROWS) + 1,
        "confidences": len(CONFIDENCES) + 1,
        "refusals": MOST_REASONS,
        "predictions": bins_of(reference["predictions"]),
        "shared_bins": len(shared_bins(signature, reference)),
    }
    features = [bins_of(reference["features"][it["name"]]) for it in signature["inputs"]]
    slices = [slice(*ends) for ends in pairwise(accumulate([*sizes.values(), *features], initial=0))]
    return Layout(
        signature=signature,
        reference=reference,
        durations=durations,
        places=dict(zip(sizes, slices, strict=False)),
        features=tuple(slices[len(sizes) :]),
        slots=slices[-1].stop,
    )


def create(
    signature: Signature, reference: Reference, workers: int, slo_seconds: float | None
) -> SharedCounters:
    """Counters at 0 for that many workers, which must be forked from this process to share them."""
    return SharedCounters(layout_of(signature, reference, slo_seconds), workers)


class SharedCounters:
    """The rows. A place of a row has one writer, so nothing is locked; numbers of 8 bytes are never seen half."""

    def __init__(self, layout: Layout, workers: int) -> None:
        self.layout = layout
        self.main_pid = os.getpid()
        self._names_start = layout.slots * 8
        used = self._names_start + MOST_REASONS * REASON_BYTES
        self._row_bytes = -(-used // _CACHE_LINE) * _CACHE_LINE
        self._memory = memoryview(mmap.mmap(-1, self._row_bytes * workers))
        self._rows: NDArray[np.float64] = np.ndarray(
            (workers, layout.slots), np.float64, buffer=self._memory, strides=(self._row_bytes, 8)
        )

    def open_row(self, worker: int) -> memoryview[float]:
        """A worker's row as numbers, its gauges at 0 again: what was in flight in a worker that died no longer is."""
        start = worker * self._row_bytes
        row = self._memory[start : start + self._names_start].cast("d")
        for name in _GAUGES:
            row[self.layout.place(name)] = 0
        row[self.layout.place("pid")] = os.getpid()
        return row

    def total(self) -> NDArray[np.float64]:
        """The sum of all rows."""
        summed: NDArray[np.float64] = self._rows.sum(axis=0)
        return summed

    def pids(self) -> frozenset[int]:
        """The processes: that which made the counters, and the workers."""
        found = self._rows[:, self.layout.place("pid")].astype(int).tolist()
        return frozenset({self.main_pid, *found} - {0})

    def reasons(self, worker: int) -> list[str]:
        """The reasons that a worker has counted refusals by, in the order of their places."""
        cells = (bytes(self._reason_cell(worker, place)) for place in range(MOST_REASONS))
        names = (cell.rstrip(b"\0").decode("ascii") for cell in cells)
        return [name for name in names if name]

    def add_reason(self, worker: int, place: int, name: str) -> None:
        """Name a place of the row's refusals, before it is counted into."""
        encoded = name.encode("ascii", "replace")[:REASON_BYTES]
        self._reason_cell(worker, place)[:] = encoded.ljust(REASON_BYTES, b"\0")

    def refusals(self) -> dict[str, float]:
        """Refusals of all workers by reason."""
        found: dict[str, float] = {}
        for worker, counts in enumerate(self._rows[:, self.layout.places["refusals"]].tolist()):
            for name, count in zip(self.reasons(worker), counts, strict=False):
                found[name] = found.get(name, 0) + count
        return found

    def _reason_cell(self, worker: int, place: int) -> memoryview:
        start = worker * self._row_bytes + self._names_start + place * REASON_BYTES
        return self._memory[start : start + REASON_BYTES]
