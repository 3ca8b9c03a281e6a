"""Runs a model's pipeline with DVC, and reads from what DVC prints what becomes of each stage."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from lockgate.cli.dvc.process import environment


@dataclass(frozen=True, slots=True)
class Started:
    stage: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """`how` is `unchanged` where nothing had to be done, `cached` where an earlier run's files were fetched."""

    stage: str
    how: Literal["unchanged", "cached"]


@dataclass(frozen=True, slots=True)
class Printed:
    """A line of a stage's, or of DVC's own that is none of the above."""

    line: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The running stage has ended well."""


@dataclass(frozen=True, slots=True)
class Failed:
    """DVC's own word on what went wrong."""

    message: str


Event: TypeAlias = Started | Skipped | Printed | Ended | Failed

_PATIENCE_SECONDS = 10
_STARTED = re.compile(r"Running stage '(?:.*:)?([^:']+)':")
_UNCHANGED = re.compile(r"Stage '(?:.*:)?([^:']+)' didn't change, skipping")
_CACHED = re.compile(r"Stage '(?:.*:)?([^:']+)' is cached - skipping run, checking out outputs")
_ENDED = re.compile(r"(Generating|Updating) lock file '")
_FAILED = re.compile(r"ERROR: (.*)")
_ADVICE = re.compile(
    r"To track the changes with git, run:|\tgit add |To enable auto staging, run:|\tdvc config core\.autostage"
    r"|Use `dvc push` to send|Data and pipelines are up to date\.|$"
)


@contextmanager
def reproducing(root: Path, pipeline_file: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    """`dvc repro` of a pipeline while it runs; what it and its stages print comes together and in order."""
    command = [sys.executable, "-m", "dvc", "repro", *options, pipeline_file]
    with subprocess.Popen(
        command,
        cwd=root,
        process_group=0,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            yield process
        except BaseException:
            _interrupt(process)
            raise


def _interrupt(process: subprocess.Popen[str]) -> None:
    """Stop DVC and the stage that it runs, which alone listens: DVC itself ignores the signal meanwhile."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def events(lines: Iterable[str]) -> Iterator[Event]:
    """What DVC's lines mean; its advice and its echo of commands are left out."""
    running = False
    for line in (line.rstrip("\r\n") for line in lines):
        event = _event(line)
        if isinstance(event, Started | Skipped) and running:
            yield Ended()
        if isinstance(event, Started | Skipped | Failed | Ended):
            if isinstance(event, Ended) and not running:
                continue
            running = isinstance(event, Started)
            yield event
        elif (running and not line.startswith("> ")) or (not running and not _ADVICE.match(line)):
            yield Printed(line)


def _event(line: str) -> Event | None:
    if found := _STARTED.fullmatch(line):
        return Started(found[1])
    if found := _UNCHANGED.fullmatch(line):
        return Skipped(found[1], "unchanged")
    if found := _CACHED.fullmatch(line):
        return Skipped(found[1], "cached")
    if found := _FAILED.match(line):
        return Failed(found[1])
    return Ended() if _ENDED.match(line) else None
