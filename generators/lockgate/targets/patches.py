"""Generated files and the spec's patches → the files as patched, what is wrong, and what each patch touched."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from lockgate.diagnostics import Finding, once
from lockgate.spec.model import Patch
from lockgate.spec.validate import quote, suggest
from lockgate.targets.file import File
from lockgate.tuples import NamedTuple

Parts: TypeAlias = tuple[str, ...]


class Patched(NamedTuple):
    """`touched` maps each patch's name to the paths of the files that it changes."""

    files: tuple[File, ...]
    findings: tuple[Finding, ...]
    touched: Mapping[str, tuple[str, ...]]


class _Change(NamedTuple):
    """One pointer of one patch; `value` counts only where it is not a removal. `location` is its place in the spec."""

    patch: str
    pointer: str
    location: tuple[str | int, ...]
    removes: bool
    value: Any = None

    @property
    def parts(self) -> Parts:
        return tuple(part.replace("~1", "/").replace("~0", "~") for part in self.pointer.split("/")[1:])


def apply(files: Sequence[File], patches: Iterable[Patch]) -> Patched:
    """Patches in their order; of each first what it sets, then what it removes. What cannot be done is left undone."""
    patches = tuple(patches)
    touched = {
        patch.name: tuple(file.path for file in files if matches(patch.target, file.path))
        for patch in patches
    }
    findings = [finding for patch in patches for finding in _shape(patch, touched[patch.name], files)]
    changes: dict[str, list[_Change]] = {}
    for patch in patches:
        for path in touched[patch.name]:
            changes.setdefault(path, []).extend(_changes(patch))
    patched = []
    for file in files:
        mine = changes.get(file.path)
        if mine is None:
            patched.append(file)
            continue
        content, found = _patch(file, mine)
        findings += [*found, *_conflicts(file.path, mine)]
        patched.append(File(path=file.path, content=content))
    return Patched(files=tuple(patched), findings=once(findings), touched=touched)


def matches(target: str, path: str) -> bool:
    """Whether the path is one of the target's, whose `*` stands for any part of one name."""
    if not path.startswith(target.partition("*")[0]):
        return False
    wanted, names = target.split("/"), path.split("/")
    return len(wanted) == len(names) and all(
        part == name or ("*" in part and fnmatchcase(name, part))
        for part, name in zip(wanted, names, strict=True)
    )


def _shape(patch: Patch, touched: Sequence[str], files: Sequence[File]) -> Iterator[Finding]:
    if not patch.set and not patch.remove:
        yield Finding(
            rule="patch-empty",
            location=("patches", patch.name),
            at_key=True,
            message=f"the patch {patch.name!r} changes nothing",
            help="add 'set' or 'remove', or take the patch out",
        )
    if not touched:
        yield Finding(
            rule="patch-target",
            location=("patches", patch.name, "target"),
            message=f"{quote(patch.target)} matches no generated file",
            help=suggest(patch.target, [file.path for file in files]) or "'lockgate render' lists the files",
        )


def _changes(patch: Patch) -> tuple[_Change, ...]:
    """Removals from the back: every pointer means the list as it was, before others took items out of it."""
    place = ("patches", patch.name)
    sets = [
        _Change(
            patch=patch.name, pointer=pointer, location=(*place, "set", pointer), removes=False, value=value
        )
        for pointer, value in patch.set.items()
    ]
    removals = [
        _Change(patch=patch.name, pointer=pointer, location=(*place, "remove", index), removes=True)
        for index, pointer in enumerate(patch.remove)
    ]
    return (*sets, *sorted(removals, key=_depth_and_index, reverse=True))


def _depth_and_index(change: _Change) -> list[tuple[int, str]]:
    return [(int(part) if _is_index(part) else -1, part) for part in change.parts]


def _is_index(part: str) -> bool:
    return part.isascii() and part.isdecimal() and len(part) < 10 and (part == "0" or part[0] != "0")


def _patch(file: File, changes: Sequence[_Change]) -> tuple[Mapping[str, Any] | str, list[Finding]]:
    if isinstance(file.content, str):
        reason = "it is no YAML document; `lockgate eject` makes it yours"
        return file.content, [_pointer_finding(change, file.path, reason) for change in changes]
    content = copy.deepcopy(dict(file.content))
    found = []
    for change in changes:
        reason = _remove(content, change) if change.removes else _set(content, change)
        if reason:
            found.append(_pointer_finding(change, file.path, reason))
    return content, found


def _pointer_finding(change: _Change, path: str, reason: str) -> Finding:
    verb = "removed" if change.removes else "set"
    return Finding(
        rule="patch-pointer",
        location=change.location,
        at_key=not change.removes,
        message=f"{quote(change.pointer)} cannot be {verb} in {quote(path)}: {reason}",
        help="'lockgate render' shows the file as it is without patches",
    )


def _set(content: dict[str, Any], change: _Change) -> str:
    """Why it cannot be done; empty where it is done."""
    *way, last = change.parts
    block: Any = content
    for depth, part in enumerate(way):
        if isinstance(block, dict):
            block = block.setdefault(part, {})
        elif reason := _wrong_step(block, part, change.parts[:depth]):
            return reason
        else:
            block = block[int(part)]
    value = copy.deepcopy(change.value)
    if isinstance(block, list) and last == "-":
        block.append(value)
    elif isinstance(block, dict):
        block[last] = value
    elif reason := _wrong_step(block, last, tuple(way)):
        return reason
    else:
        block[int(last)] = value
    return ""


def _remove(content: dict[str, Any], change: _Change) -> str:
    """Why it cannot be done; empty where it is done."""
    *way, last = change.parts
    block: Any = content
    for depth, part in enumerate(way):
        if reason := _wrong_step(block, part, change.parts[:depth]):
            return reason
        block = block[part] if isinstance(block, dict) else block[int(part)]
    if reason := _wrong_step(block, last, tuple(way)):
        return reason
    del block[last if isinstance(block, dict) else int(last)]
    return ""


def _wrong_step(block: object, part: str, way: Parts) -> str:
    where = "/" + "/".join(way) if way else "its top"
    if isinstance(block, dict):
        near = suggest(part, map(str, block))
        return "" if part in block else f"there is no {quote(part)} at {where}{near and f', {near}'}"
    if not isinstance(block, list):
        return f"{where} is {quote(block)}, neither a map nor a list"
    if not _is_index(part):
        return f"{where} is a list, and {quote(part)} is no index of one"
    return "" if int(part) < len(block) else f"the list at {where} has {len(block)} items, and none at {part}"


def _conflicts(path: str, changes: Sequence[_Change]) -> Iterator[Finding]:
    """What a patch does that undoes another's: which of the two holds would hang on their order."""
    done: list[_Change] = []
    for change in changes:
        for other in done:
            if other.patch != change.patch and _undoes(change, other):
                yield Finding(
                    rule="patch-conflict",
                    location=change.location,
                    at_key=not change.removes,
                    message=f"{quote(change.pointer)} of {quote(path)} is changed by the patch {other.patch!r}, too",
                    help="make them one patch, or let their targets be different files",
                )
        done.append(change)


def _undoes(later: _Change, earlier: _Change) -> bool:
    if later.parts[-1] == "-" or later.parts != earlier.parts[: len(later.parts)]:
        return False
    same = later.removes == earlier.removes and _canonical(later.value) == _canonical(earlier.value)
    return not (same and later.parts == earlier.parts)


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)
