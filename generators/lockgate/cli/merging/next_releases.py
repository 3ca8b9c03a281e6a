"""Models that a change proves → their next versions and the promotions that follow, as the release workflow does it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lockgate.cli.dvc.lock import Lock, hash_of, read_lock
from lockgate.cli.releasing.recipe import made_by
from lockgate.contract import MODEL_DIRECTORY, SIGNATURE, Signature, artifact_path
from lockgate.plan import image
from lockgate.plan.merge import ModelEffect
from lockgate.plan.model import Pipeline, Plan
from lockgate.plan.promotion import NextPromotion, ReleaseEffect
from lockgate.registry import shelf
from lockgate.registry.due import due_releases
from lockgate.registry.past import RecordError, read_past
from lockgate.registry.shelf import Files
from lockgate.registry.versions import FIRST, Made, derived_bump, next_version
from lockgate.report.files import Files as Artifacts
from lockgate.tuples import NamedTuple

_PROVED = frozenset({"runs", "checked"})


class Locked(NamedTuple):
    """The model that a lock names: DVC's hash of it, and what it was made of; None where that is not known."""

    md5: str
    made: Made | None


class _Version(NamedTuple):
    version: str | None
    reason: str


def releases_after(
    root: Path, plan: Plan, models: Iterable[ModelEffect], candidates: Mapping[str, Locked]
) -> tuple[ReleaseEffect, ...]:
    """What becomes of each model that is proved. `candidates` are by name those that have been."""
    changes = {it.name: it.change for it in models if it.change in _PROVED}
    files = shelf.on_disk(root, changes) if changes else {}
    kept = {
        it.name: locked
        for it in plan.pipelines
        if changes.get(it.name) == "checked"
        and (locked := _locked(it, read_lock(root, it.directory), None)) is not None
    }
    known = {**kept, **candidates}
    return tuple(_release(plan, it, files, known.get(it.name)) for it in plan.pipelines if it.name in changes)


def proved_candidates(root: Path, plan: Plan, models: Iterable[ModelEffect]) -> dict[str, Locked]:
    """What the last run left of the models that are proved, where it left enough."""
    proved = {it.name for it in models if it.change in _PROVED}
    found = {it.name: _candidate(root, plan, it) for it in plan.pipelines if it.name in proved}
    return {name: locked for name, locked in found.items() if locked is not None}


def _candidate(root: Path, plan: Plan, pipeline: Pipeline) -> Locked | None:
    signature = Artifacts(root=root, model=pipeline.name).shaped(f"{MODEL_DIRECTORY}/{SIGNATURE}", Signature)
    if signature is None:
        return None
    lock = read_lock(root, pipeline.directory)
    return _locked(pipeline, lock, made_by(plan, pipeline, lock, signature))


def _locked(pipeline: Pipeline, lock: Lock, made: Made | None) -> Locked | None:
    md5 = hash_of(lock, artifact_path(pipeline.name, MODEL_DIRECTORY))
    return None if md5 is None else Locked(md5, made)


def _release(plan: Plan, pipeline: Pipeline, files: Files, locked: Locked | None) -> ReleaseEffect:
    name, newest = pipeline.name, shelf.newest(files, pipeline.name)
    is_served = any(service.name == name for service in plan.services)
    reference = image.repository(plan, name) if is_served and plan.spec.project.image_registry else None
    try:
        is_new = locked is None or bool(due_releases({name: locked.md5}, files))
        version = _version(pipeline, newest, files, locked)
    except RecordError as error:
        is_new, version = True, _Version(None, f"{error.path} cannot be read: {error.message}")
    if not is_new:
        version = _Version(newest, f"its artifact is that of {newest}: nothing is released")
    return ReleaseEffect(
        model=name,
        newest=newest,
        outcome="depends" if locked is None else "released" if is_new else "unchanged",
        version=version.version,
        reason=version.reason,
        image=reference,
        promotions=tuple(_promotions(plan, name)) if reference else (),
    )


def _version(pipeline: Pipeline, newest: str | None, files: Files, locked: Locked | None) -> _Version:
    """As `lockgate release` decides, without labels: they are on a pull request that nobody is asked about."""
    if newest is None:
        return _Version(FIRST, "the first release")
    said = pipeline.model.release.bump
    if said != "auto":
        return _Version(next_version(newest, said), f"{said}: the spec says so")
    if locked is None or locked.made is None:
        return _Version(None, "whether it is a major, minor or patch is told by the model that comes out")
    bump, reason = derived_bump(read_past(pipeline.name, newest, files).made, locked.made)
    return _Version(next_version(newest, bump), f"{bump}: {reason}")


def _promotions(plan: Plan, model: str) -> Iterator[NextPromotion]:
    for it in plan.spec.environments.values():
        if model in it.serve:
            yield NextPromotion(
                environment=it.name,
                promote=it.promote,
                reviewers=it.reviewers,
                requires=it.requires,
                soak_seconds=it.soak_seconds,
            )
