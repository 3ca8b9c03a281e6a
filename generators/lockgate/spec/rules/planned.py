"""Refuses the parts of the spec that have their place already and are not compiled yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lockgate.diagnostics import Finding
from lockgate.spec import schema


def check(_filled: Mapping[str, Any], written: Mapping[str, Any]) -> Iterator[Finding]:
    yield from _planned(written, schema.load_schema(), ())


def _planned(value: object, place: schema.Schema, location: tuple[str | int, ...]) -> Iterator[Finding]:
    if "x-planned" in place:
        yield Finding(
            rule="not-yet",
            location=location,
            at_key=True,
            message=f"this version of Lockgate does not do {place['x-planned']} yet",
            help=f"take {str(location[-1])!r} out, or keep it for later under a name that begins with 'x-'",
        )
        return
    items: Iterator[tuple[str | int, object]] = iter(())
    if isinstance(value, Mapping):
        items = iter(value.items())
    elif isinstance(value, list):
        items = iter(enumerate(value))
    for step, below in items:
        below_place = schema.child(place, step, value)
        if below_place is not None:
            yield from _planned(below, below_place, (*location, step))
