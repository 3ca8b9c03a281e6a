"""Two `dvc.lock` files of a pipeline → which of the data that it starts from changed. Hashes and sizes, no contents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

from lockgate.contract import INGEST
from lockgate.report.text import clean
from lockgate.yaml import YamlError
from lockgate.yaml.parse import read_text
from lockgate.yaml.values import read_values

_STAGE = "ingest"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tracked:
    """A file or folder as DVC knows it; `files` is None of a file."""

    md5: str
    size_bytes: int | None
    files: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackedChange:
    """What the first stage reads or writes, before and after; None where there was or is none."""

    path: str
    before: Tracked | None
    after: Tracked | None


_Entries: TypeAlias = Mapping[str, Tracked]


def tracked_changes(before: bytes, after: bytes) -> tuple[TrackedChange, ...]:
    """What differs, in the order of the later lock; nothing where either is not a lock."""
    old, new = _entries(before), _entries(after)
    if not old or not new:
        return ()
    return tuple(
        TrackedChange(path=clean(path), before=old.get(path), after=new.get(path))
        for path in {**new, **old}
        if old.get(path) != new.get(path)
    )


def _entries(lock: bytes) -> _Entries:
    try:
        document = read_values(read_text(lock))
    except YamlError:
        return {}
    stage = _mapping(_mapping(_mapping(document).get("stages")).get(_STAGE))
    listed = [_mapping(entry) for key in ("deps", "outs") for entry in _list(stage.get(key))]
    named = {str(entry["path"]): entry for entry in listed if "path" in entry and "md5" in entry}
    # The stage's summary changes with the data that it sums up.
    return {path: _tracked(entry) for path, entry in named.items() if not path.endswith(f"/{INGEST}")}


def _tracked(entry: Mapping[str, object]) -> Tracked:
    return Tracked(
        md5=clean(str(entry["md5"])), size_bytes=_count(entry.get("size")), files=_count(entry.get("nfiles"))
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 60 else None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}
