"""What is measured of a server under load, with servers on loopback that answer as they are told."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import pytest

from lockgate_runtime.traffic.load import measure

ANSWER = b"HTTP/1.1 %d Said\r\nContent-Length: 0\r\n\r\n"
BODIES = (b"{}",)
ENOUGH_SECONDS = 0.03
LATE_SECONDS = 0.06


class Server(asyncio.Protocol):
    """A connection of it; `late` says of the count of requests so far whether this one is answered late."""

    def __init__(self, late: Callable[[int], bool], status: int, counted: Iterator[int]) -> None:
        self.late, self.answer, self.counted = late, ANSWER % status, counted

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if not data.endswith(BODIES[0]):
            return
        if self.late(next(self.counted)):
            asyncio.get_running_loop().call_later(LATE_SECONDS, self.transport.write, self.answer)
        else:
            self.transport.write(self.answer)


@contextmanager
def server(late: Callable[[int], bool], status: int = 200) -> Iterator[str]:
    """Its address."""
    loop, counted = asyncio.new_event_loop(), itertools.count()
    making = loop.create_server(lambda: Server(late, status, counted), "127.0.0.1", 0)
    listening = loop.run_until_complete(making)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        listening.close()
        loop.close()


@pytest.mark.slow
def test_a_server_that_is_slow_is_slow_in_every_round() -> None:
    with server(lambda _: True) as url:
        load = measure(url, BODIES, ENOUGH_SECONDS)

    assert load.p99 >= LATE_SECONDS
    assert load.failed == 0


def test_a_machine_that_was_busy_for_a_while_is_not_taken_for_a_slow_server() -> None:
    """All that is asked at first is late: what it can take, and at half of that the first round."""
    with server(lambda count: count < 600) as url:
        load = measure(url, BODIES, ENOUGH_SECONDS)

    assert load.p99 < LATE_SECONDS
    assert load.failed == 0


def test_an_answer_that_the_server_owed_counts_as_its_longest_time() -> None:
    with server(lambda _: False, status=503) as url:
        load = measure(url, BODIES, 20.0)

    assert load.failed == load.answers
    assert load.p99 == 10.0
