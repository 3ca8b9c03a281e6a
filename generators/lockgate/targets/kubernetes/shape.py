"""Reading objects whose shape is not yet known to be right: what is not of the expected type reads as empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import NoneType
from typing import Any, TypeAlias, TypeGuard

Pointer: TypeAlias = tuple[str | int, ...]
"""Where in an object: keys and indexes from its root."""


# Asked for first, because abstract types are slow to ask for.
_NO_MAPS = (str, list, int, NoneType)


def as_map(value: object) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    return value if not isinstance(value, _NO_MAPS) and isinstance(value, Mapping) else {}


def maps(parent: Mapping[str, Any], key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The maps in the list under the key, with their indexes."""
    value = parent.get(key)
    for index, item in enumerate(value if isinstance(value, list) else []):
        if isinstance(item, (dict, Mapping)):
            yield index, item


def dig(value: object, *keys: str) -> object:
    """What lies under nested keys; None where there is nothing."""
    for key in keys:
        value = as_map(value).get(key)
        if value is None:
            return None
    return value


def is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def as_text(pointer: Pointer) -> str:
    """As a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in pointer)
