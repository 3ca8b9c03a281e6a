"""Where a value of the spec comes from, what it overrides, and what the schema says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from lockgate.spec import schema
from lockgate.spec.build import served_in
from lockgate.spec.read import Reading, line_of
from lockgate.spec.validate import suggest

Location: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """A value and who says it: a line of the spec, or the schema's default."""

    value: Any
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """What holds at a path. `overrides` are the values that lost against it, strongest first.

    `origin` is None where the spec says nothing there and the schema has no default.
    """

    path: str
    origin: Origin | None
    overrides: tuple[Origin, ...]
    description: str
    examples: tuple[Any, ...]


class NoSuchPathError(Exception):
    """The path names nothing that a spec could hold; `hint` is the nearest that it could."""

    def __init__(self, path: str, hint: str) -> None:
        super().__init__(f"the spec has no place {path!r}")
        self.hint = hint


def explain(reading: Reading, path: str = "", environment: str | None = None) -> tuple[Explanation, ...]:
    """What holds at the dotted path and at every value below it, in an environment where one is named.

    The reading has to be of a valid spec. Raises NoSuchPathError.
    """
    if environment is not None and environment not in reading.filled["environments"]:
        raise NoSuchPathError(
            f"environments.{environment}", suggest(environment, reading.filled["environments"])
        )
    location = _location(reading, path)
    return tuple(_explanation(reading, leaf, environment) for leaf in _leaves(reading, location, environment))


def _location(reading: Reading, path: str) -> Location:
    """The path's steps; names may hold dots, so the longest name that fits is taken."""
    location: Location = ()
    rest = path.split(".") if path else []
    while rest:
        step, rest = _step(_value(reading.filled, location), rest)
        location = (*location, step)
        if _value(reading.filled, location) is None and (schema.at(location) is None or _is_thing(location)):
            raise NoSuchPathError(path, suggest(str(step), _known(reading, location[:-1])))
    return location


def _is_thing(location: Location) -> bool:
    """A model or an environment: there is nothing to say of one that is not in the spec."""
    return len(location) == 2 and location[0] in {"models", "environments"}


def _step(value: object, rest: list[str]) -> tuple[str | int, list[str]]:
    if isinstance(value, list) and rest[0].isdecimal():
        return int(rest[0]), rest[1:]
    for length in range(len(rest), 0, -1):
        name = ".".join(rest[:length])
        if isinstance(value, Mapping) and name in value:
            return name, rest[length:]
    return rest[0], rest[1:]


def _known(reading: Reading, location: Location) -> list[str]:
    value, place = _value(reading.filled, location), schema.at(location)
    named = list(value) if isinstance(value, Mapping) else []
    return [*named, *(place or {}).get("properties", {})]


def _leaves(reading: Reading, location: Location, environment: str | None) -> Iterator[Location]:
    value = _effective(reading, location, environment)
    if isinstance(value, Mapping) and value:
        for key in value:
            yield from _leaves(reading, (*location, key), environment)
    else:
        yield location


def _effective(reading: Reading, location: Location, environment: str | None) -> Any:  # noqa: ANN401 - any value
    """The value at a location; of a served model's block, the one that holds in the environment."""
    if environment is not None and _is_served(location):
        block = reading.filled["environments"][environment]
        return _value(served_in(block, str(location[1]), reading.written), location[3:])
    return _value(reading.filled, location)


def _is_served(location: Location) -> bool:
    return len(location) >= 3 and location[0] == "models" and location[2] == "serve"


def _explanation(reading: Reading, location: Location, environment: str | None) -> Explanation:
    place = schema.at(location) or {}
    origins = list(_origins(reading, location, environment, place))
    return Explanation(
        path=".".join(str(step) for step in location),
        origin=origins[0] if origins else None,
        overrides=tuple(origins[1:]),
        description=place.get("description", "A value of your own."),
        examples=tuple(place.get("examples", ())),
    )


def _origins(
    reading: Reading, location: Location, environment: str | None, place: schema.Schema
) -> Iterator[Origin]:
    """Who says something about the location, strongest first."""
    if environment is not None and _is_served(location):
        yield from _written(reading, ("environments", environment, "models", *location[1:]))
    yield from _written(reading, location)
    if "default" in place:
        yield Origin(value=place["default"], source="default")


def _written(reading: Reading, location: Location) -> Iterator[Origin]:
    line = line_of(reading, location)
    if line is not None:
        yield Origin(value=_value(reading.written, location), source=f"{reading.file}:{line}")


def _value(document: Any, location: Location) -> Any:  # noqa: ANN401 - any value of a spec
    for step in location:
        is_there = isinstance(document, Mapping) and step in document
        if isinstance(document, list):
            is_there = isinstance(step, int) and step < len(document)
        if not is_there:
            return None
        document = document[step]
    return document
