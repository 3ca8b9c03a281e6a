"""From settings to running processes: one that serves, or a parent that keeps as many workers as asked for."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from lockgate_runtime.server.artifact import load
from lockgate_runtime.server.listening import bind
from lockgate_runtime.server.logs import Logs

if TYPE_CHECKING:
    from collections.abc import Callable

    from lockgate_runtime.server.artifact import Artifact
    from lockgate_runtime.server.settings import Settings
    from lockgate_runtime.server.shared_counters import SharedCounters
    from lockgate_runtime.server.worker import Worker

_WATCHED = {signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGCHLD}
_FIRST_WAIT_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 30.0
_STEADY_SECONDS = 60.0
_KILL_AFTER_SECONDS = 5.0
FAILED = 1


def serve(settings: Settings, tell: Callable[[str], None]) -> int:
    """Serve until a signal says stop; `tell` is given one line when requests are taken. The exit code.

    Raises `ArtifactError`, `OSError` and what else opening a service raises.
    """
    artifact = load(settings.model, settings.artifact_sha256)
    counters = _counters(settings, artifact)
    bound = bind(settings.host, settings.port)
    settings = replace(settings, port=bound.getsockname()[1])
    line = _line(settings, artifact)
    if settings.workers > 1:
        return Supervisor(settings, artifact, counters).run(lambda: tell(line))
    logs = Logs()
    try:
        worker = _worker(settings, artifact, counters, 0, logs)
        bound.close()
        worker.run(lambda: _take_signals(worker, line, tell))
    finally:
        logs.close()
    return 0


def _counters(settings: Settings, artifact: Artifact) -> SharedCounters | None:
    if not settings.monitoring:
        return None
    from lockgate_runtime.server.shared_counters import create

    return create(artifact.signature, artifact.reference, settings.workers, settings.slo_seconds)


def _worker(
    settings: Settings, artifact: Artifact, counters: SharedCounters | None, number: int, logs: Logs
) -> Worker:
    # ONNX Runtime and event loops have threads and descriptors of their own: nothing of them before the fork.
    from lockgate_runtime.server.worker import Worker

    return Worker(settings, artifact, counters, number, bind(settings.host, settings.port), logs)


def _line(settings: Settings, artifact: Artifact) -> str:
    scheme = "https" if settings.tls is not None else "http"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    workers = "1 worker" if settings.workers == 1 else f"{settings.workers} workers"
    model = artifact.signature["model"]
    return (
        f"serving {model} {settings.version} at {scheme}://{host}:{settings.port}/ "
        f"({workers}, artifact {artifact.sha256[:12]}…)"
    )


class _Child:
    """A place for a worker: the process that fills it now, and when to fill it again."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.pid = 0
        self.ready = -1
        self.started = 0.0
        self.start_at = 0.0
        self.wait_seconds = _FIRST_WAIT_SECONDS


class Supervisor:
    """Starts workers, starts those again that die, and passes on the signal to stop.

    Signals are blocked and waited for, so that none comes between two steps. A worker listens on a socket of its own:
    where it dies, the kernel gives its share to the others.
    """

    def __init__(self, settings: Settings, artifact: Artifact, counters: SharedCounters | None) -> None:
        self._settings, self._artifact, self._counters = settings, artifact, counters
        self._children = [_Child(number) for number in range(settings.workers)]
        self._reserved = bind(settings.host, settings.port)
        # Workers hold its other end: when the parent is gone, they stop, too.
        self._life = os.pipe()
        self._stopping = False
        self._kill_at = float("inf")

    def run(self, ready: Callable[[], None]) -> int:
        """Until all workers have ended; the exit code."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
        for child in self._children:
            self._start(child)
        if not all(self._is_ready(child) for child in self._children):
            self._pass_on(signal.SIGKILL)
            return FAILED
        self._logs = Logs()
        ready()
        while any(child.pid for child in self._children) or not self._stopping:
            self._wait()
        self._logs.close()
        return 0

    def _start(self, child: _Child) -> None:
        child.ready, told = os.pipe()
        child.started = time.monotonic()
        child.pid = os.fork()
        if child.pid == 0:
            os.close(child.ready)
            os.close(self._life[1])
            self._be_worker(child.number, told)
        os.close(told)

    def _is_ready(self, child: _Child) -> bool:
        """Wait until the worker takes requests; it has said why, where it does not."""
        with os.fdopen(child.ready, "rb") as pipe:
            return pipe.read(1) == b"r"

    def _wait(self) -> None:
        found = signal.sigtimedwait(_WATCHED, self._seconds_to_next())
        if found is not None and found.si_signo in {signal.SIGTERM, signal.SIGINT}:
            self._stop(found.si_signo)
        self._bury()
        now = time.monotonic()
        if now >= self._kill_at:
            self._pass_on(signal.SIGKILL)
        for child in self._children:
            if not child.pid and not self._stopping and child.start_at <= now:
                self._start(child)
                # It goes on by itself; nobody waits until it is ready.
                os.close(child.ready)

    def _seconds_to_next(self) -> float:
        waiting = [child.start_at for child in self._children if not child.pid and not self._stopping]
        return max(0.0, min([*waiting, self._kill_at, time.monotonic() + 60]) - time.monotonic())

    def _stop(self, number: int) -> None:
        self._stopping = True
        self._kill_at = time.monotonic() + self._settings.drain_seconds + _KILL_AFTER_SECONDS
        # Workers ignore SIGINT, which a terminal sends to all at once; this is the parent's for "now".
        self._pass_on(signal.SIGTERM if number == signal.SIGTERM else signal.SIGUSR1)

    def _pass_on(self, number: int) -> None:
        for child in self._children:
            if child.pid:
                os.kill(child.pid, number)

    def _bury(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for child in self._children:
                if child.pid == pid:
                    self._note_end(child, os.waitstatus_to_exitcode(status))

    def _note_end(self, child: _Child, code: int) -> None:
        now = time.monotonic()
        if now - child.started > _STEADY_SECONDS:
            child.wait_seconds = _FIRST_WAIT_SECONDS
        child.pid, child.start_at = 0, now + child.wait_seconds
        child.wait_seconds = min(child.wait_seconds * 2, _LONGEST_WAIT_SECONDS)
        if not self._stopping:
            fields = {"worker": child.number, "exit_code": code, "again_in_seconds": child.start_at - now}
            self._logs.write("error", "a worker ended and is started again", None, fields)

    def _be_worker(self, number: int, told: int) -> NoReturn:
        code = FAILED
        try:
            self._work(number, told)
            code = 0
        except Exception as error:  # noqa: BLE001 - a fork never returns into its parent's frames
            logs = Logs()
            logs.write("error", "a worker failed", None, {"worker": number, "error": str(error)})
            logs.close()
        finally:
            os._exit(code)

    def _work(self, number: int, told: int) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._reserved.close()
        logs = Logs()
        worker = _worker(self._settings, self._artifact, self._counters, number, logs)
        worker.run(lambda: self._take_signals(worker, told))
        logs.close()

    def _take_signals(self, worker: Worker, told: int) -> None:
        worker.stop_as_child(self._life[0])
        # A signal that came before waits until now: the loop runs, and will not miss it.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
        _tell_ready(told)


def _take_signals(worker: Worker, line: str, tell: Callable[[str], None]) -> None:
    worker.stop_on_signals()
    tell(line)


def _tell_ready(told: int) -> None:
    try:
        os.write(told, b"r")
    except BrokenPipeError:
        pass
    finally:
        os.close(told)
