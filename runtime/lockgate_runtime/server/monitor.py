"""What a worker counts of requests, features and predictions, and what of all workers together is shown.

Rows are kept until there are 512, or until `flush`, and then counted a column at a time, so that a row of a batch
costs less the larger the batch is. Nothing here knows of HTTP but routes and codes.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from functools import reduce
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from lockgate_runtime.server.binning import feature_count, prediction_count
from lockgate_runtime.server.exposition import Exposition
from lockgate_runtime.server.live import Live
from lockgate_runtime.server.shared_bins import shared_count
from lockgate_runtime.server.shared_counters import (
    BATCH_ROWS,
    CONFIDENCES,
    MOST_CODES,
    MOST_REASONS,
    REASON_BYTES,
    ROUTES,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from lockgate_runtime.server.engine import Columns
    from lockgate_runtime.server.rows import Row
    from lockgate_runtime.server.shared_counters import SharedCounters

_ROWS_AT_ONCE = 512
_OTHER = "other"


class Monitoring(Protocol):
    """What the server tells of its work. `in_flight` and `queued_rows` are set to what is so now."""

    in_flight: int
    queued_rows: int

    def predicted(self, columns: Columns, outputs: NDArray[Any]) -> None:
        """A batch went through the model: its columns (n) and outputs (n) or (n, k), which nobody may change later."""

    def predicted_rows(self, rows: Sequence[Row], outputs: NDArray[Any]) -> None:
        """As `predicted`, for rows."""

    def answered(self, route: str, code: int, seconds: float) -> None:
        """An inference request of the route `v1` or `v2` was answered."""

    def refused(self, reason: str) -> None:
        """A request was refused; `reason` is one of few words."""

    def log_dropped(self, rows: int) -> None:
        """Sampled rows did not reach the log of predictions."""

    def flush(self) -> None:
        """Count the rows that wait; to be called every second, so that other workers show them, too."""

    def exposition(self) -> bytes:
        """The metrics of all workers in Prometheus' text format."""

    def status(self) -> dict[str, object]:
        """The live numbers of all workers, for people; see `Live`."""


class Monitor:
    """`Monitoring` into a worker's row of the shared counters."""

    def __init__(
        self,
        counters: SharedCounters,
        worker: int,
        *,
        version: str,
        artifact_sha256: str,
        model_format: str,
        to_columns: Callable[[Sequence[Row]], Columns],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        layout = counters.layout
        self._counters, self._worker, self._to_columns = counters, worker, to_columns
        self._row = counters.open_row(worker)
        self._vector = np.asarray(self._row)
        self._exposition = Exposition(layout, version, artifact_sha256, model_format)
        self._live = Live(counters, clock)
        self._reasons = {name: place for place, name in enumerate(counters.reasons(worker))}
        self._find_places()
        kind, reference = layout.signature["kind"], layout.reference
        self._count_predictions = prediction_count(reference["predictions"], kind)
        self._count_shared = shared_count(layout.signature, reference)
        self._count_features = [
            feature_count(reference["features"][it["name"]]) for it in layout.signature["inputs"]
        ]
        self._confident = kind != "regression"
        self._lock = threading.Lock()  # A slow model runs in a thread of its own.
        self._waiting: list[tuple[Columns, NDArray[Any]]] = []
        self._waiting_rows: list[Row] = []
        self._outputs_of_rows: list[NDArray[Any]] = []
        self._uncounted = 0

    def _find_places(self) -> None:
        layout = self._counters.layout
        self._routes = {
            route: layout.place("requests") + index * MOST_CODES for index, route in enumerate(ROUTES)
        }
        self._bounds = layout.durations
        self._durations, self._duration_sum = layout.place("durations"), layout.place("duration_sum")
        self._rows, self._batches = layout.place("rows"), layout.place("batches")
        self._in_flight, self._queued_rows = layout.place("in_flight"), layout.place("queued_rows")
        self._refusals, self._log_dropped = layout.place("refusals"), layout.place("log_dropped")

    @property
    def in_flight(self) -> int:
        return int(self._row[self._in_flight])

    @in_flight.setter
    def in_flight(self, requests: int) -> None:
        self._row[self._in_flight] = requests

    @property
    def queued_rows(self) -> int:
        return int(self._row[self._queued_rows])

    @queued_rows.setter
    def queued_rows(self, rows: int) -> None:
        self._row[self._queued_rows] = rows

    def answered(self, route: str, code: int, seconds: float) -> None:
        row = self._row
        row[self._routes[route] + code] += 1
        row[self._durations + bisect_left(self._bounds, seconds)] += 1
        row[self._duration_sum] += seconds

    def refused(self, reason: str) -> None:
        place = self._reasons.get(reason)
        if place is None:
            place = self._new_reason(reason)
        self._row[self._refusals + place] += 1

    def log_dropped(self, rows: int) -> None:
        self._row[self._log_dropped] += rows

    def predicted(self, columns: Columns, outputs: NDArray[Any]) -> None:
        with self._lock:
            self._waiting.append((columns, outputs))
            self._count_batch(len(outputs))

    def predicted_rows(self, rows: Sequence[Row], outputs: NDArray[Any]) -> None:
        with self._lock:
            self._waiting_rows.extend(rows)
            self._outputs_of_rows.append(outputs)
            self._count_batch(len(outputs))

    def flush(self) -> None:
        with self._lock:
            self._count_waiting()
        self._live.remember()

    def exposition(self) -> bytes:
        self.flush()
        return self._exposition.text(self._counters)

    def status(self) -> dict[str, object]:
        self.flush()
        return self._live.numbers()

    def _count_batch(self, rows: int) -> None:
        row = self._row
        row[self._rows] += rows
        row[self._batches + bisect_left(BATCH_ROWS, rows)] += 1
        self._uncounted += rows
        if self._uncounted >= _ROWS_AT_ONCE:
            self._count_waiting()

    def _count_waiting(self) -> None:
        if self._waiting_rows:
            outputs_of_rows = _joined(tuple(self._outputs_of_rows))
            self._waiting.append((self._to_columns(self._waiting_rows), outputs_of_rows))
            self._waiting_rows, self._outputs_of_rows = [], []
        waiting, self._waiting, self._uncounted = self._waiting, [], 0
        if not waiting:
            return
        batches, outputs = zip(*waiting, strict=True)
        columns = zip(self._count_features, zip(*batches, strict=True), strict=True)
        # Features have the last places, one after the other.
        first = self._counters.layout.features[0].start
        self._vector[first:] += np.concatenate([count(_joined(parts)) for count, parts in columns])
        self._add_outputs(_joined(outputs).astype(np.float64))

    def _add_outputs(self, outputs: NDArray[Any]) -> None:
        places = self._counters.layout.places
        self._vector[places["predictions"]] += self._count_predictions(outputs)
        self._vector[places["shared_bins"]] += self._count_shared(outputs)
        if self._confident:
            largest = reduce(np.maximum, outputs.T)  # a class at a time: rows are many
            bins = np.searchsorted(CONFIDENCES, largest, side="left")
            self._vector[places["confidences"]] += np.bincount(bins, minlength=len(CONFIDENCES) + 1)
            self._vector[places["confidence_sum"]] += np.nansum(largest)

    def _new_reason(self, reason: str) -> int:
        """Its place; past the most that a row has room for, that of all others."""
        name = reason[:REASON_BYTES] if len(self._reasons) < MOST_REASONS - 1 else _OTHER
        if name not in self._reasons:
            self._counters.add_reason(self._worker, len(self._reasons), name)
            self._reasons[name] = len(self._reasons)
        return self._reasons[name]


class Silent:
    """`Monitoring` that counts nothing, for a server that is told not to."""

    in_flight = 0
    queued_rows = 0

    def predicted(self, columns: Columns, outputs: NDArray[Any]) -> None: ...

    def predicted_rows(self, rows: Sequence[Row], outputs: NDArray[Any]) -> None: ...

    def answered(self, route: str, code: int, seconds: float) -> None: ...

    def refused(self, reason: str) -> None: ...

    def log_dropped(self, rows: int) -> None: ...

    def flush(self) -> None: ...

    def exposition(self) -> bytes:
        return b""

    def status(self) -> dict[str, object]:
        return {}


def _joined(parts: tuple[NDArray[Any], ...]) -> NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
