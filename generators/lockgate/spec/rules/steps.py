"""Rules about CI: the user's own steps hold no expressions, which is how scripts are injected; who pushes is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from lockgate.diagnostics import Finding

Block: TypeAlias = Mapping[str, Any]
Location: TypeAlias = tuple[str | int, ...]


def check(filled: Block, _written: Block) -> Iterator[Finding]:
    places: dict[Location, list[Block]] = {
        ("ci", "steps", place): filled["ci"]["steps"][place] for place in ("before", "after")
    }
    places[("delivery", "steps")] = filled.get("delivery", {}).get("steps", [])
    for place, steps in places.items():
        for index, step in enumerate(steps):
            yield from _kind(step, (*place, index))
            yield from _expressions(step, (*place, index))
    if filled["ci"]["commit_lock"] and "app" not in filled["ci"]:
        yield Finding(
            rule="commit-lock",
            location=("ci", "commit_lock"),
            at_key=True,
            message="CI cannot commit 'dvc.lock': what its own token pushes starts no checks",
            help="name a GitHub App in 'ci.app', or take 'commit_lock' out",
        )


def _kind(step: Block, location: Location) -> Iterator[Finding]:
    if ("run" in step) == ("uses" in step):
        found = "both 'run' and 'uses'" if "run" in step else "neither 'run' nor 'uses'"
        yield Finding(
            rule="step-kind",
            location=location,
            message=f"the step {step['name']!r} has {found}",
            help="a step either runs a script or uses an action",
        )
    elif step["with"] and "uses" not in step:
        yield Finding(
            rule="step-kind",
            location=(*location, "with"),
            at_key=True,
            message="'with' holds the inputs of an action, and this step runs a script",
            help="hand values to a script through 'env'",
        )


def _expressions(step: Block, location: Location) -> Iterator[Finding]:
    for path, text in _texts(step, location):
        if "${{" in text:
            yield Finding(
                rule="expression",
                location=path,
                message="a step of your own cannot hold a GitHub expression",
                help="read what GitHub sets from the environment, for example $GITHUB_SHA or $GITHUB_REF_NAME",
            )


def _texts(value: object, location: Location) -> Iterator[tuple[Location, str]]:
    if isinstance(value, str):
        yield location, value
    elif isinstance(value, Mapping):
        for key, below in value.items():
            yield from _texts(below, (*location, str(key)))
