"""Which version comes next: what was released and what would be → major, minor or patch, and why. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, TypeAlias

from lockgate.tuples import NamedTuple

Bump: TypeAlias = Literal["major", "minor", "patch"]

FIRST = "1.0.0"
_VERSION = re.compile(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})")
_LABEL = re.compile(r"release:(major|minor|patch)")
_BUMPS: tuple[Bump, ...] = ("major", "minor", "patch")


class Input(NamedTuple):
    """One feature as callers see it; `low` and `high` bound what is accepted."""

    type: str
    nullable: bool
    low: float | None
    high: float | None


class Made(NamedTuple):
    """What decides the next version.

    `outputs` is what answers mean (kind, target, classes). `recipe_sha256` is over all that the artifact was made of
    besides the data, its window and the locked requirements.
    """

    inputs: Mapping[str, Input]
    outputs: Mapping[str, object]
    recipe_sha256: str


def is_version(text: str) -> bool:
    """Whether it has the form MAJOR.MINOR.PATCH."""
    return _VERSION.fullmatch(text) is not None


def order(version: str) -> tuple[int, ...]:
    """What versions are sorted by."""
    return tuple(int(part) for part in version.split("."))


def next_version(newest: str | None, bump: Bump) -> str:
    """The version that follows; the first is 1.0.0 whatever the bump."""
    if newest is None:
        return FIRST
    major, minor, patch = order(newest)
    if bump == "major":
        return f"{major + 1}.0.0"
    return f"{major}.{minor + 1}.0" if bump == "minor" else f"{major}.{minor}.{patch + 1}"


def derived_bump(before: Made | None, after: Made) -> tuple[Bump, str]:
    """What the change is worth, and why in a clause."""
    if before is None:
        return "major", "the first release"
    broken = next(_broken(before, after), None)
    if broken is not None:
        return "major", f"callers may have to change: {broken}"
    if before.recipe_sha256 == after.recipe_sha256:
        return "patch", "only the data or the locked requirements moved"
    return "minor", "the code or the settings that the model is made of changed"


def labelled_bump(labels: Iterable[str]) -> Bump | None:
    """What labels such as `release:minor` ask for: of several the greatest; None where none does."""
    asked = {found[1] for label in labels if (found := _LABEL.fullmatch(label))}
    return next((bump for bump in _BUMPS if bump in asked), None)


def _broken(before: Made, after: Made) -> Iterator[str]:
    """What a caller of the old version could see of the new one, if it is a break."""
    for name in sorted({*before.inputs, *after.inputs}):
        old, new = before.inputs.get(name), after.inputs.get(name)
        if new is None:
            yield f"the input '{name}' is gone"
        elif old is None and not new.nullable:
            yield f"the input '{name}' is new and must be sent"
        elif old is not None:
            yield from _narrowed(name, old, new)
    for key in sorted({*before.outputs, *after.outputs}):
        if before.outputs.get(key) != after.outputs.get(key):
            yield f"the outputs' '{key}' is another"


def _narrowed(name: str, old: Input, new: Input) -> Iterator[str]:
    if old.type != new.type and (old.type, new.type) != ("integer", "number"):
        yield f"the input '{name}' was {old.type} and is {new.type}"
    if old.nullable and not new.nullable:
        yield f"the input '{name}' may not be missing any more"
    if new.low is not None and (old.low is None or new.low > old.low):
        yield f"the input '{name}' may not be below {new.low:g} any more"
    if new.high is not None and (old.high is None or new.high < old.high):
        yield f"the input '{name}' may not be above {new.high:g} any more"
