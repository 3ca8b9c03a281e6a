"""A deployment: what is asked for, and how what becomes of it is told, in words or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lockgate.cli.cluster.applying import Document, Done
from lockgate.cli.cluster.waiting import said
from lockgate.cli.terminal import Terminal, plural
from lockgate.cluster.evidence import as_block
from lockgate.cluster.rollouts import Seen
from lockgate.plan.model import Plan, Service
from lockgate.tuples import NamedTuple

_MOST_POINTERS = 5
_SAME = ("unchanged", "as it is")


class Job(NamedTuple):
    """What is asked for. `quiet` is whether the result alone is said, as JSON."""

    root: Path
    plan: Plan
    environment: str
    documents: tuple[Document, ...]
    newest: str | None
    seconds: float
    quiet: bool

    @property
    def services(self) -> tuple[Service, ...]:
        """Those that are to run."""
        return tuple(
            it for it in self.plan.services if it.environment == self.environment and it.release is not None
        )


def shown(terminal: Terminal, job: Job, every: Iterable[Done]) -> Iterator[Done]:
    """Each as it comes, for those that are not as they were."""
    for it in every:
        if not job.quiet and it.what not in _SAME:
            more = len(it.pointers) - _MOST_POINTERS
            places = f": {', '.join(it.pointers[:_MOST_POINTERS])}" if it.pointers else ""
            terminal.say(said(f"  {it.what} {it.key}{places}" + (f" and {more} more" if more > 0 else "")))
        yield it


def say_count(terminal: Terminal, job: Job, applied: Sequence[Done]) -> None:
    unchanged = sum(it.what == "unchanged" for it in applied)
    if not job.quiet:
        terminal.say(f"{job.environment}: {plural(len(applied), 'object')} applied, {unchanged:,} unchanged")


def say_json(
    terminal: Terminal, job: Job, outcome: str, done: Sequence[Done], seen: Mapping[str, Seen]
) -> None:
    document = {
        "environment": job.environment,
        "outcome": outcome,
        "objects": [{**it.key._asdict(), "what": it.what, "pointers": it.pointers} for it in done],
        "services": [_service(it, seen[it.name]) for it in job.services if it.name in seen],
    }
    terminal.say(json.dumps(document, indent=2))


def _service(service: Service, seen: Seen) -> dict[str, Any]:
    assert service.release is not None, "what has no release is not waited for"
    return {
        "model": service.name,
        "version": service.release.version,
        "state": seen.state,
        "word": seen.word,
        "evidence": as_block(seen.evidence) if seen.evidence else None,
    }
