"""The processes of a rehearsal: a server of each version, and the replay between them. Stopped whatever happens."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from lockgate.tuples import NamedTuple

_READY = re.compile(r"serving \S+ \S+ at (?P<url>\S+) \(")
_STOP_SECONDS = 5.0


class StartError(Exception):
    """A process is not ready, or has ended; `what` names it, and `said` is its own last word."""

    def __init__(self, what: str, said: str) -> None:
        super().__init__(what)
        self.what, self.said = what, said


class Sent(NamedTuple):
    """What came of the requests to a version; seconds as the client saw them, None without answers.

    `slow` are the answers that took longer than the rollout allows, `refused` those to rows that were called wrong.
    """

    answers: int
    failed: int
    refused: int
    slow: int
    p99_seconds: float | None

    @property
    def bad(self) -> int:
        return self.failed + self.slow

    @property
    def success_share(self) -> float | None:
        return 1 - self.failed / self.answers if self.answers else None


class Report(NamedTuple):
    """Since the last change of weight."""

    stable: Sent
    candidate: Sent


class Version(NamedTuple):
    """Of a model: where its server is, and its exported files."""

    url: str
    folder: Path


class _Process(NamedTuple):
    what: str
    process: subprocess.Popen[str]
    complaints: IO[bytes]

    def line(self) -> str:
        assert self.process.stdout is not None, "the output is read"
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise StartError(self.what, self.said())
        return line

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None, "it is told by lines"
        try:
            print(line, file=self.process.stdin, flush=True)
        except OSError as error:
            raise StartError(self.what, self.said()) from error

    def said(self) -> str:
        """Its last complaint, without what help it offers."""
        self.complaints.seek(0)
        lines = self.complaints.read().decode(errors="replace").strip().splitlines()
        errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        return (errors or lines or [f"exit code {self.process.poll()}"])[-1]


class Traffic:
    """The replay, which answers at once."""

    def __init__(self, process: _Process) -> None:
        self._process = process

    def shift(self, weight_percent: int) -> None:
        """Send the candidate that share from now on, and count anew."""
        self._process.tell(f"weight {weight_percent}")

    def report(self) -> Report:
        self._process.tell("report")
        said = json.loads(self._process.line())
        return Report(_sent(said["stable"]), _sent(said["candidate"]))


@contextmanager
def servers(commands: Sequence[tuple[str, Sequence[str]]]) -> Iterator[tuple[str, ...]]:
    """The addresses of the servers that the commands start, side by side; each has a name to complain by."""
    with ExitStack() as stack:
        started = [stack.enter_context(_running(what, command)) for what, command in commands]
        yield tuple(_address(process) for process in started)


@contextmanager
def replaying(
    file: Path, stable: Version, candidate: Version, rate: float, slow_seconds: float | None
) -> Iterator[Traffic]:
    """Rows of the file on their way to both, each with the columns that its model takes."""
    command = [
        *(sys.executable, "-m", "lockgate_runtime", "replay", "--traffic", str(file)),
        *("--stable", stable.url, "--stable-model", str(stable.folder)),
        *("--candidate", candidate.url, "--candidate-model", str(candidate.folder)),
        *("--rate", str(rate)),
        *(() if slow_seconds is None else ("--slow", str(slow_seconds))),
    ]
    with _running("the replay", command) as process:
        process.line()
        yield Traffic(process)


@contextmanager
def _running(what: str, command: Sequence[str]) -> Iterator[_Process]:
    """In a group of its own: an interrupt reaches this process alone, which stops the others."""
    with (
        TemporaryFile() as complaints,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            encoding="utf-8",
            errors="replace",
            process_group=0,
        ) as process,
    ):
        try:
            yield _Process(what, process, complaints)
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
    assert process.stdin is not None, "it is told by lines"
    with suppress(OSError):
        process.stdin.close()


def _address(process: _Process) -> str:
    found = _READY.match(process.line())
    if found is None:
        raise StartError(process.what, "it did not say where it serves")
    return found["url"]


def _sent(said: dict[str, int | float | None]) -> Sent:
    answers, failed, refused, slow = (
        int(said[name] or 0) for name in ("answers", "failed", "refused", "slow")
    )
    return Sent(answers, failed, refused, slow, said["p99"])
