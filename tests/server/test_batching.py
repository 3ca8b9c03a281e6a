"""The queue before the model: what is put together, what is turned away, and what a failure costs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from lockgate_runtime.server.batching import Batcher, Pace, Ran, Steps, measure
from lockgate_runtime.server.engine import Columns, Outputs
from lockgate_runtime.server.monitor import Silent
from lockgate_runtime.server.refused import Refused

FAST, SLOW = Pace(slow=False, batch_rows=8), Pace(slow=True, batch_rows=8)


class Caller:
    """Waits for an answer; `answer` is outputs, a body, a refusal or an error."""

    def __init__(self) -> None:
        self.answer: Any = None
        self.gone = False
        self.answered = asyncio.Event()

    def give(self, ran: Ran, start: int, end: int) -> None:
        self._end(ran.outputs[start:end].tolist())

    def finish(self, answer: tuple[bytes, ...]) -> None:
        self._end(answer)

    def refuse(self, refused: Refused) -> None:
        self._end(refused.status)

    def fail(self, error: Exception) -> None:
        self._end(str(error))

    def _end(self, answer: object) -> None:
        assert not self.gone, "answered twice"
        self.answer, self.gone = answer, True
        self.answered.set()


class Doubling:
    """A model whose output is twice its one input. With a gate, each run waits until one is let through."""

    def __init__(self) -> None:
        self.batches: list[list[float]] = []
        self.gate: threading.Semaphore | None = None
        self.error: Exception | None = None
        self.poison: float | None = None
        self.running = threading.Event()

    def run(self, columns: Columns) -> Outputs:
        self.batches.append(columns[0].tolist())
        self.running.set()
        if self.gate is not None:
            assert self.gate.acquire(timeout=10)
        if self.error is not None:
            raise self.error
        if self.poison in columns[0].tolist():
            raise ValueError("the model broke")
        return np.asarray(columns[0], np.float64) * 2


def columns_of(rows: Sequence[tuple[Any, ...]]) -> Columns:
    return (np.array([row[0] for row in rows], np.float32),)


@pytest.fixture
def model() -> Doubling:
    return Doubling()


@pytest.fixture
def make(model: Doubling) -> Iterator[Callable[..., Batcher]]:
    made: list[Batcher] = []

    def batcher(pace: Pace, most_rows: int = 100, timeout_seconds: float = 60) -> Batcher:
        found = Batcher(
            asyncio.get_running_loop(),
            model.run,
            lambda rows: model.run(columns_of(rows)),
            columns_of,
            Silent(),
            pace=pace,
            most_rows=most_rows,
            timeout_seconds=timeout_seconds,
        )
        made.append(found)
        return found

    yield batcher
    for it in made:
        it.close()


async def answers(*callers: Caller) -> list[Any]:
    for caller in callers:
        await asyncio.wait_for(caller.answered.wait(), 10)
    return [caller.answer for caller in callers]


def ask(batcher: Batcher, *values: float) -> Caller:
    caller = Caller()
    batcher.add_rows(caller, [(value,) for value in values])
    return caller


def steps(batcher: Batcher, count: int) -> Steps:
    columns = (np.arange(count, dtype=np.float32),)
    found = []
    for chunk in batcher.chunks(columns):
        outputs = batcher.run(chunk)
        found.append(outputs)
        yield chunk, outputs
    return (f"{np.concatenate(found).sum():g}".encode(),)


def test_what_arrives_in_one_turn_is_one_batch(make: Callable[..., Batcher], model: Doubling) -> None:
    async def run() -> list[Any]:
        batcher = make(FAST)
        return await answers(ask(batcher, 1), ask(batcher, 2, 3), ask(batcher, 4))

    assert asyncio.run(run()) == [[2], [4, 6], [8]]
    assert model.batches == [[1, 2, 3, 4]]


def test_rows_and_columns_share_a_batch(make: Callable[..., Batcher], model: Doubling) -> None:
    async def run() -> list[Any]:
        batcher = make(FAST)
        callers = [Caller(), Caller()]
        batcher.add_columns(callers[0], (np.array([7, 8], np.float32),))
        asked = ask(batcher, 1)
        batcher.add_columns(callers[1], (np.array([9], np.float32),))
        return await answers(callers[0], asked, callers[1])

    assert asyncio.run(run()) == [[14, 16], [2], [18]]
    assert model.batches == [[1, 7, 8, 9]]


def test_a_batch_is_bounded(make: Callable[..., Batcher], model: Doubling) -> None:
    async def run() -> list[Any]:
        batcher = make(FAST)
        return await answers(*[ask(batcher, value, value) for value in range(9)])

    assert asyncio.run(run()) == [[2 * value] * 2 for value in range(9)]
    assert [len(batch) for batch in model.batches] == [8, 8, 2]


def test_a_slow_model_takes_what_gathered_while_it_was_busy(
    make: Callable[..., Batcher], model: Doubling
) -> None:
    async def run() -> list[Any]:
        model.gate = threading.Semaphore(0)
        batcher = make(SLOW)
        first = ask(batcher, 0)
        await asyncio.to_thread(model.running.wait, 10)
        others = [ask(batcher, value) for value in range(1, 6)]
        model.gate.release(2)
        return await answers(first, *others)

    assert asyncio.run(run()) == [[0], [2], [4], [6], [8], [10]]
    assert model.batches == [[0], [1, 2, 3, 4, 5]]


@pytest.mark.parametrize("pace", [FAST, SLOW])
def test_more_rows_than_may_wait_are_turned_away(make: Callable[..., Batcher], pace: Pace) -> None:
    async def run() -> list[Any]:
        batcher = make(pace, most_rows=3)
        callers = [ask(batcher, 1, 2), ask(batcher, 3)]
        with pytest.raises(Refused, match="3 rows are waiting") as refused:
            ask(batcher, 4)
        assert refused.value.status == 429
        found = await answers(*callers)
        return [*found, *await answers(ask(batcher, 5)), batcher.queued_rows]

    assert asyncio.run(run()) == [[2, 4], [6], [10], 0]


def test_a_request_above_the_bound_is_taken_when_nothing_waits(make: Callable[..., Batcher]) -> None:
    async def run() -> list[Any]:
        return await answers(ask(make(FAST, most_rows=1), 1, 2, 3))

    assert asyncio.run(run()) == [[2, 4, 6]]


@pytest.mark.parametrize("pace", [FAST, SLOW])
def test_a_failure_costs_its_own_batch_only(
    make: Callable[..., Batcher], model: Doubling, pace: Pace
) -> None:
    async def run() -> list[Any]:
        batcher = make(pace)
        model.error = ValueError("the model broke")
        failed = await answers(ask(batcher, 1), ask(batcher, 2))
        model.error = None
        return [*failed, *await answers(ask(batcher, 3)), batcher.queued_rows]

    assert asyncio.run(run()) == ["the model broke", "the model broke", [6], 0]


@pytest.mark.parametrize("pace", [FAST, SLOW])
def test_a_row_that_the_model_fails_for_costs_its_own_request_only(
    make: Callable[..., Batcher], model: Doubling, pace: Pace
) -> None:
    async def run() -> None:
        batcher = make(pace)
        model.poison = 2.0
        callers = [ask(batcher, 1.0), ask(batcher, 2.0, 7.0), ask(batcher, 3.0)]
        assert await answers(*callers) == [[2.0], "the model broke", [6.0]]
        assert batcher.queued_rows == 0

    asyncio.run(run())


def test_who_waits_too_long_is_told_so_and_not_served_later(
    make: Callable[..., Batcher], model: Doubling
) -> None:
    async def run() -> list[Any]:
        model.gate = threading.Semaphore(0)
        batcher = make(SLOW, timeout_seconds=0.0)
        running = ask(batcher, 1)
        await asyncio.to_thread(model.running.wait, 10)
        waiting, large = ask(batcher, 2), Caller()
        batcher.add_large(large, steps(batcher, 20))
        batcher.refuse_overdue()
        model.gate.release(9)
        return await answers(running, waiting, large)

    assert asyncio.run(run()) == [504, 504, 504]
    assert model.batches == [[1]]


def test_a_large_request_goes_in_steps_and_lets_others_through(
    make: Callable[..., Batcher], model: Doubling
) -> None:
    async def run() -> list[Any]:
        model.gate = threading.Semaphore(0)
        batcher = make(SLOW)
        large = Caller()
        batcher.add_large(large, steps(batcher, 20))
        await asyncio.to_thread(model.running.wait, 10)
        small = ask(batcher, 100)
        model.gate.release(4)
        return await answers(small, large)

    assert asyncio.run(run()) == [[200], (b"380",)]
    assert [100] in model.batches[:3]


def test_only_so_many_large_requests_wait(make: Callable[..., Batcher], model: Doubling) -> None:
    async def run() -> None:
        model.gate = threading.Semaphore(0)
        batcher = make(FAST)
        callers = [Caller() for _ in range(9)]
        for caller in callers:
            batcher.add_large(caller, steps(batcher, 1))
        with pytest.raises(Refused) as refused:
            batcher.add_large(Caller(), steps(batcher, 1))
        assert refused.value.status == 429
        model.gate.release(9)
        assert await answers(*callers) == [(b"0",)] * 9

    asyncio.run(run())


def test_a_large_request_that_is_wrong_or_breaks_is_told_so(make: Callable[..., Batcher]) -> None:
    def wrong(error: Exception) -> Steps:
        yield None
        raise error

    async def run() -> list[Any]:
        batcher = make(FAST)
        callers = [Caller(), Caller()]
        batcher.add_large(callers[0], wrong(Refused(422, "wrong", "no")))
        batcher.add_large(callers[1], wrong(ValueError("it broke")))
        return await answers(*callers)

    assert asyncio.run(run()) == [422, "it broke"]


def test_nobody_is_served_who_has_gone(make: Callable[..., Batcher], model: Doubling) -> None:
    async def run() -> list[Any]:
        batcher = make(FAST)
        ask(batcher, 1).gone = True
        return [*await answers(ask(batcher, 2)), batcher.queued_rows]

    assert asyncio.run(run()) == [[4], 0]
    assert model.batches == [[2]]


def test_a_model_is_slow_where_one_row_takes_longer_than_a_millisecond() -> None:
    def slow(columns: Columns) -> Outputs:
        threading.Event().wait(0.002)
        return np.zeros(len(columns[0]))

    def zeros(count: int) -> Columns:
        return (np.zeros(count, np.float32),)

    assert measure(slow, zeros).slow
    assert not measure(lambda columns: np.zeros(len(columns[0])), zeros).slow
