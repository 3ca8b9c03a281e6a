"""One process that serves: opens the service, listens, and drains when it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from typing import TYPE_CHECKING

from lockgate_runtime.server.exchange import renew_ids
from lockgate_runtime.server.front import Front
from lockgate_runtime.server.listening import BACKLOG, Certificates, accept_rest
from lockgate_runtime.server.protocol import Connection
from lockgate_runtime.server.refused import Refused
from lockgate_runtime.server.service import Service

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

    from lockgate_runtime.server.artifact import Artifact
    from lockgate_runtime.server.logs import Logs
    from lockgate_runtime.server.settings import Settings
    from lockgate_runtime.server.shared_counters import SharedCounters

_MOST_LISTENING_SECONDS = 5.0
_LISTENING_SHARE = 6
_LOOK_SECONDS = 0.02
_LEAST_LAST_SECONDS, _MOST_LAST_SECONDS = 1.0, 10.0
# The default, 5 ms, is how long a request would wait for a large one that is read in the thread.
_SWITCH_SECONDS = 0.0005
_GARBAGE_AFTER = 20_000


class Worker:
    """Serves on the bound socket until `stop`. To be made after the fork; opening raises what `Service` does."""

    def __init__(
        self,
        settings: Settings,
        artifact: Artifact,
        counters: SharedCounters | None,
        number: int,
        bound: socket.socket,
        logs: Logs,
    ) -> None:
        renew_ids()
        self.loop = new_loop()
        self._settings, self._bound, self._logs = settings, bound, logs
        self._certificates = Certificates(*settings.tls) if settings.tls is not None else None
        self.service = Service(settings, artifact, counters, number, self.loop, logs)
        self.front = Front(self.loop, self.service.router, settings.limits)
        self.front.each_tick.append(self.service.batcher.refuse_overdue)
        self.front.each_second += [self.service.each_second, self._reload_certificates]
        self._stopped = self.loop.create_future()
        self._stop_by = self.loop.time()
        self.loop.set_exception_handler(self._note_error)

    def run(self, ready: Callable[[], None]) -> None:
        """Serve; `ready` is called once requests are taken. Returns when all is drained and closed."""
        asyncio.set_event_loop(self.loop)
        sys.setswitchinterval(_SWITCH_SECONDS)
        gc.collect()
        gc.freeze()
        gc.set_threshold(_GARBAGE_AFTER, 20, 50)
        try:
            self.loop.run_until_complete(self._serve(ready))
        finally:
            self.front.close()
            self.loop.run_until_complete(asyncio.sleep(0))
            self.service.close(self._last_seconds())
            self.loop.close()

    def stop(self, listening_seconds: float) -> None:
        """Begin to drain: listen for so long yet, as others learn only by and by that this server stops.

        A second call ends at once.
        """
        if not self._stopped.done():
            self._stop_by = self.loop.time() + self._settings.drain_seconds
            self._stopped.set_result(listening_seconds)
        else:
            self.front.close()

    def stop_on_signals(self) -> None:
        """SIGTERM leaves time for others to learn of it; SIGINT comes from a person who waits."""
        self.loop.add_signal_handler(signal.SIGTERM, self.stop, self._listening_seconds())
        self.loop.add_signal_handler(signal.SIGINT, self.stop, 0.0)

    def stop_as_child(self, parent: int) -> None:
        """Stop when the parent says so, or when it is gone: then the pipe that it holds ends."""
        self.loop.add_signal_handler(signal.SIGTERM, self.stop, self._listening_seconds())
        self.loop.add_signal_handler(signal.SIGUSR1, self.stop, 0.0)
        self.loop.add_reader(parent, self._orphaned, parent)

    def _orphaned(self, parent: int) -> None:
        self.loop.remove_reader(parent)
        self.stop(0.0)

    def _listening_seconds(self) -> float:
        return min(_MOST_LISTENING_SECONDS, self._settings.drain_seconds / _LISTENING_SHARE)

    def _last_seconds(self) -> float:
        """To write what waits, of what draining has left: a storage may be far away."""
        return min(_MOST_LAST_SECONDS, max(_LEAST_LAST_SECONDS, self._stop_by - self.loop.time()))

    def _note_error(self, _: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        fields = {"text": context.get("message"), "error": repr(context.get("exception"))}
        self._logs.write("error", "a connection failed", None, fields)

    async def _serve(self, ready: Callable[[], None]) -> None:
        self.front.open()
        listening = await self.loop.create_server(
            self._connection, sock=self._bound.dup(), backlog=BACKLOG, ssl=self._tls()
        )
        ready()
        await self._drain(listening, await self._stopped)

    async def _drain(self, listening: asyncio.Server, listening_seconds: float) -> None:
        self._logs.write("info", "draining", None, {"connections": len(self.front.clients)})
        begun = self.loop.time()
        self.service.draining = self.front.draining = True
        await asyncio.sleep(listening_seconds)
        listening.close()
        await asyncio.sleep(0)
        for rest in accept_rest(self._bound):
            await self.loop.connect_accepted_socket(self._connection, rest, ssl=self._tls())
        while self.front.clients and self.loop.time() - begun < self._settings.drain_seconds:
            self.front.close_idle(self.loop.time() - listening_seconds)
            await asyncio.sleep(_LOOK_SECONDS)
        if self.front.clients:
            self.service.batcher.refuse_all(Refused(503, "draining", "the server stops; try again"))
            await asyncio.sleep(_LOOK_SECONDS)
        self._logs.write("info", "stopped", None, {"dropped_connections": len(self.front.clients)})

    def _connection(self) -> Connection:
        return Connection(self.front)

    def _tls(self) -> ssl.SSLContext | None:
        return None if self._certificates is None else self._certificates.context

    def _reload_certificates(self) -> None:
        if self._certificates is not None and (wrong := self._certificates.reload()) is not None:
            self._logs.write("error", "the certificate cannot be loaded again", None, {"text": wrong})


def new_loop() -> asyncio.AbstractEventLoop:
    """The fastest event loop that is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
