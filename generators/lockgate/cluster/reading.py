"""Values at places of objects that somebody else wrote: of the type that is asked for, bounded, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from lockgate.cluster.errors import one_line

Document: TypeAlias = Mapping[str, Any]


def block(document: object, *path: str) -> Document:
    """The map that stands there; an empty one where there is none."""
    for key in path:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document if isinstance(document, Mapping) else {}


def blocks(document: object, *path: str) -> tuple[Document, ...]:
    """The maps of the list that stands there."""
    found = block(document, *path[:-1]).get(path[-1])
    return tuple(it for it in found if isinstance(it, Mapping)) if isinstance(found, list) else ()


def text(document: object, *path: str) -> str:
    """On one line, and bounded; empty where there is none."""
    found = block(document, *path[:-1]).get(path[-1])
    return one_line(found) if isinstance(found, str) else ""


def whole(document: object, *path: str) -> int | None:
    """A whole number, as one or as text, as some controllers write it."""
    found = block(document, *path[:-1]).get(path[-1])
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 19:
        return int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) else None
