"""The project as it stood at a commit, compiled in memory, against the project as it lies here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from lockgate.cli.git import blob_ids, change_since, file_at, files_at
from lockgate.cli.merging.next_releases import releases_after
from lockgate.cli.merging.pin_changes import promotions_since
from lockgate.cli.project import Compiled, compile_reading
from lockgate.cli.terminal import plural
from lockgate.contract import SPEC_FILE
from lockgate.output.ownership import read_ownership
from lockgate.plan.merge import MergeEffects, Side
from lockgate.plan.model import Plan
from lockgate.report.changes import merge_effects
from lockgate.spec import Reading, read
from lockgate.targets.file import BLOCK_PATHS
from lockgate.yaml import YamlError, parse
from lockgate.yaml.parse import read_text

_MOST_NAMED = 3


def effects_since(root: Path, compiled: Compiled, plan: Plan, reference: str) -> MergeEffects:
    """What merging does to the branch that the reference names, uncommitted changes included. Runs no pipeline.

    The base's files are made from its spec, for those that were committed need not be what it says.
    """
    change = change_since(root, reference)
    after = Side(reading=compiled.reading, plan=plan, files=compiled.files)
    before, notes = _side_at(root, change.base, after)
    ejected = sorted(read_ownership(root)[0].ejected)
    owned = _Owned(
        before={path: file_at(root, change.base, path) for path in ejected},
        after={path: _content(root / path) for path in ejected},
    )
    stale = _stale(root, change.base, before, ejected) if before else ()
    notes = (*notes, *_stale_note(stale), *_ejected_note(ejected))
    if before is not None:
        before = _with_owned(before, owned.before, ejected)
    effects = merge_effects(before, _with_owned(after, owned.after, ejected), change.paths, notes)
    return replace(
        effects,
        promotions=promotions_since(root, change.base, before.plan.spec if before else None, plan.spec),
        releases=releases_after(root, plan, effects.models, {}),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Owned:
    """Files that the team has taken over, as they are; None where there is none."""

    before: Mapping[str, bytes | None]
    after: Mapping[str, bytes | None]


def _side_at(root: Path, commit: str, after: Side) -> tuple[Side | None, tuple[str, ...]]:
    data = file_at(root, commit, SPEC_FILE)
    if data is None:
        return None, (f"the base has no {SPEC_FILE}: all that the spec makes is new",)
    is_same_spec = data == after.reading.text.encode()
    reading = after.reading if is_same_spec else read(data)
    paths = _record_paths(reading)
    records = files_at(root, commit, paths)
    if is_same_spec and all(_content(root / it) == records.get(it) for it in paths):
        return after, ()
    with TemporaryDirectory() as directory:
        for path, content in records.items():
            (Path(directory) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(directory) / path).write_bytes(content)
        compiled = compile_reading(Path(directory), reading)
    if compiled.plan is None:
        return None, (f"the base's {SPEC_FILE} has errors: all that the spec makes counts as new",)
    return Side(reading=reading, plan=compiled.plan, files=compiled.files), ()


def _record_paths(reading: Reading) -> list[str]:
    """Of the versions that are pinned."""
    pins = reading.spec.pins if reading.spec else {}
    pinned = {(model, version) for versions in pins.values() for model, version in versions.items()}
    return [f"registry/{model}/{version}.yaml" for model, version in sorted(pinned)]


def _stale(root: Path, commit: str, side: Side, ejected: Iterable[str]) -> tuple[str, ...]:
    """Generated files of the commit that its spec does not make so, told by the hashes that Git has of them."""
    ids = blob_ids(root, commit)
    taken = set(ejected)
    return tuple(
        path
        for path, text in side.files.items()
        if path not in taken
        and path not in BLOCK_PATHS
        and ids.get(path) != _blob_id(text, len(ids.get(path, "")))
    )


def _blob_id(text: str, length: int) -> str:
    data = text.encode()
    blob = b"blob %d\0%s" % (len(data), data)
    digest = hashlib.sha256(blob) if length == 64 else hashlib.sha1(blob, usedforsecurity=False)
    return digest.hexdigest()


def _stale_note(stale: tuple[str, ...]) -> Iterator[str]:
    if stale:
        files = plural(len(stale), "generated file")
        yield (
            f"{files} of the base {'is' if len(stale) == 1 else 'are'} not what its spec makes with this Lockgate "
            f"({_named(stale)}): merging changes them too, which is not told here"
        )


def _ejected_note(ejected: list[str]) -> Iterator[str]:
    if ejected:
        yield f"ejected files count as they lie there, and what they do to pipelines is not known: {_named(ejected)}"


def _named(paths: Iterable[str]) -> str:
    every = list(paths)
    more = len(every) - _MOST_NAMED
    return ", ".join(every[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _with_owned(side: Side, contents: Mapping[str, bytes | None], ejected: Iterable[str]) -> Side:
    taken = set(ejected)
    made = {path: text for path, text in side.files.items() if path not in taken}
    owned = {path: text for path in taken if (text := _yaml(contents[path])) is not None}
    return Side(reading=side.reading, plan=side.plan, files={**made, **owned})


def _yaml(data: bytes | None) -> str | None:
    """The text where it is one document of the YAML that Lockgate reads."""
    try:
        text = read_text(data or b"")
        parse(text)
    except YamlError:
        return None
    return text


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
