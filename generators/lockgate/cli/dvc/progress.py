"""Shows a pipeline as it runs, a line a stage, and remembers what became of each."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterable
from typing import Protocol

from lockgate.cli.dvc.repro import Ended, Event, Failed, Printed, Skipped, Started
from lockgate.cli.terminal import Terminal, printable
from lockgate.plan.model import Pipeline
from lockgate.plan.rerun import upstream

_NAME_WIDTH = 10
_LONGEST_OUTPUT = 200
"""So many of a stage's last lines are kept, to be shown if it fails."""


_EXITED = re.compile(r"exited with -?[0-9]+$")
"""DVC's word on a stage that has said itself what is wrong."""


class Follower(Protocol):
    """Takes in a pipeline's events as they come; `stages` says afterwards what became of each stage."""

    stages: dict[str, str]

    def follow(self, events: Iterable[Event]) -> None: ...


class Progress:
    """`stages` maps each stage to `ran`, `cached`, `unchanged` or `failed`."""

    def __init__(self, terminal: Terminal) -> None:
        self.stages: dict[str, str] = {}
        self._terminal = terminal
        self._running: str | None = None
        self._started = 0.0
        self._lines: deque[str] = deque(maxlen=_LONGEST_OUTPUT)

    def follow(self, events: Iterable[Event]) -> None:
        """Show the events as they come; at their end a stage that still runs has ended well or was interrupted."""
        for event in events:
            self._show(event)
        self._terminal.clear()

    def _show(self, event: Event) -> None:
        if isinstance(event, Started):
            self._start(event.stage)
        elif isinstance(event, Skipped):
            self.stages[event.stage] = event.how
            self._terminal.say(self._line(self._terminal.dim("·"), event.stage, event.how))
        elif isinstance(event, Ended):
            self._end()
        elif isinstance(event, Failed):
            self._fail(event.message)
        elif self._running is None:
            self._terminal.say(f"    {printable(event.line)}")
        else:
            self._lines.append(event.line)

    def _start(self, stage: str) -> None:
        self._running, self._started = stage, time.monotonic()
        self._lines.clear()
        self._terminal.transient(self._line("…", stage, "running"))

    def _end(self) -> None:
        assert self._running is not None, "DVC ends only what it started"
        self.stages[self._running] = "ran"
        self._terminal.clear()
        said = self._said(self._running)
        self._terminal.say(
            self._line(
                self._terminal.green("✓"), self._running, f"{self._seconds():>6.1f} s  {said}".rstrip()
            )
        )
        self._running = None

    def _fail(self, message: str) -> None:
        self._terminal.clear()
        if self._running is None:
            self._terminal.say(f"  {self._terminal.red('✗')} {printable(message)}")
            return
        self.stages[self._running] = "failed"
        self._terminal.say(
            self._line(self._terminal.red("✗"), self._running, f"{self._seconds():>6.1f} s  failed")
        )
        for line in self._lines:
            self._terminal.say(f"      {printable(line)}")
        if not _EXITED.search(message):
            self._terminal.say(f"      {printable(message)}")
        self._running = None

    def _said(self, stage: str) -> str:
        """The line in which the stage sums itself up, which is its last."""
        last = next((line for line in reversed(self._lines) if line.strip()), "")
        return printable(last.removeprefix(f"{stage}: "))

    def _seconds(self) -> float:
        return time.monotonic() - self._started

    @staticmethod
    def _line(mark: str, stage: str, rest: str) -> str:
        return f"  {mark} {printable(stage):<{_NAME_WIDTH}} {rest}"


class Forecast:
    """Shows what would be done, by what a dry run of DVC's says and by what the stages give each other.

    DVC itself calls a stage unchanged whose inputs are yet to be made, and cached one that it would run.
    """

    def __init__(self, terminal: Terminal, pipeline: Pipeline) -> None:
        self.stages: dict[str, str] = {}
        self._terminal = terminal
        self._pipeline = pipeline
        self._running: dict[str, str] = {}

    def follow(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, Started):
                self._would_run(event.stage, "")
            elif isinstance(event, Skipped) and event.how == "unchanged":
                self._skip(event.stage)
            elif isinstance(event, Failed):
                self._terminal.say(f"  ✗ {printable(event.message)}")

    def _skip(self, name: str) -> None:
        stage = next((it for it in self._pipeline.stages if it.name == name), None)
        reason = upstream(stage, self._pipeline, self._running) if stage else ""
        if reason:
            self._would_run(name, f": {reason}")
        else:
            self._say(name, "unchanged")

    def _would_run(self, name: str, reason: str) -> None:
        self._running[name] = reason
        self._say(name, f"would run{reason}")

    def _say(self, name: str, rest: str) -> None:
        self._terminal.say(f"  · {printable(name):<{_NAME_WIDTH}} {rest}")


class PassThrough:
    """Shows all that is printed, as it is printed; what becomes of stages is remembered all the same."""

    def __init__(self, terminal: Terminal) -> None:
        self.stages: dict[str, str] = {}
        self._terminal = terminal
        self._running: str | None = None

    def follow(self, events: Iterable[Event]) -> None:
        for event in events:
            self._show(event)

    def _show(self, event: Event) -> None:
        if isinstance(event, Started):
            self._running = event.stage
            self._terminal.say(f"  … {printable(event.stage)}")
        elif isinstance(event, Skipped):
            self.stages[event.stage] = event.how
            self._terminal.say(f"  · {printable(event.stage)} {event.how}")
        elif isinstance(event, Printed):
            self._terminal.say(f"    {printable(event.line)}")
        elif self._running is not None:
            self.stages[self._running] = "ran" if isinstance(event, Ended) else "failed"
            self._running = None
        if isinstance(event, Failed):
            self._terminal.say(f"  ✗ {printable(event.message)}")
