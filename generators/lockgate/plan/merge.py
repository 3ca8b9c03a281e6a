"""What merging a change does: the base's and the head's spec and plan in, effects out. Reads nothing, runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from lockgate.plan.model import Plan
from lockgate.plan.promotion import PromotionEffect, ReleaseEffect
from lockgate.spec import Reading
from lockgate.spec.model import Strategy

Change: TypeAlias = Literal["added", "removed", "changed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """The project before or after: its spec as written, what it means, and the text of every file it makes, by path."""

    reading: Reading
    plan: Plan
    files: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldChange:
    """A value before and after; None where there was or will be none.

    `pointer` is a JSON pointer into an object, or a dotted path into the spec. An item of a list that has a name stands
    in it as `containers[name=server]`.
    """

    pointer: str
    old: Any
    new: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectChange:
    """A Kubernetes object that merging adds, removes or changes. `fields` is empty unless it is changed.

    `path` is of the file that holds it, of a removed object the file that held it.
    """

    path: str
    kind: str
    name: str
    environment: str
    change: Change
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelEffect:
    """A model that the change touches.

    `change` is `runs` where stages of its pipeline run again, `checked` where its pipeline is proved again but every
    stage is kept, `served` where only what serves it changes and nothing is trained, and `removed`.
    `stages` are those that run again, with why; one that only reads what another writes is skipped after all if that
    comes out the same. `reasons` are changed paths and keys of the spec, empty if `served`.
    """

    name: str
    change: Literal["runs", "checked", "served", "removed"]
    stages: tuple[tuple[str, str], ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class StepEffect:
    """A canary's step: the new version's share, and how long it is kept."""

    weight_percent: int
    pause_seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ShadowEffect:
    """The share of requests that the new version gets copies of, and how long."""

    percent: int
    seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceEffect:
    """A service whose objects change. Versions are None where none is pinned; `image` is the new version's.

    `rolls_out` is whether its pods are replaced, by `strategy` and, for a canary, in `steps`. Before these a cautious
    one has its `shadow`, None where it has none, and its test by header.
    """

    model: str
    change: Change
    old_version: str | None
    new_version: str | None
    image: str | None
    rolls_out: bool
    strategy: Strategy
    steps: tuple[StepEffect, ...]
    shadow: ShadowEffect | None = None
    test_seconds: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentEffect:
    """An environment in which objects change; `services` are those of which some do."""

    name: str
    change: Change
    namespace: str
    services: tuple[ServiceEffect, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PatchEffect:
    """A patch in force or taken out. `files` are the generated files that it changes; `change` is None if as before."""

    name: str
    target: str
    reason: str
    files: tuple[str, ...]
    change: Change | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MergeEffects:
    """All that merging does. Every part is empty where nothing changes there, except `patches`, which are all in force.

    `other_files` are generated files besides manifests that change. `idle_files` are changed files that nothing here
    reads, such as documentation. `notes` are sentences on what could not be compared as it should be. `promotions` are
    pins that move, `releases` what becomes of models whose pipelines are proved.
    """

    models: tuple[ModelEffect, ...]
    spec: tuple[FieldChange, ...]
    manifests: tuple[ObjectChange, ...]
    environments: tuple[EnvironmentEffect, ...]
    patches: tuple[PatchEffect, ...]
    other_files: tuple[str, ...]
    idle_files: tuple[str, ...]
    notes: tuple[str, ...]
    promotions: tuple[PromotionEffect, ...] = ()
    releases: tuple[ReleaseEffect, ...] = ()
