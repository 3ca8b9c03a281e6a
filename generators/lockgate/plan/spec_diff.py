"""Two specs → the values that differ, by dotted path, as `lockgate explain` names them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lockgate.plan.merge import FieldChange
from lockgate.spec import Reading

_ABSENT = object()


def spec_changes(before: Reading, after: Reading) -> tuple[FieldChange, ...]:
    """What holds otherwise, in the order of the newer spec; a default that is now written out changes nothing.

    Where one side says nothing, its default stands in the change. Keys that start with `x-` are the user's.
    """
    if before.text == after.text:
        return ()
    found = _changes((before.written, before.filled), (after.written, after.filled), ())
    return tuple(found)


def value_at(document: Any, path: str) -> Any:  # noqa: ANN401 - any value of a spec
    """The value at a dotted path whose names hold no dots; None where there is none."""
    for step in path.split("."):
        document = document.get(step) if isinstance(document, Mapping) else None
    return document


def same(one: Any, other: Any) -> bool:  # noqa: ANN401 - any values of YAML
    """Whether YAML would write the same: `true` is not 1, but 1 is 1.0."""
    if type(one) is type(other) and not isinstance(one, Mapping | list):
        return bool(one == other)
    return one == other and _canonical(one) == _canonical(other)


def _changes(
    before: tuple[Any, Any], after: tuple[Any, Any], location: tuple[str, ...]
) -> Iterator[FieldChange]:
    """Each side is what is written at the location and what that is with defaults."""
    (written_before, filled_before), (written_after, filled_after) = before, after
    if isinstance(filled_before, Mapping) and isinstance(filled_after, Mapping):
        for key in dict.fromkeys((*_keys(written_after), *_keys(written_before))):
            if not key.startswith("x-"):
                yield from _changes(_below(before, key), _below(after, key), (*location, key))
        return
    old = filled_before if written_before is _ABSENT else written_before
    new = filled_after if written_after is _ABSENT else written_after
    old, new = (None if value is _ABSENT else value for value in (old, new))
    if not same(old, new):
        yield FieldChange(pointer=".".join(location), old=old, new=new)


def _keys(written: Any) -> Iterator[str]:  # noqa: ANN401 - any value of a spec
    if isinstance(written, Mapping):
        yield from written


def _below(side: tuple[Any, Any], key: str) -> tuple[Any, Any]:
    written, filled = (it.get(key, _ABSENT) if isinstance(it, Mapping) else _ABSENT for it in side)
    return written, filled


def _canonical(value: Any) -> str:  # noqa: ANN401 - any value of YAML
    return json.dumps(_plain(value), sort_keys=True, default=str)


def _plain(value: Any) -> Any:  # noqa: ANN401 - any value of YAML
    """Whole numbers as such, so that 1.0 is 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
