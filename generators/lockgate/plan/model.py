"""Decisions that two targets must agree on: names, stages, files, images. Pure data, no format of any target."""

from __future__ import annotations

from collections.abc import Mapping

from lockgate.spec.model import Model, Serve, Spec
from lockgate.tuples import NamedTuple


class Stage(NamedTuple):
    """One step of a model's pipeline; paths are relative to the repository's root, in the order they are shown.

    `params` are the dotted keys of `mlops.yaml` whose change makes the stage run again; only keys that the user wrote.
    `metrics` and `plots` are among the files that the stage writes, besides `outs`.
    """

    name: str
    command: tuple[str, ...]
    description: str
    deps: tuple[str, ...]
    params: tuple[str, ...]
    outs: tuple[str, ...]
    metrics: tuple[str, ...] = ()
    plots: tuple[str, ...] = ()


class Pipeline(NamedTuple):
    """A model's stages in an order in which they can run. `watch` are the paths whose change touches the model."""

    model: Model
    stages: tuple[Stage, ...]
    watch: tuple[str, ...]
    runner: str
    timeout_minutes: int

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def directory(self) -> str:
        return f"pipelines/{self.model.name}"


class Record(NamedTuple):
    """A released version, read from `registry/<model>/<version>.yaml`.

    `image` is a reference by digest. `metrics` are those of its release, by name.
    """

    model: str
    version: str
    image: str
    artifact_sha256: str
    metrics: Mapping[str, float]


class Service(NamedTuple):
    """A model in an environment. `release` is None while no version is pinned there."""

    model: Model
    environment: str
    namespace: str
    serve: Serve
    release: Record | None

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def directory(self) -> str:
        return f"manifests/{self.environment}/{self.model.name}"


class Plan(NamedTuple):
    """All that is to be made of a spec."""

    spec: Spec
    pipelines: tuple[Pipeline, ...]
    services: tuple[Service, ...]
