"""Waits until services run as they are asked to; says what changes meanwhile, and at the end what became of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

from lockgate.cli.terminal import Terminal, printable
from lockgate.cluster.client import ClusterError
from lockgate.cluster.errors import Refused
from lockgate.cluster.evidence import Evidence
from lockgate.cluster.rollouts import Seen
from lockgate.cluster.states import FAILED, State
from lockgate.plan.model import Service
from lockgate.tuples import NamedTuple

End: TypeAlias = Literal["deployed", "failed", "late", "superseded"]

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, _GROWTH = 1.0, 30.0, 1.5
_MOST_LOST = 5
_BUSY = 429
_THERE = frozenset({State.IN_SYNC, State.DRIFTED})


class Clock(NamedTuple):
    """Seconds that only grow, and how to let some pass."""

    now: Callable[[], float]
    sleep: Callable[[float], None]


class Waited(NamedTuple):
    """`seen` maps a service's name to how it was seen last."""

    end: End
    seen: Mapping[str, Seen]


def wait(
    services: Sequence[Service],
    look: Callable[[Service], Seen],
    *,
    clock: Clock,
    seconds: float,
    is_superseded: Callable[[], bool],
    say: Callable[[Service, Seen], None],
) -> Waited:
    """Ends with the first that fails, for then there is something to do. ClusterError where the cluster stays away."""
    seen: dict[str, Seen] = {}
    deadline, pause, lost = clock.now() + seconds, _FIRST_PAUSE_SECONDS, 0
    while True:
        try:
            for service, found in _looked(services, look, seen):
                seen[service.name] = found
                say(service, found)
            lost = 0
        except ClusterError as error:
            lost += 1
            if lost == _MOST_LOST or not _may_pass(error):
                raise
        end = _end([seen.get(it.name) for it in services])
        if end is not None:
            return Waited(end, seen)
        if is_superseded():
            return Waited("superseded", seen)
        left = deadline - clock.now()
        if left <= 0:
            return Waited("late", seen)
        clock.sleep(min(pause, left))
        pause = min(pause * _GROWTH, _LONGEST_PAUSE_SECONDS)


def _looked(
    services: Sequence[Service], look: Callable[[Service], Seen], seen: Mapping[str, Seen]
) -> Iterator[tuple[Service, Seen]]:
    """Those that are not there yet, where something about them is new."""
    for service in services:
        before = seen.get(service.name)
        if before is not None and before.state in _THERE:
            continue
        found = look(service)
        if before is None or (found.state, found.word) != (before.state, before.word):
            yield service, found


def _end(seen: Sequence[Seen | None]) -> End | None:
    states = [it.state if it else None for it in seen]
    if any(state in FAILED for state in states):
        return "failed"
    return "deployed" if all(state in _THERE for state in states) else None


def _may_pass(error: ClusterError) -> bool:
    """A cluster that is upgraded is away for a moment; one that says no means it."""
    return not isinstance(error, Refused) or error.status >= 500 or error.status == _BUSY


def say_seen(terminal: Terminal, service: Service, seen: Seen) -> None:
    """A line, and under it the evidence where a rollout failed."""
    mark = _mark(terminal, seen.state)
    version = f" {service.release.version}" if service.release else ""
    word = f": {seen.word}" if seen.word else ""
    terminal.say(f"  {mark} {said(f'{service.name}{version}: {seen.state}{word}')}")
    for line in _lines(seen.evidence) if seen.evidence else ():
        terminal.say(f"      {said(line)}")
    # Whoever follows the log of a job waits for this line.
    terminal.out.flush()


def said(text: str) -> str:
    """What a cluster says, such that neither a terminal nor GitHub's runner takes it for a command."""
    return printable(text).replace("##[", "## [")


def _mark(terminal: Terminal, state: State) -> str:
    if state in FAILED:
        return terminal.red("✗")
    return terminal.green("✓") if state is State.IN_SYNC else terminal.dim("·")


def _lines(evidence: Evidence) -> Iterator[str]:
    for it in evidence.analyses:
        values = f" (measured: {', '.join(it.values)})" if it.values else ""
        message = f": {it.message}" if it.message else ""
        yield f"analysis {it.metric or it.run}: {it.phase}{message}{values}"
    for warning in evidence.warnings:
        yield f"event {warning.reason} ({warning.times}x): {warning.message}"
    for gap in evidence.gaps:
        yield f"not readable: {gap}"
