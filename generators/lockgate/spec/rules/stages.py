"""Rules about the user's own stages: where they stand in the pipeline, and what they may write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, TypeAlias, get_args

from lockgate.diagnostics import Finding
from lockgate.spec.model import BuiltInStage
from lockgate.spec.validate import quote

Block: TypeAlias = Mapping[str, Any]
Location: TypeAlias = tuple[str | int, ...]

_ORDER: tuple[str, ...] = get_args(BuiltInStage)
_NOT_FOR_OUTPUTS = ("pipelines", "manifests", "registry", "schema", ".git", ".github", ".dvc", ".lockgate")


def check(filled: Block, _written: Block) -> Iterator[Finding]:
    for name, model in filled["models"].items():
        for stage, block in model["stages"].items():
            yield from _stage(stage, block, ("models", name, "stages", stage))
    yield from _shared_outputs(filled)


def _stage(stage: str, block: Block, location: Location) -> Iterator[Finding]:
    if stage in _ORDER:
        yield Finding(
            rule="stage-taken",
            location=location,
            at_key=True,
            message=f"{stage!r} is the name of a built-in stage",
            help="give the stage another name",
        )
    yield from _order(block, location)
    for index, out in enumerate(block["outs"]):
        yield from _output(out, (*location, "outs", index))


def _order(block: Block, location: Location) -> Iterator[Finding]:
    before, after = block.get("before"), block.get("after")
    if before is None and after is None:
        yield Finding(
            rule="stage-order",
            location=location,
            at_key=True,
            message="the stage has no place in the pipeline",
            help="add 'before' or 'after' with the name of a built-in stage",
        )
    elif before is not None and after is not None and _ORDER.index(before) <= _ORDER.index(after):
        yield Finding(
            rule="stage-order",
            location=(*location, "before"),
            message=f"no stage can run after {after!r} and before {before!r}",
            help=f"the order is {' → '.join(_ORDER)}",
        )
    elif before is not None and not block["outs"]:
        yield Finding(
            rule="stage-order",
            location=(*location, "before"),
            message=f"{before!r} can only wait for a stage that writes something, and this one has no 'outs'",
            help="name what it writes in 'outs'",
        )


def _output(out: str, location: Location) -> Iterator[Finding]:
    parts = PurePosixPath(out).parts
    if not parts or parts[0] in _NOT_FOR_OUTPUTS or out.rstrip("/") in ("artifacts", "models"):
        yield Finding(
            rule="stage-output",
            location=location,
            message=f"{quote(out)} is not a place for outputs",
            help="write below 'artifacts/', for example 'artifacts/weather.parquet'",
        )


def _shared_outputs(filled: Block) -> Iterator[Finding]:
    """DVC refuses two stages that write the same path, or one the inside of the other's."""
    seen: dict[PurePosixPath, Location] = {
        PurePosixPath("artifacts", name): ("models", name) for name in filled["models"]
    }
    for location, out in _outputs(filled):
        path = PurePosixPath(out)
        other = next((it for it in seen if it == path or it in path.parents or path in it.parents), None)
        if other is not None:
            owner = ".".join(str(step) for step in seen[other])
            yield Finding(
                rule="stage-output",
                location=location,
                message=f"{quote(out)} overlaps with {str(other)!r}, which {owner} writes",
                help="give every stage paths of its own",
            )
        seen[path] = location


def _outputs(filled: Block) -> Iterator[tuple[Location, str]]:
    for name, model in filled["models"].items():
        for stage, block in model["stages"].items():
            for index, out in enumerate(block["outs"]):
                yield ("models", name, "stages", stage, "outs", index), out
