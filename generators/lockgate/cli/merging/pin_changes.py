"""The pins of a commit against those of the spec → what each that moves brings or takes away."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from lockgate.cli.git import file_at
from lockgate.contract import SPEC_FILE
from lockgate.plan.promotion import (
    Direction,
    Incident,
    PromotionEffect,
    ReleasedVersion,
    RequirementEffect,
)
from lockgate.registry import shelf
from lockgate.registry.form import record_block
from lockgate.registry.git import Git, GitError
from lockgate.registry.history import Event, events, live_at, seconds_live, was_live
from lockgate.registry.past import RecordError
from lockgate.registry.pins import Pins, pins_in
from lockgate.registry.rejections import Rejection, rejection_in_force
from lockgate.registry.versions import is_version, order
from lockgate.report.released import metric_changes, released_version, unreadable_version
from lockgate.spec.model import Environment, Spec
from lockgate.tuples import NamedTuple
from lockgate.yaml import YamlError

_MOST_RECORDS = 30
_MOST_EVIDENCE = 100


class _Past(NamedTuple):
    """The changes of pins up to the base; `notes` say what is not known of them."""

    changes: tuple[Event, ...]
    now: float
    notes: tuple[str, ...]


class _Pin(NamedTuple):
    model: str
    environment: str
    old: str | None
    new: str | None


def promotions_since(root: Path, base: str, before: Spec | None, after: Spec) -> tuple[PromotionEffect, ...]:
    """Every pin that is another one than in the base's spec, which need not be readable as a whole."""
    moving = tuple(_moving(_pins_at(root, base), after.pins))
    if not moving:
        return ()
    files = shelf.on_disk(root, {pin.model for pin in moving})
    past = _past(root, base)
    return tuple(_effect(pin, _environment(pin.environment, before, after), files, past) for pin in moving)


def _pins_at(root: Path, base: str) -> Pins:
    return pins_in(file_at(root, base, SPEC_FILE) or b"") or {}


def _moving(before: Pins, after: Pins) -> Iterator[_Pin]:
    for environment in dict.fromkeys((*after, *before)):
        old, new = before.get(environment, {}), after.get(environment, {})
        for model in dict.fromkeys((*new, *old)):
            if old.get(model) != new.get(model):
                yield _Pin(model, environment, old.get(model), new.get(model))


def _environment(name: str, before: Spec | None, after: Spec) -> Environment | None:
    """As the base has it where it does: who owns a file is read there."""
    known = before.environments.get(name) if before else None
    return known or after.environments.get(name)


def _past(root: Path, base: str) -> _Past:
    git = Git(root=root)
    try:
        changes = events(git, base)
        shallow = (
            ("This clone is shallow: what was live before it begins is not known.",) if git.is_shallow else ()
        )
    except GitError as error:
        return _Past((), time.time(), (f"What was live before is not known: {error}.",))
    return _Past(changes, time.time(), shallow)


def _effect(pin: _Pin, environment: Environment | None, files: shelf.Files, past: _Past) -> PromotionEffect:
    before, after = _released(pin.model, pin.old, files), _released(pin.model, pin.new, files)
    versions = _between(pin, files)
    told = [_released(pin.model, version, files) for version in versions[:_MOST_RECORDS]]
    return PromotionEffect(
        model=pin.model,
        environment=pin.environment,
        direction=_direction(pin),
        old=pin.old,
        new=pin.new,
        live_since=_live_since(pin, past),
        before=before,
        after=after,
        metrics=metric_changes(before, after) if after else (),
        between=tuple(it for it in told if it is not None),
        untold=len(versions[_MOST_RECORDS:]),
        requirements=tuple(_requirements(pin, environment, past)),
        was_live_before=pin.new is not None and was_live(past.changes, pin.environment, pin.model, pin.new),
        promote=environment.promote if environment else "pull-request",
        reviewers=environment.reviewers if environment else (),
        notes=past.notes,
    )


def _direction(pin: _Pin) -> Direction:
    if pin.new is None:
        return "withdrawal"
    if pin.old is None:
        return "first release"
    return "rollback" if _is_older(pin.new, pin.old) else "promotion"


def _is_older(version: str, other: str) -> bool:
    return is_version(version) and is_version(other) and order(version) < order(other)


def _live_since(pin: _Pin, past: _Past) -> str | None:
    live = (it for it in live_at(past.changes) if (it.environment, it.model) == (pin.environment, pin.model))
    since = next((it.since.seconds for it in live if it.version == pin.old), None)
    return None if since is None else _time(since)


def _between(pin: _Pin, files: shelf.Files) -> Sequence[str]:
    """The versions above the lower of the two, up to the higher, the newest first; none where a pin goes."""
    if pin.new is None or not is_version(pin.new) or (pin.old is not None and not is_version(pin.old)):
        return ()
    low, high = sorted((order(pin.old) if pin.old else (), order(pin.new)))
    recorded = shelf.recorded(files).get(pin.model, [])
    return [version for version in reversed(recorded) if low < order(version) <= high]


def _requirements(pin: _Pin, environment: Environment | None, past: _Past) -> Iterator[RequirementEffect]:
    if environment is None or pin.new is None:
        return
    for required in environment.requires:
        since = _first_live(past.changes, required, pin.model, pin.new)
        live = seconds_live(past.changes, required, pin.model, pin.new, past.now)
        yield RequirementEffect(
            environment=required,
            is_met=since is not None and live >= environment.soak_seconds,
            since=None if since is None else _time(since),
            live_seconds=live,
            soak_seconds=environment.soak_seconds,
        )


def _first_live(changes: Sequence[Event], environment: str, model: str, version: str) -> int | None:
    place = (environment, model, version)
    return next((it.commit.seconds for it in changes if (it.environment, it.model, it.new) == place), None)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _released(model: str, version: str | None, files: shelf.Files) -> ReleasedVersion | None:
    if version is None:
        return None
    data = files.get(shelf.record_path(model, version))
    if data is None:
        return unreadable_version(model, version, "is not there: nothing is known of that release")
    try:
        release = released_version(model, version, record_block(data))
    except YamlError as error:
        return unreadable_version(model, version, f"cannot be read: {error.message}")
    return _marked(model, release, files)


def _marked(model: str, release: ReleasedVersion, files: shelf.Files) -> ReleasedVersion:
    """With the incident that it was rejected for, overridden or not."""
    path, override = (it(model, release.version) for it in (shelf.rejection_path, shelf.override_path))
    marks = {it: files[it] for it in (path, override) if it in files}
    try:
        rejection = rejection_in_force(
            {it: data for it, data in marks.items() if it == path}, model, release.version
        )
    except RecordError as error:
        return _with_problem(release, error)
    if rejection is None:
        return release
    marked = replace(release, incident=_incident(rejection, None))
    try:
        is_overridden = rejection_in_force(marks, model, release.version) is None
    except RecordError as error:
        return _with_problem(marked, error)
    return (
        replace(release, incident=_incident(rejection, _reason(marks[override]))) if is_overridden else marked
    )


def _with_problem(release: ReleasedVersion, error: RecordError) -> ReleasedVersion:
    return replace(release, problems=(*release.problems, f"{error.path} cannot be read: {error.message}."))


def _incident(rejection: Rejection, override: str | None) -> Incident:
    evidence = list(rejection.evidence.items())[:_MOST_EVIDENCE]
    return Incident(
        environment=rejection.environment,
        reason=rejection.reason,
        time=rejection.time,
        evidence=tuple((str(name), _text(value)) for name, value in evidence),
        override=override,
    )


def _reason(override: bytes) -> str:
    """Of an override that was understood already."""
    block = record_block(override)
    said = block.get("reason") if isinstance(block, Mapping) else None
    return said if isinstance(said, str) and said.strip() else "no reason is given"


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
