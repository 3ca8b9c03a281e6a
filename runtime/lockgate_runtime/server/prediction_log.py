"""A sampled log of predictions, so that labels can be joined by request id when they are known.

Whether a request is logged follows from its id alone. A thread writes the rows; where it cannot keep up, rows are
dropped and counted, and requests never wait.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
import zlib
from collections import deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lockgate_runtime.server.prediction_rows import Logged, PredictionRows

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from lockgate.contract import Signature
    from lockgate_runtime.server.engine import Columns
    from lockgate_runtime.server.log_storage import Storage
    from lockgate_runtime.server.logs import Logs

_RETENTION_SECONDS = 3600.0
_RETRY_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sampling:
    """What is logged and for how long. A file is written per `file_rows` or `file_seconds`, whichever comes first."""

    share: float
    keep_days: int | None
    left_out: frozenset[str] = frozenset()
    file_rows: int = 10_000
    file_seconds: float = 60.0
    most_rows: int = 50_000


class PredictionLog:
    """A worker's log; to be made after a fork. `dropped` is told of rows that were sampled but not kept."""

    def __init__(
        self,
        storage: Storage,
        signature: Signature,
        version: str,
        sampling: Sampling,
        dropped: Callable[[int], None],
        logs: Logs,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._storage, self._sampling, self._dropped, self._logs, self._now = (
            storage,
            sampling,
            dropped,
            logs,
            now,
        )
        self._rows = PredictionRows(signature, version, sampling.left_out)
        self._model = quote(signature["model"], safe="")
        self._below = int(sampling.share * 2**32)
        self._lock = threading.Condition()
        self._waiting: deque[Logged] = deque()
        self._waiting_rows = 0
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="prediction log", daemon=True)
        self._thread.start()

    def wants(self, request_id: str) -> bool:
        """Whether the request is of the sample: the same answer for an id in every process."""
        return zlib.crc32(request_id.encode()) < self._below

    def add(self, request_id: str, columns: Columns, outputs: NDArray[Any], first: int = 0) -> None:
        """Log rows of a request that is wanted, from its row `first` on; copies are kept of columns and outputs."""
        rows = len(outputs)
        kept = tuple(columns[place].copy() for place in self._rows.kept)
        with self._lock:
            if self._closed or self._waiting_rows + rows > self._sampling.most_rows:
                self._dropped(rows)
                return
            self._waiting.append(Logged(request_id, self._now(), first, kept, outputs.copy()))
            self._waiting_rows += rows
            if self._waiting_rows >= self._sampling.file_rows:
                self._lock.notify()

    def close(self, timeout_seconds: float) -> None:
        """Write what waits; what cannot be written until then is dropped."""
        with self._lock:
            self._closed = True
            self._lock.notify()
        self._thread.join(timeout_seconds)
        with self._lock:
            if self._waiting_rows:
                self._dropped(self._waiting_rows)

    def _work(self) -> None:
        # Now, since importing it with the first file would hold up answers, or come too late for the last ones.
        import pyarrow.parquet  # noqa: F401

        cleaned = float("-inf")
        while not self._closed:
            if time.monotonic() - cleaned >= _RETENTION_SECONDS:
                self._delete_old()
                cleaned = time.monotonic()
            with self._lock:
                self._lock.wait_for(self._is_due, self._sampling.file_seconds)
            if not self._write_file():
                with self._lock:
                    self._lock.wait_for(lambda: self._closed, _RETRY_SECONDS)
        while self._waiting and self._write_file():
            pass

    def _is_due(self) -> bool:
        return self._closed or self._waiting_rows >= self._sampling.file_rows

    def _write_file(self) -> bool:
        """Write the rows of one day that wait. Where that fails they wait on, and the answer is no."""
        with self._lock:
            logged = list(takewhile(lambda it: it.time.date() == self._waiting[0].time.date(), self._waiting))
        if not logged:
            return True
        try:
            self._storage.put(self._name(logged[0].time), self._rows.parquet(logged))
        except Exception as error:  # noqa: BLE001 - each storage has errors of its own
            self._tell("predictions could not be logged", error)
            return False
        with self._lock:
            for _ in logged:
                self._waiting_rows -= len(self._waiting.popleft().outputs)
        return True

    def _name(self, first: datetime) -> str:
        """Of a file that no other worker or pod writes."""
        return f"date={first:%Y-%m-%d}/{self._model}-{first:%Y%m%dT%H%M%SZ}-{secrets.token_hex(8)}.parquet"

    def _delete_old(self) -> None:
        if self._sampling.keep_days is None:
            return
        first_kept = self._now().date() - timedelta(days=self._sampling.keep_days)
        own = re.compile(
            rf"date=(\d{{4}}-\d\d-\d\d)/\.?{re.escape(self._model)}-\d{{8}}T\d{{6}}Z-[0-9a-f]{{16}}\.parquet(\.tmp)?"
        )
        try:
            for name in list(self._storage.names()):
                found = own.fullmatch(name)
                if found and date.fromisoformat(found[1]) < first_kept:
                    self._storage.delete(name)
        except Exception as error:  # noqa: BLE001 - each storage has errors of its own
            self._tell("old logs of predictions could not be deleted", error)

    def _tell(self, message: str, error: Exception) -> None:
        self._logs.write("error", message, None, {"error": f"{type(error).__name__}: {error}"})
