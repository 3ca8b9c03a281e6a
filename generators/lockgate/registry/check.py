"""What `lockgate check` holds the registry to: records as they were written, pins that may be where they are."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from lockgate.diagnostics import Diagnostic
from lockgate.registry import shelf
from lockgate.registry.chain import edited_records
from lockgate.registry.form import wrong_forms
from lockgate.registry.git import Git, GitError
from lockgate.registry.history import events
from lockgate.registry.past import RecordError
from lockgate.registry.rejections import rejected_pins
from lockgate.registry.requirements import has_requirements, unmet_requirements
from lockgate.registry.tags import tag_name, vouched_sha256
from lockgate.spec import Reading, locate
from lockgate.spec.model import Spec


def check_registry(
    root: Path, reading: Reading, now: float, broken: Collection[str] = ()
) -> tuple[Diagnostic, ...]:
    """Findings about records and pins. `now` is in seconds since 1970; of the records at `broken` enough was said.

    Git is asked for tags only where there are records, and for the history only where an environment requires others.
    """
    if reading.spec is None:
        return ()
    files, git = shelf.on_disk(root), Git(root=root)
    found = list(edited_records(files, _vouched(git, files))) if files else []
    found += wrong_forms(files, _telling(files, reading.spec, broken))
    try:
        found += locate(rejected_pins(reading.spec.pins, files), reading.text)
    except RecordError as error:
        found.append(_unreadable(error))
    if has_requirements(reading.spec):
        try:
            changes = events(git)
        except GitError:
            changes = ()  # no Git, or nothing committed yet: then nothing has been live
        unmet = unmet_requirements(reading.spec, changes, now, not git.is_shallow)
        found += locate(unmet, reading.text)
    return tuple(found)


def _telling(files: shelf.Files, spec: Spec, broken: Collection[str]) -> Iterator[tuple[str, str]]:
    """What is pinned, and each model's newest: any other record was the newest once, and the next holds its hash."""
    pinned = [(model, version) for pins in spec.pins.values() for model, version in pins.items()]
    newest = [(model, versions[-1]) for model, versions in shelf.recorded(files).items()]
    return (it for it in (*pinned, *newest) if shelf.record_path(*it) not in broken)


def _vouched(git: Git, files: shelf.Files) -> dict[str, str]:
    """By the name of each record's tag what it vouches for; empty where Git is not there or has no tags."""
    names = {tag_name(model, it) for model, its in shelf.recorded(files).items() for it in its}
    try:
        listing = git.run(
            "for-each-ref", "--format=%(refname:strip=2)%0a%(contents)%00", "refs/tags/*@v*"
        ).decode(errors="replace")
    except GitError:
        return {}
    return dict(_messages(listing, names))


def _messages(listing: str, names: set[str]) -> Iterator[tuple[str, str]]:
    for entry in listing.split("\0"):
        name, _, message = entry.strip("\n").partition("\n")
        vouched = vouched_sha256(message)
        if name in names and vouched is not None:
            yield name, vouched


def _unreadable(error: RecordError) -> Diagnostic:
    return Diagnostic(
        rule="record-form",
        message=error.message,
        file=error.path,
        help="restore the file from Git, or write it anew as `lockgate rollback` does",
    )
