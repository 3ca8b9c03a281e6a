"""The spec, the registry and the pins' history → what waits to be released and to be promoted. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lockgate.registry import shelf
from lockgate.registry.form import record_block
from lockgate.registry.history import Event, was_live
from lockgate.registry.past import RecordError
from lockgate.registry.rejections import rejection_in_force
from lockgate.registry.requirements import unmet_requirements
from lockgate.registry.shelf import Files
from lockgate.registry.versions import order
from lockgate.spec.model import Environment, Spec
from lockgate.tuples import NamedTuple
from lockgate.yaml import YamlError


class Promotion(NamedTuple):
    """`old` is None where nothing is pinned yet; `is_automatic` is whether it merges itself."""

    model: str
    environment: str
    old: str | None
    new: str
    is_automatic: bool


def due_releases(locked: Mapping[str, str | None], files: Files) -> tuple[str, ...]:
    """The models whose locked artifact is not that of their newest record.

    `locked` maps a model to DVC's hash of its artifact; None where it was never made.
    """
    return tuple(model for model, found in locked.items() if found and found != _released_hash(model, files))


def due_promotions(spec: Spec, files: Files, changes: Sequence[Event], now: float) -> Iterator[Promotion]:
    """One for each model and environment at most: the newest version that may come there.

    What was live there before does not come back by itself: somebody took it away.
    """
    for environment in spec.environments.values():
        for model in environment.serve:
            old = spec.pins.get(environment.name, {}).get(model)
            new = _next(spec, environment, model, old, files, changes, now)
            if new is not None:
                yield Promotion(model, environment.name, old, new, environment.promote == "automatic")


def _next(
    spec: Spec,
    environment: Environment,
    model: str,
    old: str | None,
    files: Files,
    changes: Sequence[Event],
    now: float,
) -> str | None:
    for version in reversed(shelf.recorded(files).get(model, ())):
        if old is not None and order(version) <= order(old):
            return None
        if was_live(changes, environment.name, model, version):
            return None
        pinned = spec._replace(pins={environment.name: {model: version}})
        if _may_come(model, version, files) and not any(unmet_requirements(pinned, changes, now, whole=True)):
            return version
    return None


def _may_come(model: str, version: str, files: Files) -> bool:
    block = _block(model, version, files)
    return "image" in block and rejection_in_force(files, model, version) is None


def _released_hash(model: str, files: Files) -> str | None:
    version = shelf.newest(files, model)
    if version is None:
        return None
    hashes = _block(model, version, files).get("hashes")
    return str(hashes.get("model")) if isinstance(hashes, Mapping) else None


def _block(model: str, version: str, files: Files) -> Mapping[str, Any]:
    path = shelf.record_path(model, version)
    try:
        block = record_block(files[path])
    except YamlError as error:
        raise RecordError(path, error.message) from error
    if not isinstance(block, Mapping):
        raise RecordError(path, "it has to be a map")
    return block
