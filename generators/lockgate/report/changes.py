"""The project before and after, and the changed paths → what merging the change does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from posixpath import normpath
from typing import TypeAlias

from lockgate.contract import SPEC_FILE
from lockgate.plan.affected import SHARED_PATHS, affected, is_under
from lockgate.plan.merge import (
    Change,
    EnvironmentEffect,
    FieldChange,
    MergeEffects,
    ModelEffect,
    ObjectChange,
    PatchEffect,
    ServiceEffect,
    ShadowEffect,
    Side,
    StepEffect,
)
from lockgate.plan.model import Service
from lockgate.plan.rerun import Inputs, rerun
from lockgate.plan.spec_diff import same, spec_changes
from lockgate.report.semantic_diff import object_changes
from lockgate.spec.model import Patch
from lockgate.targets.patches import matches

_MANIFESTS = "manifests/"
# What Lockgate itself reads and writes besides what is generated.
_OURS = (SPEC_FILE, ".lockgate", "registry", *SHARED_PATHS)

_ByService: TypeAlias = Mapping[tuple[str, str], Sequence[ObjectChange]]
"""By environment and model; the model is empty for what all services of an environment share."""


def merge_effects(
    before: Side | None, after: Side, changed: Collection[str], notes: tuple[str, ...] = ()
) -> MergeEffects:
    """`changed` are paths from the project's root. Without a side before, all that the spec makes is new."""
    spec = spec_changes(before.reading, after.reading) if before else ()
    old_files = before.files if before else {}
    manifests = object_changes(old_files, after.files)
    paths = {**old_files, **after.files}
    different = sorted(path for path in paths if old_files.get(path) != after.files.get(path))
    by_service = _by_service(manifests)
    return MergeEffects(
        models=(*_models(before, after, spec, changed, by_service), *_removed_models(before, after)),
        spec=spec,
        manifests=manifests,
        environments=tuple(_environments(before, after, by_service)),
        patches=tuple(_patches(before, after)),
        other_files=tuple(path for path in different if not path.startswith(_MANIFESTS)),
        idle_files=tuple(_idle(before, after, changed)),
        notes=(*notes, *_moves(before, after)),
    )


def _by_service(manifests: Sequence[ObjectChange]) -> _ByService:
    grouped = defaultdict[tuple[str, str], list[ObjectChange]](list)
    for change in manifests:
        folders = change.path.removeprefix(_MANIFESTS).split("/")[:-1]
        grouped[change.environment, folders[1] if len(folders) > 1 else ""].append(change)
    return grouped


def _models(
    before: Side | None,
    after: Side,
    spec: Sequence[FieldChange],
    changed: Collection[str],
    by_service: _ByService,
) -> Iterator[ModelEffect]:
    touched = affected(after.plan, before.plan.spec if before else None, changed)
    reasons = {it.pipeline.name: it.reasons for it in touched}
    known = {it.name: it for it in before.plan.pipelines} if before else {}
    served = {model for _, model in by_service}
    inputs = Inputs(
        before=before.reading.written if before else {},
        after=after.reading.written,
        differing=[change.pointer for change in spec],
        changed=changed,
    )
    for pipeline in after.plan.pipelines:
        name = pipeline.name
        if name in reasons:
            stages = rerun(known.get(name), pipeline, inputs)
            yield ModelEffect(
                name=name, change="runs" if stages else "checked", stages=stages, reasons=reasons[name]
            )
        elif name in served:
            yield ModelEffect(name=name, change="served", stages=(), reasons=())


def _removed_models(before: Side | None, after: Side) -> Iterator[ModelEffect]:
    for name in before.plan.spec.models if before else ():
        if name not in after.plan.spec.models:
            reason = f"{SPEC_FILE}: models.{name} is taken out"
            yield ModelEffect(name=name, change="removed", stages=(), reasons=(reason,))


def _environments(before: Side | None, after: Side, by_service: _ByService) -> Iterator[EnvironmentEffect]:
    old = before.plan.spec.environments if before else {}
    new = after.plan.spec.environments
    services = [_services_of(side) for side in (before, after)]
    touched = {environment for environment, _ in by_service}
    for name in (name for name in {**new, **old} if name in touched):
        yield EnvironmentEffect(
            name=name,
            change=_change(name, old, new),
            namespace=(new.get(name) or old[name]).namespace,
            services=tuple(
                _service(services[0].get(place), services[1].get(place), by_service[place])
                for place in dict.fromkeys((*services[1], *services[0]))
                if place[0] == name and place in by_service
            ),
        )


def _moves(before: Side | None, after: Side) -> Iterator[str]:
    """A namespace is part of what an object is: in another one it is a new object, which no rollout leads to."""
    for name, environment in (before.plan.spec.environments if before else {}).items():
        later = after.plan.spec.environments.get(name)
        if later is not None and later.namespace != environment.namespace:
            yield (
                f"{name} moves from namespace {environment.namespace} to {later.namespace}: all of it is made anew "
                "there, without a rollout, and whoever applies the manifests has to remove what was"
            )


def _services_of(side: Side | None) -> dict[tuple[str, str], Service]:
    return {(it.environment, it.name): it for it in side.plan.services} if side else {}


def _change(key: str, old: Collection[str], new: Collection[str]) -> Change:
    if key not in old:
        return "added"
    return "changed" if key in new else "removed"


def _service(old: Service | None, new: Service | None, changes: Sequence[ObjectChange]) -> ServiceEffect:
    present = new or old
    assert present is not None, "the service stands in one of the plans"
    released = new.release if new else None
    rollout = present.serve.rollout
    return ServiceEffect(
        model=present.name,
        change="added" if old is None else "changed" if new else "removed",
        old_version=old.release.version if old and old.release else None,
        new_version=released.version if released else None,
        image=released.image if released else None,
        rolls_out=any(map(_replaces_pods, changes)),
        strategy=rollout.strategy,
        steps=tuple(StepEffect(**step._asdict()) for step in rollout.steps),
        shadow=None if rollout.shadow is None else ShadowEffect(**rollout.shadow._asdict()),
        test_seconds=rollout.test_seconds,
    )


def _replaces_pods(change: ObjectChange) -> bool:
    """Pods are replaced when their template changes, whatever runs them from it."""
    if change.kind != "Deployment" or change.change == "removed":
        return False
    places = ("/spec/template", "/spec/selector", "/metadata/namespace")
    return change.change == "added" or any(it.pointer.startswith(places) for it in change.fields)


def _patches(before: Side | None, after: Side) -> Iterator[PatchEffect]:
    old = {patch.name: patch for patch in before.plan.spec.patches} if before else {}
    new = {patch.name: patch for patch in after.plan.spec.patches}
    for name, patch in {**old, **new}.items():
        is_as_before = name in old and name in new and same(_content(old[name]), _content(patch))
        yield PatchEffect(
            name=name,
            target=patch.target,
            reason=patch.reason,
            files=tuple(path for path in after.files if name in new and matches(patch.target, path)),
            change=None if is_as_before else _change(name, old, new),
        )


def _content(patch: Patch) -> list[object]:
    return [patch.target, patch.reason, dict(patch.set), list(patch.remove)]


def _idle(before: Side | None, after: Side, changed: Collection[str]) -> Iterator[str]:
    sides = [side for side in (before, after) if side]
    made = {path for side in sides for path in side.files}
    watched = {path for side in sides for pipeline in side.plan.pipelines for path in pipeline.watch}
    read = [normpath(path) for path in (*_OURS, *sorted(watched))]
    for path in sorted(changed):
        if path not in made and not any(is_under(path, folder) for folder in read):
            yield path
