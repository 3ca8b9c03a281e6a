"""Servers as processes on a core of their own: started, timed, weighed and stopped. Linux only."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SERVER_CORES = "0"
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_START_SECONDS = 90.0
_LOOK_SECONDS = 0.005


class StartError(Exception):
    """It gave no answer; the message ends with what it wrote."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """Runs until the end of the `with` block that started it. `start_seconds` are up to its first answer."""

    pid: int
    port: int
    start_seconds: float

    def megabytes(self) -> float:
        """The resident set of the process and those below it; shared pages are counted in each."""
        pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in _tree(self.pid))
        return sum(pages) * _PAGE / 2**20

    def cpu_seconds(self) -> float:
        return sum(_cpu_ticks(pid) for pid in _tree(self.pid)) / _TICKS


@contextmanager
def started(
    command: Sequence[str],
    environment: Mapping[str, str],
    port: int,
    path: str,
    body: bytes,
    cores: str = SERVER_CORES,
) -> Iterator[Server]:
    with tempfile.TemporaryFile() as said:
        begun = time.perf_counter()
        process = subprocess.Popen(
            ("taskset", "--cpu-list", cores, *command),
            env=dict(environment),
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            _wait_for_answer(process, said, port, path, body)
            yield Server(pid=process.pid, port=port, start_seconds=time.perf_counter() - begun)
        finally:
            _stop(process)


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        found: int = bound.getsockname()[1]
        return found


def ask(connection: http.client.HTTPConnection, path: str, body: bytes, kind: str) -> tuple[int, bytes]:
    connection.request("POST", path, body, {"Content-Type": kind})
    answer = connection.getresponse()
    return answer.status, answer.read()


def busy_seconds() -> float:
    """What programs have used of all cores since the machine was started."""
    fields = Path("/proc/stat").read_text().partition("\n")[0].split()
    user, nice, system = (int(it) for it in fields[1:4])
    return (user + nice + system) / _TICKS


def _wait_for_answer(
    process: subprocess.Popen[bytes], said: IO[bytes], port: int, path: str, body: bytes
) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            if ask(connection, path, body, "application/json")[0] == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(_LOOK_SECONDS)
    said.seek(0)
    raise StartError(said.read().decode(errors="replace").strip()[-800:])


def _stop(process: subprocess.Popen[bytes]) -> None:
    """It and all that it started, which are in its session."""
    for number, seconds in ((signal.SIGINT, 5), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    process.wait(1)


def _tree(root: int) -> list[int]:
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parents[int(folder.name)] = int(_stat(int(folder.name))[1])
            except OSError:
                continue
    found = [root]
    for pid in found:
        found.extend(child for child, parent in parents.items() if parent == pid)
    return found


def _cpu_ticks(pid: int) -> int:
    try:
        fields = _stat(pid)
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def _stat(pid: int) -> list[str]:
    """The fields from the third on: the second, the name, may hold blanks."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
