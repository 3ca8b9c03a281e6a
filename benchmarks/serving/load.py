"""Requests over kept connections, one at a time on each, as fast as they are answered: by wrk or by asyncio."""

from __future__ import annotations

import asyncio
import json
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

from httptools import HttpResponseParser
from processes import Server, busy_seconds

JSON = "application/json"
CONNECTIONS = 32
_SCRIPT = Path(__file__).with_name("load.lua")
_QUIET_SHARE = 0.05
_LISTEN_SECONDS = 0.5


class Load(NamedTuple):
    """`p50` and `p99` in seconds; `disturbed` is the share of a core that programs took which take no part."""

    answers: int
    failed: int
    seconds: float
    p50: float
    p99: float
    disturbed: float = 0.0

    @property
    def rate(self) -> float:
        return self.answers / self.seconds


class Pace(NamedTuple):
    """`rounds` of a measurement, how long each takes, and how long it waits until other programs rest."""

    rounds: int
    seconds: float
    patience_seconds: float


class Questions(NamedTuple):
    """What is asked in turn."""

    path: str
    bodies: Sequence[bytes]
    kind: str = JSON


def generator_name() -> str:
    return "wrk" if _wrk() else "an asyncio client, which slows down what is faster than itself"


def quietest(server: Server, questions: Questions, connections: int, pace: Pace) -> Load:
    """Measured at a quiet moment, and again where other programs woke up; the least disturbed one."""
    deadline = time.monotonic() + pace.patience_seconds
    found: list[Load] = []
    while not found or (found[-1].disturbed > _QUIET_SHARE and time.monotonic() < deadline):
        while _disturbed(server, lambda: time.sleep(_LISTEN_SECONDS)) > _QUIET_SHARE:
            if time.monotonic() > deadline:
                break
        found.append(measure(server, questions, connections, pace.seconds))
    return min(found, key=lambda it: it.disturbed)


def measure(server: Server, questions: Questions, connections: int, seconds: float) -> Load:
    of_wrk = _wrk() and questions.kind == JSON
    run = _with_wrk if of_wrk else _with_asyncio
    found: list[Load] = []
    disturbed = _disturbed(server, lambda: found.append(run(server.port, questions, connections, seconds)))
    return found[0]._replace(disturbed=disturbed)


def _disturbed(server: Server, act: Callable[[], None]) -> float:
    """The share of a core that programs took meanwhile which are neither the server nor the load."""
    begun, others = time.perf_counter(), _others(server)
    act()
    return max(0.0, (_others(server) - others) / (time.perf_counter() - begun))


def _others(server: Server) -> float:
    """Seconds that neither the server nor the load took."""
    own = sum(
        it.ru_utime + it.ru_stime
        for it in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )
    return busy_seconds() - server.cpu_seconds() - own


def _wrk() -> str | None:
    return shutil.which("wrk")


def _with_wrk(port: int, questions: Questions, connections: int, seconds: float) -> Load:
    with tempfile.NamedTemporaryFile() as lines:
        lines.write(b"\n".join(questions.bodies))
        lines.flush()
        told = ("-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "30s", "-s", str(_SCRIPT))
        command = ("wrk", *told, f"http://127.0.0.1:{port}", "--", questions.path, lines.name)
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Load(**json.loads(done.stdout.splitlines()[-1]))


def _with_asyncio(port: int, questions: Questions, connections: int, seconds: float) -> Load:
    return asyncio.run(_ask(port, questions, connections, seconds))


async def _ask(port: int, questions: Questions, connections: int, seconds: float) -> Load:
    loop = asyncio.get_running_loop()
    head = f"POST {questions.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {questions.kind}\r\nContent-Length: "
    requests = cycle([b"%b%d\r\n\r\n%b" % (head.encode(), len(it), it) for it in questions.bodies])
    clients = []
    begun = time.perf_counter()
    for _ in range(connections):
        _, client = await loop.create_connection(lambda: _Client(requests.__next__), "127.0.0.1", port)
        clients.append(client)
    await asyncio.sleep(seconds)
    passed = time.perf_counter() - begun
    for client in clients:
        client.close()
    took = sorted(it for client in clients for it in client.seconds) or [0.0]
    failed = sum(client.failed for client in clients)
    return Load(len(took), failed, passed, statistics.median(took), took[len(took) * 99 // 100])


class _Client(asyncio.Protocol):
    def __init__(self, next_request: Callable[[], bytes]) -> None:
        self.seconds: list[float] = []
        self.failed = 0
        self._next = next_request
        self._closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def close(self) -> None:
        self._closing = True
        self._transport.abort()

    def _send(self) -> None:
        self._parser = HttpResponseParser(self)
        self._begun = time.perf_counter()
        self._transport.write(self._next())

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.seconds.append(time.perf_counter() - self._begun)
        self.failed += self._parser.get_status_code() != 200
        # The parser must have returned before it is replaced.
        asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        if not self._closing:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.failed += not self._closing
