"""Connections that are kept to one server, a request on each at a time, and a tally of the answers."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
TIMEOUT_SECONDS = 10.0
_MOST_WAITING = 2000
NO_ANSWER = 0


class Asked(NamedTuple):
    """A request, due since that time: to wait for a free connection is part of the time that it takes."""

    request: bytes
    due: float


@dataclass(kw_only=True, slots=True)
class Tally:
    """Each answer's status, 0 where none came, and the seconds that it took."""

    answers: list[tuple[int, float]] = field(default_factory=list)

    @property
    def failed(self) -> int:
        return sum(is_failure(status) for status, _ in self.answers)

    @property
    def refused(self) -> int:
        """What the server took for a mistake of its client."""
        return sum(status >= 400 and not is_failure(status) for status, _ in self.answers)


def is_failure(status: int) -> bool:
    """What counts against a server: it answered nothing, or that it cannot."""
    return status in (NO_ANSWER, 424, 429) or status >= 500


class Target:
    """A server at an address such as `http://127.0.0.1:8080/`."""

    def __init__(self, url: str, connections: int) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._head = (
            f"POST /v1/predict HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        self._loop = asyncio.get_running_loop()
        self._most, self._opening = connections, 0
        self._idle: list[_Connection] = []
        self._all: set[_Connection] = set()
        self._waiting: deque[Asked] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self.tally = Tally()
        self.answered: Callable[[], None] = lambda: None

    def ask(self, body: bytes, due: float) -> None:
        """Send it over a free connection, or as soon as there is one; a server far behind gets no more."""
        asked = Asked(b"%b%d\r\n\r\n%b" % (self._head, len(body), body), due)
        if self._idle:
            self._idle.pop().send(asked)
        elif len(self._waiting) >= _MOST_WAITING:
            self.tally.answers.append((NO_ANSWER, self._loop.time() - due))
        else:
            self._waiting.append(asked)
            self._open_one()

    def give_up_late(self) -> None:
        """Count as unanswered what was due too long ago."""
        since = self._loop.time() - TIMEOUT_SECONDS
        for connection in tuple(self._all):
            if connection.asked is not None and connection.asked.due < since:
                connection.abort()

    def close(self) -> None:
        self._waiting.clear()
        self.answered = lambda: None
        for connection in tuple(self._all):
            connection.abort()

    def done(self, connection: _Connection, asked: Asked, status: int) -> None:
        """Of a connection: its answer is there, or will never be."""
        self.tally.answers.append((status, self._loop.time() - asked.due))
        if not connection.is_open:
            self._open_one()
        elif self._waiting:
            connection.send(self._waiting.popleft())
        else:
            self._idle.append(connection)
        self.answered()

    def lost(self, connection: _Connection) -> None:
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def _open_one(self) -> None:
        if self._waiting and len(self._all) + self._opening < self._most:
            self._opening += 1
            task = self._loop.create_task(self._open())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _open(self) -> None:
        try:
            _, connection = await self._loop.create_connection(
                lambda: _Connection(self), self._host, self._port
            )
        except OSError:
            if self._waiting:
                self.tally.answers.append((NO_ANSWER, self._loop.time() - self._waiting.popleft().due))
                self.answered()
            return
        finally:
            self._opening -= 1
        self._all.add(connection)
        if self._waiting:
            connection.send(self._waiting.popleft())
        else:
            self._idle.append(connection)


class _Connection(asyncio.Protocol):
    """Answers have a length, as those of the server always do."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self.asked: Asked | None = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self, asked: Asked) -> None:
        assert self._transport is not None, "it is connected"
        self.asked = asked
        self._transport.write(asked.request)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        found = _LENGTH.search(head) if end else None
        if found is None or len(rest) < int(found[1]) or self.asked is None:
            return
        asked, self.asked, self._received = self.asked, None, b""
        if b"\r\nconnection: close" in head.lower():
            self.abort()
        self._target.done(self, asked, int(head[9:12]))

    def connection_lost(self, error: Exception | None) -> None:
        del error
        self._target.lost(self)
        if self.asked is not None:
            asked, self.asked = self.asked, None
            self._target.done(self, asked, NO_ANSWER)
