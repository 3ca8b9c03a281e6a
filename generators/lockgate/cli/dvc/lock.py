"""What a `dvc.lock` says: of each stage what it was run with, and DVC's hashes of what it read and wrote."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

from lockgate.yaml import YamlError
from lockgate.yaml.parse import read_text
from lockgate.yaml.values import read_values

_CHUNK_BYTES = 1 << 20

Inputs: TypeAlias = frozenset[tuple[str, str]]
"""What files were made of: pairs of what is named (a command, a parameter, a path) and its value or hash."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedStage:
    """`deps` and `outs` map paths to DVC's hashes; `command` and `params` are the text of what was locked."""

    command: str
    params: str
    deps: Mapping[str, str]
    outs: Mapping[str, str]


Lock: TypeAlias = Mapping[str, LockedStage]


def read_lock(root: Path, pipeline_directory: str) -> Lock:
    """The stages of a pipeline's lock by name; none where the file is missing or is not DVC's."""
    try:
        document = read_values(read_text((root / pipeline_directory / "dvc.lock").read_bytes()))
    except (OSError, YamlError):
        return {}
    stages = _mapping(_mapping(document).get("stages"))
    return {name: _stage(_mapping(block)) for name, block in stages.items()}


def hash_of(lock: Lock, path: str) -> str | None:
    """DVC's hash of a file or folder that a stage wrote."""
    return next((stage.outs[path] for stage in lock.values() if path in stage.outs), None)


def made_of(lock: Lock, path: str) -> Inputs:
    """All that the stages down to the one that wrote the path were run with, besides what they gave each other."""
    writers = {out: name for name, stage in lock.items() for out in stage.outs}
    found: set[tuple[str, str]] = set()
    seen: set[str] = set()
    waiting = [path]
    while waiting:
        current = waiting.pop()
        name = writers.get(current)
        if name is None or name in seen:
            continue
        seen.add(name)
        stage = lock[name]
        found |= {(f"{name} command", stage.command), (f"{name} params", stage.params)}
        found |= {(dep, md5) for dep, md5 in stage.deps.items() if dep not in writers}
        waiting += stage.deps
    return frozenset(found)


def hash_on_disk(path: Path) -> str | None:
    """The hash that DVC gives to the file or folder; None where there is none, or where it cannot be read."""
    try:
        return _folder_hash(path) if path.is_dir() else _file_hash(path)
    except OSError:
        return None


def _folder_hash(folder: Path) -> str:
    files = sorted((it for it in folder.rglob("*") if it.is_file()), key=lambda it: _inside(it, folder))
    entries = [{"md5": _file_hash(it), "relpath": _inside(it, folder)} for it in files]
    return f"{_md5(json.dumps(entries, sort_keys=True).encode()).hexdigest()}.dir"


def _inside(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _file_hash(path: Path) -> str:
    digest = _md5()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _md5(data: bytes = b"") -> hashlib._Hash:
    return hashlib.md5(data, usedforsecurity=False)


def _stage(block: Mapping[str, object]) -> LockedStage:
    return LockedStage(
        command=json.dumps(block.get("cmd"), sort_keys=True),
        params=json.dumps(block.get("params"), sort_keys=True),
        deps=_hashes(block.get("deps")),
        outs=_hashes(block.get("outs")),
    )


def _hashes(entries: object) -> dict[str, str]:
    listed = [_mapping(entry) for entry in entries] if isinstance(entries, list) else []
    return {str(entry.get("path")): str(entry.get("md5")) for entry in listed if "md5" in entry}


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}
