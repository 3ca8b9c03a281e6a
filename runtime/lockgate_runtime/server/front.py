"""What all connections of a worker share: limits, the count of what they hold, the clock, and whether it drains."""

from __future__ import annotations

from email.utils import formatdate
from typing import TYPE_CHECKING, Protocol

from lockgate_runtime.server.heads import Heads

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from lockgate_runtime.server.exchange import Exchange
    from lockgate_runtime.server.limits import Limits
    from lockgate_runtime.server.refused import Refused

_TICK_SECONDS = 0.25
_TICKS_A_SECOND = 4


class Client(Protocol):
    """A connection, as the front sees it."""

    def check(self, now: float) -> None:
        """Close, or answer 408, where its time is up."""

    def close_if_idle(self, since: float) -> None:
        """Close where nothing was asked since then and nothing waits."""

    def abort(self) -> None: ...


class Application(Protocol):
    """What answers: at once or later, by the exchange's own `answer`."""

    def handle(self, exchange: Exchange) -> None: ...

    def refuse_early(self, url: bytes, headers: dict[bytes, bytes], body_bytes: int | None) -> Refused | None:
        """What can be said of a request with a large body before it is read; no length where it is not told."""

    def closed(self, exchange: Exchange) -> None:
        """An answer was given, or its client has gone."""


class Front:
    """Ticks while open. `clients` are all connections; `held_bytes` their larger bodies."""

    def __init__(self, loop: asyncio.AbstractEventLoop, application: Application, limits: Limits) -> None:
        self.loop = loop
        self.application = application
        self.limits = limits
        self.clients: set[Client] = set()
        self.heads = Heads()
        self.held_bytes = 0
        self.draining = False
        self.date = b""
        self.each_tick: list[Callable[[], None]] = []
        self.each_second: list[Callable[[], None]] = []
        self._ticks = 0
        self._timer: asyncio.TimerHandle | None = None

    def open(self) -> None:
        self._tick()

    def close(self) -> None:
        """Stop ticking and drop what is still connected."""
        if self._timer is not None:
            self._timer.cancel()
        for client in tuple(self.clients):
            client.abort()

    def close_idle(self, since: float) -> None:
        for client in tuple(self.clients):
            client.close_if_idle(since)

    def _tick(self) -> None:
        self._timer = self.loop.call_later(_TICK_SECONDS, self._tick)
        if self._ticks % _TICKS_A_SECOND == 0:
            self.date = f"Date: {formatdate(usegmt=True)}\r\n".encode()
            for act in self.each_second:
                act()
        self._ticks += 1
        for act in self.each_tick:
            act()
        now = self.loop.time()
        for client in tuple(self.clients):
            client.check(now)
