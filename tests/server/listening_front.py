"""HTTP alone, without a model: a front in a thread, and an application that says back what it was sent."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from lockgate_runtime.server.exchange import Exchange
from lockgate_runtime.server.front import Client, Front
from lockgate_runtime.server.limits import Limits
from lockgate_runtime.server.listening import bind
from lockgate_runtime.server.protocol import Connection
from lockgate_runtime.server.refused import Refused
from lockgate_runtime.server.worker import new_loop

PATIENCE_SECONDS = 10.0


class Echo:
    """`/later` is answered after what comes next, `/never` is not, `/big` with 8 MiB; all else with its body."""

    def __init__(self) -> None:
        self.held: list[Exchange] = []
        self.closed_count = 0
        self.errors: list[Mapping[str, object]] = []

    def handle(self, exchange: Exchange) -> None:
        if exchange.url == b"/never":
            return
        if exchange.url == b"/later":
            self.held.append(exchange)
            return
        body = b"x" * (8 << 20) if exchange.url == b"/big" else exchange.body or exchange.url
        exchange.answer(200, body, b"text/plain")
        for held in self.held:
            held.answer(200, b"late", b"text/plain")
        self.held.clear()

    def refuse_early(
        self, url: bytes, headers: Mapping[bytes, bytes], body_bytes: int | None
    ) -> Refused | None:
        return Refused(401, "no-token", "no") if url == b"/secret" else None

    def closed(self, exchange: Exchange) -> None:
        self.closed_count += 1


class _Clients(set[Client]):
    """Tells when one is gone."""

    def __init__(self, gone: threading.Event) -> None:
        super().__init__()
        self._gone = gone

    def discard(self, client: object) -> None:
        super().discard(client)
        self._gone.set()


class Fronted:
    """Where the front listens, and what it holds; `call` runs in its loop."""

    def __init__(self, limits: Limits) -> None:
        self.echo = Echo()
        self.loop = new_loop()
        self.front = Front(self.loop, self.echo, limits)
        self.loop.set_exception_handler(lambda _, context: self.echo.errors.append(context))
        self.ready, self.forgot_one = threading.Event(), threading.Event()
        self.front.clients = _Clients(self.forgot_one)
        self._bound = bind("127.0.0.1", 0)
        self.address: tuple[str, int] = self._bound.getsockname()

    def run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.front.open()
        make = self.loop.create_server(lambda: Connection(self.front), sock=self._bound)
        self.loop.run_until_complete(make)
        self.ready.set()
        self.loop.run_forever()
        self.front.close()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    def call(self, act: Callable[[], object]) -> None:
        self.loop.call_soon_threadsafe(act)

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=PATIENCE_SECONDS)

    def talk(self, data: bytes) -> bytes:
        """All that is answered to the bytes, after which this side is closed."""
        with self.connect() as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            return read_all(client)


@contextmanager
def fronted(limits: Limits) -> Iterator[Fronted]:
    server = Fronted(limits)
    thread = threading.Thread(target=server.run)
    thread.start()
    server.ready.wait(PATIENCE_SECONDS)
    try:
        yield server
    finally:
        server.call(server.loop.stop)
        thread.join(PATIENCE_SECONDS)
    assert not server.echo.errors, server.echo.errors


def read_all(client: socket.socket) -> bytes:
    """Until the server closes."""
    parts = []
    while part := client.recv(65536):
        parts.append(part)
    return b"".join(parts)


def statuses(answers: bytes) -> list[int]:
    """Of answers whose bodies hold no status line."""
    return [int(part[:3]) for part in answers.split(b"HTTP/1.1 ")[1:]]
