"""Which models a change touches: the base's spec, the head's plan and the changed paths in; reasons out."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from posixpath import normpath

from lockgate.contract import SPEC_FILE
from lockgate.plan.model import Pipeline, Plan
from lockgate.spec.model import Model, Spec
from lockgate.tuples import NamedTuple

NOT_IN_PIPELINES = frozenset({"image", "release", "serve", "monitor", "retrain"})
"""Keys of a model that no stage reads: what they change is seen in manifests."""

SHARED_PATHS = (".dvc/config", ".dvcignore")
"""Files that every pipeline reads: where the data lies, and what of a folder counts."""


class Affected(NamedTuple):
    """A model that has to prove itself again; `reasons` are changed paths and keys, at least one."""

    pipeline: Pipeline
    reasons: tuple[str, ...]


def affected(plan: Plan, base: Spec | None, changed: Collection[str]) -> tuple[Affected, ...]:
    """The models that the change touches, in the spec's order.

    `changed` are paths from the project's root. `base` is None where there was no usable spec: then all models are.
    """
    found = ((pipeline, tuple(_reasons(plan, pipeline, base, changed))) for pipeline in plan.pipelines)
    return tuple(Affected(pipeline=pipeline, reasons=reasons) for pipeline, reasons in found if reasons)


def _reasons(plan: Plan, pipeline: Pipeline, base: Spec | None, changed: Collection[str]) -> Iterator[str]:
    if base is None:
        yield f"the base has no {SPEC_FILE} that can be read"
        return
    yield from (f"{SPEC_FILE}: {key}" for key in _project_keys(base, plan.spec))
    before = base.models.get(pipeline.name)
    if before is None:
        yield f"{SPEC_FILE}: models.{pipeline.name} is new"
    else:
        yield from (
            f"{SPEC_FILE}: models.{pipeline.name}.{key}" for key in _model_keys(before, pipeline.model)
        )
    watched = tuple(normpath(path) for path in (*pipeline.watch, *SHARED_PATHS))
    yield from sorted(path for path in changed if any(is_under(path, folder) for folder in watched))


def _project_keys(before: Spec, after: Spec) -> Iterator[str]:
    """What holds for the pipelines of all models alike."""
    for key in ("requirements", "python", "data_remote"):
        if getattr(before.project, key) != getattr(after.project, key):
            yield f"project.{key}"
    if before.ci != after.ci:
        yield "ci"


def _model_keys(before: Model, after: Model) -> Iterator[str]:
    for key in sorted({*before.written, *after.written} - NOT_IN_PIPELINES):
        if not key.startswith("x-") and before.written.get(key) != after.written.get(key):
            yield key


def is_under(path: str, folder: str) -> bool:
    """Whether the path is that folder or file, or lies in it; "." holds all."""
    return folder in {".", path} or path.startswith(f"{folder}/")
