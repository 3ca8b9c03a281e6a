"""Rows that wait, put together into batches, so that a model is run once for many requests.

A fast model runs within the event loop, on all that arrived in this turn of it. A slow one, and every large request,
runs in one worker thread: while it is busy the next batch gathers, and no timer is needed. A large request goes in
steps between which others are served, so that none waits for the whole of it.
"""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from lockgate_runtime.server.refused import Refused

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Generator, Iterator, Sequence

    from lockgate_runtime.server.engine import Columns, Outputs
    from lockgate_runtime.server.monitor import Monitoring

Rows: TypeAlias = "Sequence[tuple[object, ...]]"
Run: TypeAlias = "Callable[[Columns], Outputs]"
Steps: TypeAlias = "Generator[tuple[Columns, Outputs] | None, None, tuple[bytes, ...]]"
"""A large request at work, in steps of some milliseconds: gives what went through the model, returns the answer."""

_FAST_BATCH_SECONDS = 0.002
_SLOW_BATCH_SECONDS = 0.05
_MOST_BATCH_ROWS = 1024
_MOST_LARGE = 8
_SLOW_ROW_SECONDS = 0.001
_MEASURED_ROWS = 64


class Pace(NamedTuple):
    """How fast a model is. `batch_rows` take about 2 ms of a fast one, 50 ms of a slow one, and are at least 1."""

    slow: bool
    batch_rows: int


def measure(run: Run, columns_of: Callable[[int], Columns]) -> Pace:
    """The model's pace, after a warm-up with columns of as many rows as asked for."""
    one = _seconds(run, columns_of(1))
    row = _seconds(run, columns_of(_MEASURED_ROWS)) / _MEASURED_ROWS
    slow = one > _SLOW_ROW_SECONDS
    fitting = int((_SLOW_BATCH_SECONDS if slow else _FAST_BATCH_SECONDS) / max(row, 1e-9))
    return Pace(slow=slow, batch_rows=max(1, min(_MOST_BATCH_ROWS, fitting)))


def _seconds(run: Run, columns: Columns) -> float:
    run(columns)
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        run(columns)
        times.append(time.perf_counter() - begun)
    return min(times)


class Ran:
    """A batch that went through the model: rows, or else columns.

    `texts` is for the answers of its rows, made together by the first.
    """

    __slots__ = ("columns", "outputs", "rows", "texts")

    def __init__(self, rows: Rows, columns: Columns, outputs: Outputs) -> None:
        self.rows = rows
        self.columns = columns
        self.outputs = outputs
        self.texts: list[bytes] | None = None


class Waiting(Protocol):
    """Who waits for an answer. Of the last four, one is called, once; after that it is `gone`."""

    @property
    def gone(self) -> bool: ...

    def give(self, ran: Ran, start: int, end: int) -> None:
        """The rows from `start` to `end` of the batch are its own."""

    def finish(self, answer: tuple[bytes, ...]) -> None:
        """What its steps returned."""

    def refuse(self, refused: Refused) -> None: ...

    def fail(self, error: Exception) -> None: ...


class _Job(NamedTuple):
    """A small request: rows, or else columns."""

    waiting: Waiting
    rows: Rows
    columns: Columns
    size: int
    deadline: float


class _Large(NamedTuple):
    waiting: Waiting
    steps: Steps
    deadline: float


class _End(NamedTuple):
    """Of the steps of a large request."""

    answer: tuple[bytes, ...]


class Batcher:
    """The queue of one worker. All but the model's runs in the thread happens in the event loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        run: Run,
        run_rows: Callable[[Rows], Outputs],
        to_columns: Callable[[Rows], Columns],
        monitor: Monitoring,
        *,
        pace: Pace,
        most_rows: int,
        timeout_seconds: float,
    ) -> None:
        self.pace = pace
        self._loop, self._monitor = loop, monitor
        self._run, self._run_rows, self._to_columns = run, run_rows, to_columns
        self._most_rows, self._timeout = most_rows, timeout_seconds
        self._small: deque[_Job] = deque()
        self._large: deque[_Large] = deque()
        self._running: list[_Job] | _Large | None = None
        self._flushing = False
        self._deadline = 0.0
        """Of what is queued in this turn of the loop."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self.queued_rows = 0

    def add_rows(self, waiting: Waiting, rows: Rows) -> None:
        """Queue a small request; raises `Refused` where too many rows wait."""
        self._add(waiting, rows, (), len(rows))

    def add_columns(self, waiting: Waiting, columns: Columns) -> None:
        """As `add_rows`, for columns, of at most `pace.batch_rows` rows."""
        self._add(waiting, (), columns, len(columns[0]))

    def add_large(self, waiting: Waiting, steps: Steps) -> None:
        """Queue a large request, which takes its turns in the thread; raises `Refused` where too many wait."""
        if len(self._large) >= _MOST_LARGE:
            raise Refused(429, "queue-full", "too many large requests are waiting; try again later")
        self._large.append(_Large(waiting, steps, time.monotonic() + self._timeout))
        self._work()

    def chunks(self, columns: Columns) -> Iterator[Columns]:
        """The columns in pieces that take some milliseconds each."""
        step = self.pace.batch_rows
        for start in range(0, len(columns[0]), step):
            yield tuple(column[start : start + step] for column in columns)

    def run(self, columns: Columns) -> Outputs:
        return self._run(columns)

    def refuse_overdue(self) -> None:
        """Answer those whose time is up; to be called several times a second."""
        now = time.monotonic()
        late = Refused(
            504, "timeout", f"there is no answer within {self._timeout:g} seconds; send fewer rows"
        )
        for job in (*self._under_way(), *self._small, *self._large):
            if job.deadline <= now and not job.waiting.gone:
                job.waiting.refuse(late)

    def refuse_all(self, refused: Refused) -> None:
        """Answer everybody who still waits, at the end."""
        for job in (*self._under_way(), *self._small, *self._large):
            if not job.waiting.gone:
                job.waiting.refuse(refused)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _add(self, waiting: Waiting, rows: Rows, columns: Columns, size: int) -> None:
        queued = self.queued_rows
        if queued + size > self._most_rows and queued:
            raise Refused(429, "queue-full", f"{queued} rows are waiting for the model; try again later")
        self.queued_rows = queued + size
        if not self._flushing:
            self._flush_soon()
        self._small.append(_new_job(_Job, (waiting, rows, columns, size, self._deadline)))

    def _flush(self) -> None:
        """The turn of the loop is over: what arrived in it is one batch."""
        self._flushing = False
        if self.pace.slow:
            self._work()
            return
        batch = self._take()
        if batch:
            self._conclude(self._attempt(batch))
        if self._small:
            self._flush_soon()

    def _flush_soon(self) -> None:
        self._flushing = True
        self._deadline = time.monotonic() + self._timeout
        self._loop.call_soon(self._flush)

    def _take(self) -> list[_Job]:
        """The next batch; those that nobody waits for any more are left out."""
        rows, small, most = 0, self._small, self.pace.batch_rows
        batch = [job for job in small if not job.waiting.gone] if self.queued_rows <= most else []
        if len(batch) == len(small):
            small.clear()
            return batch
        batch = []
        while small and (not batch or rows + small[0].size <= most):
            job = small.popleft()
            if job.waiting.gone:
                self.queued_rows -= job.size
                continue
            batch.append(job)
            rows += job.size
        return batch

    # In the thread, for slow models and large requests.

    def _work(self) -> None:
        """Give the thread something to do, if it has nothing: small and large requests by turns."""
        if self._running is not None:
            return
        self._drop_gone()
        if self._large and not (self._small and self.pace.slow and self._turn_of_small()):
            self._running = large = self._large.popleft()
            self._in_thread(lambda: self._step(large), lambda done: self._stepped(large, done))
        elif self.pace.slow and (batch := self._take()):
            self._running = batch
            self._in_thread(lambda: self._attempt(batch), self._conclude)

    _small_next = False

    def _turn_of_small(self) -> bool:
        self._small_next = not self._small_next
        return self._small_next

    def _drop_gone(self) -> None:
        while self._large and self._large[0].waiting.gone:
            self._large.popleft().steps.close()

    def _in_thread(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        def finished() -> None:
            self._running = None
            then(future.result())
            self._work()

        future = self._thread.submit(work)
        future.add_done_callback(lambda _: self._loop.call_soon_threadsafe(finished))

    def _step(self, large: _Large) -> _Stepped:
        try:
            return next(large.steps)
        except StopIteration as end:
            return _End(end.value)
        except Exception as error:  # noqa: BLE001 - handed to whoever waits, which tells refusals from failures
            return error

    def _stepped(self, large: _Large, done: _Stepped) -> None:
        if isinstance(done, _End):
            large.waiting.finish(done.answer)
        elif isinstance(done, Refused):
            large.waiting.refuse(done)
        elif isinstance(done, Exception):
            large.waiting.fail(done)
        else:
            if done is not None:
                self._monitor.predicted(*done)
            self._large.appendleft(large)

    # Either way.

    def _attempt(self, batch: list[_Job]) -> list[_Done]:
        """Where the batch as a whole fails, each job of it stands for itself."""
        try:
            return [(batch, self._ran(batch))]
        except Exception as error:  # noqa: BLE001 - a batch that fails must not take the server with it
            if len(batch) == 1:
                return [(batch, error)]
        return [done for job in batch for done in self._attempt([job])]

    def _ran(self, batch: list[_Job]) -> Ran:
        """Of all jobs of the batch, in its order, which is changed: rows come before columns."""
        rows = [row for job in batch for row in job.rows]
        parts: list[Columns] = [columns for columns in map(_columns_of, batch) if columns]
        if not parts:
            return Ran(rows, (), self._run_rows(rows))
        batch.sort(key=_has_columns)
        if rows:
            parts.insert(0, self._to_columns(rows))
        columns = parts[0] if len(parts) == 1 else tuple(map(np.concatenate, zip(*parts, strict=True)))
        return Ran((), columns, self._run(columns))

    def _conclude(self, done: list[_Done]) -> None:
        for batch, found in done:
            if isinstance(found, Ran):
                self._give(batch, found)
                continue
            for job in batch:
                self.queued_rows -= job.size
                job.waiting.fail(found)

    def _give(self, batch: list[_Job], done: Ran) -> None:
        if done.rows:
            self._monitor.predicted_rows(done.rows, done.outputs)
        else:
            self._monitor.predicted(done.columns, done.outputs)
        start = 0
        for job in batch:
            end = start + job.size
            job.waiting.give(done, start, end)
            start = end
        self.queued_rows -= start

    def _under_way(self) -> Sequence[_Job | _Large]:
        running = self._running
        if running is None:
            return ()
        return (running,) if isinstance(running, _Large) else running


_Done: TypeAlias = "tuple[list[_Job], Ran | Exception]"
_Stepped: TypeAlias = "tuple[Columns, Outputs] | _End | Exception | None"


_columns_of = attrgetter("columns")
_new_job = tuple.__new__
"""Once a request: it takes half as long as to call the class."""


def _has_columns(job: _Job) -> bool:
    return bool(job.columns)
