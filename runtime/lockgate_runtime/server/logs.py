"""Log lines as JSON, one a line, written by a thread so that a slow reader of them never holds up the server.

A message is a fixed sentence; what varies goes into fields. Of a message that comes often only the first lines of a
while are written, and the next one says how many were left out, so that nobody can fill a disk by provoking it.
"""

from __future__ import annotations

import json
import logging
import math
import os
import threading
import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Level: TypeAlias = Literal["info", "warning", "error"]
_MOST_LINES, _WHILE_SECONDS = 10, 10.0
_MOST_MESSAGES = 200
_MOST_WAITING = 1000
_MOST_CHARACTERS = 1000
# What a pipe takes in one piece: lines of several workers never mix. See PIPE_BUF in pipe(7).
_MOST_BYTES = 4096
_OTHER = "other messages"


class Logs:
    """Writes to an open file, such as 2 for stderr. To be made after a fork, for its thread does not survive one."""

    def __init__(
        self,
        file: int = 2,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._file, self._clock, self._now = file, clock, now
        self._lock = threading.Condition()
        self._lines: deque[bytes] = deque()
        self._seen: dict[str, _Often] = {}
        self._lost = 0
        self._closed = False
        self._thread = threading.Thread(target=self._write_lines, name="logs", daemon=True)
        self._thread.start()

    def write(
        self,
        level: Level,
        message: str,
        request_id: str | None = None,
        fields: Mapping[str, object] | None = None,
    ) -> None:
        """Write a line, or leave it out where the message came too often; never waits, never raises."""
        with self._lock:
            left_out = self._often(message).come(self._clock())
            if left_out is not None:
                self._put(level, message, request_id, {**(fields or {}), **_counted("left_out", left_out)})

    def close(self, timeout_seconds: float = 1.0) -> None:
        """Say what was left out, and wait until all is written."""
        with self._lock:
            for message, often in self._seen.items():
                if often.left_out:
                    self._put("warning", message, None, _counted("left_out", often.left_out))
            self._closed = True
            self._lock.notify()
        self._thread.join(timeout_seconds)

    def _often(self, message: str) -> _Often:
        key = message if message in self._seen or len(self._seen) < _MOST_MESSAGES else _OTHER
        return self._seen.setdefault(key, _Often())

    def _put(self, level: Level, message: str, request_id: str | None, fields: Mapping[str, object]) -> None:
        if len(self._lines) >= _MOST_WAITING:
            self._lost += 1
            return
        head = {"ts": _time(self._now()), "level": level, "message": message}
        if request_id is not None:
            head["request_id"] = request_id
        self._lines.append(line_of(head, {**fields, **_counted("lines_lost", self._lost)}))
        self._lost = 0
        self._lock.notify()

    def _write_lines(self) -> None:
        while True:
            with self._lock:
                self._lock.wait_for(lambda: self._lines or self._closed)
                if not self._lines:
                    return
                line = self._lines.popleft()
            try:
                os.write(self._file, line)
            except OSError:  # Nobody reads any more; there is no other place to say so.
                continue


class ToLogs(logging.Handler):
    """Brings what libraries log by Python's own means into the same form: `logging.basicConfig(handlers=[…])`."""

    def __init__(self, logs: Logs) -> None:
        super().__init__(logging.WARNING)
        self._logs = logs

    def emit(self, record: logging.LogRecord) -> None:
        level: Level = "error" if record.levelno >= logging.ERROR else "warning"
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - a library's wrong arguments
            text = str(record.msg)
        self._logs.write(level, f"logged by {record.name}", None, {"text": text})


class _Often:
    """How often one message came in the while that runs now."""

    def __init__(self) -> None:
        self._began, self._lines, self.left_out = float("-inf"), 0, 0

    def come(self, now: float) -> int | None:
        """How many were left out before this one; None where it is left out, too."""
        if now - self._began >= _WHILE_SECONDS:
            self._began, self._lines = now, 0
        if self._lines >= _MOST_LINES:
            self.left_out += 1
            return None
        self._lines += 1
        left_out, self.left_out = self.left_out, 0
        return left_out


def line_of(head: Mapping[str, str], fields: Mapping[str, object]) -> bytes:
    """The line of both, in ASCII; without the fields where they would make it too long for one write."""
    start = {name: value[:_MOST_CHARACTERS] for name, value in head.items()}
    rest = {name: _plain(value) for name, value in fields.items() if name not in start}
    line = json.dumps(start | rest)
    if len(line) >= _MOST_BYTES:
        # Six bytes may stand for one character.
        line = json.dumps(
            {name: value[: _MOST_CHARACTERS // 10] for name, value in head.items()} | {"cut": True}
        )
    return f"{line}\n".encode()


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return str(value)[:_MOST_CHARACTERS]


def _counted(name: str, count: int) -> dict[str, int]:
    return {name: count} if count else {}


def _time(now: datetime) -> str:
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
