"""What was live when: the pins' changes as Git has them. Reads commits of the main line, and no working file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

from lockgate.contract import SPEC_FILE
from lockgate.registry.git import Git
from lockgate.registry.pins import Pins, pins_in
from lockgate.registry.versions import is_version, order
from lockgate.tuples import NamedTuple

Change: TypeAlias = Literal["promoted", "rolled back", "withdrawn"]

_FIELDS = ("%H", "%ct", "%an", "%ae", "%cn", "%ce", "%s")
_SQUASHED = re.compile(r"\(#(\d+)\)\s*$")
_MERGED = re.compile(r"Merge pull request #(\d+)\b")


class Commit(NamedTuple):
    """A commit of the main line that touched the spec.

    `seconds` is when it was made, since 1970 in UTC, and never before the one that it follows: clocks differ.
    `request` is the number of the pull request that the subject names.
    """

    id: str
    seconds: int
    author: str
    author_email: str
    committer: str
    committer_email: str
    subject: str
    request: int | None


class Event(NamedTuple):
    """A pin that became another; a version is None where nothing was or is pinned."""

    environment: str
    model: str
    change: Change
    old: str | None
    new: str | None
    commit: Commit


class Live(NamedTuple):
    """What is pinned, and since which commit."""

    environment: str
    model: str
    version: str
    since: Commit


def events(git: Git, reference: str = "HEAD") -> tuple[Event, ...]:
    """Every change of a pin on the way to the reference, the oldest first.

    Follows first parents, for a merge is when something becomes live. GitError where there is no such reference.
    """
    commits = _commits(git, reference)
    specs = git.contents([f"{commit.id}:./{SPEC_FILE}" for commit in commits])
    return tuple(replay(zip(commits, map(_pins, specs), strict=True)))


def replay(steps: Iterable[tuple[Commit, Pins | None]]) -> Iterator[Event]:
    """The changes between the pins of successive commits; what cannot be read changes nothing."""
    before: Pins = {}
    for commit, pins in steps:
        if pins is not None:
            yield from _changes(before, pins, commit)
            before = pins


def live_at(changes: Sequence[Event], seconds: float | None = None) -> tuple[Live, ...]:
    """What is pinned after the changes up to that time, or after all of them; by environment and model."""
    live: dict[tuple[str, str], Live] = {}
    for event in changes:
        if seconds is not None and event.commit.seconds > seconds:
            break
        key = (event.environment, event.model)
        if event.new is None:
            live.pop(key, None)
        else:
            live[key] = Live(event.environment, event.model, event.new, event.commit)
    return tuple(live[key] for key in sorted(live))


def seconds_live(changes: Sequence[Event], environment: str, model: str, version: str, now: float) -> float:
    """How long the version has been live there in all."""
    total, since = 0.0, None
    for event in changes:
        if (event.environment, event.model) != (environment, model):
            continue
        if since is not None:
            total += event.commit.seconds - since
        since = event.commit.seconds if event.new == version else None
    return total + max(0.0, now - since) if since is not None else total


def was_live(changes: Sequence[Event], environment: str, model: str, version: str) -> bool:
    """Whether the version has ever been live there."""
    return any((it.environment, it.model, it.new) == (environment, model, version) for it in changes)


def _commits(git: Git, reference: str) -> tuple[Commit, ...]:
    form = "%x00".join(_FIELDS)
    arguments = (
        "log",
        "--first-parent",
        "-z",
        f"--format={form}",
        "--end-of-options",
        reference,
        "--",
        SPEC_FILE,
    )
    # Fields and commits are parted alike: no field can hold a NUL.
    fields = git.run(*arguments).decode(errors="replace").removesuffix("\0").split("\0")
    width = len(_FIELDS)
    rows = [fields[start : start + width] for start in range(0, len(fields) - width + 1, width)]
    latest, commits = 0, []
    for row in reversed(rows):
        latest = max(latest, int(row[1]))
        commits.append(_commit(row, latest))
    return tuple(commits)


def _commit(row: Sequence[str], seconds: int) -> Commit:
    identity, _, author, author_email, committer, committer_email, subject = row
    request = _MERGED.match(subject) or _SQUASHED.search(subject)
    return Commit(
        id=identity,
        seconds=seconds,
        author=author,
        author_email=author_email,
        committer=committer,
        committer_email=committer_email,
        subject=subject,
        request=int(request[1]) if request else None,
    )


def _pins(spec: bytes | None) -> Pins | None:
    return pins_in(spec) if spec is not None else {}


def _changes(before: Pins, after: Pins, commit: Commit) -> Iterator[Event]:
    for environment in sorted({*before, *after}):
        old, new = before.get(environment, {}), after.get(environment, {})
        yield from _changed(environment, old, new, commit)


def _changed(
    environment: str, old: Mapping[str, str], new: Mapping[str, str], commit: Commit
) -> Iterator[Event]:
    for model in sorted({*old, *new}):
        was, now = old.get(model), new.get(model)
        if was != now:
            yield Event(environment, model, _kind(was, now), was, now, commit)


def _kind(old: str | None, new: str | None) -> Change:
    if new is None:
        return "withdrawn"
    is_older = old is not None and is_version(old) and is_version(new) and order(new) < order(old)
    return "rolled back" if is_older else "promoted"
