"""Refuses the parts of the spec that have their place already and are not compiled yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

from lockgate.diagnostics import Finding
from lockgate.spec import schema

Location: TypeAlias = tuple[str | int, ...]


def check(_filled: Mapping[str, Any], written: Mapping[str, Any]) -> Iterator[Finding]:
    if _has_any(written, _planned_names()):
        yield from _planned(written, ())


def _has_any(value: Mapping[str, Any] | list[Any], names: frozenset[str | int]) -> bool:
    """Whether one of the keys stands anywhere, which is much sooner said than where."""
    if isinstance(value, list):
        return any(_has_any(it, names) for it in value if isinstance(it, (dict, list)))
    return not names.isdisjoint(value) or any(
        _has_any(it, names) for it in value.values() if isinstance(it, (dict, list))
    )


def _planned(value: Mapping[str, Any] | list[Any], location: Location) -> Iterator[Finding]:
    names = _planned_names()
    for step, below in value.items() if isinstance(value, Mapping) else enumerate(value):
        place = schema.at((*location, step)) if step in names else None
        if place is not None and "x-planned" in place:
            yield _not_yet((*location, step), place["x-planned"])
        elif isinstance(below, (dict, list)):
            yield from _planned(below, (*location, step))


@cache
def _planned_names() -> frozenset[str | int]:
    """The keys that are planned somewhere: whether one is at its place, only the schema's path tells."""
    names: set[str | int] = set()
    unread: list[Any] = [schema.load_schema()]
    while unread:
        block = unread.pop()
        if isinstance(block, list):
            unread += block
        elif isinstance(block, dict):
            names.update(_planned_properties(block.get("properties", {})))
            unread += block.values()
    return frozenset(names)


def _planned_properties(properties: Mapping[str, Any]) -> Iterator[str]:
    for name, place in properties.items():
        if isinstance(place, dict) and "x-planned" in schema.resolve(place):
            yield name


def _not_yet(location: Location, planned: str) -> Finding:
    return Finding(
        rule="not-yet",
        location=location,
        at_key=True,
        message=f"this version of Lockgate does not do {planned} yet",
        help=f"take {str(location[-1])!r} out, or keep it for later under a name that begins with 'x-'",
    )
