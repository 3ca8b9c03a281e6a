"""The part of dvc.yaml that is generated, as DVC's own schema has it."""

from __future__ import annotations

from typing import NotRequired, TypeAlias, TypedDict


class PlotProperties(TypedDict):
    x: str
    y: str
    title: str


Plot: TypeAlias = str | dict[str, PlotProperties]


class DvcStage(TypedDict):
    """Paths are relative to `wdir`, which is relative to the file. `cmd` as a list is a list of commands."""

    desc: str
    cmd: str | list[str]
    wdir: str
    deps: NotRequired[list[str]]
    params: NotRequired[list[dict[str, list[str]]]]
    outs: NotRequired[list[str]]
    metrics: NotRequired[list[str]]
    plots: NotRequired[list[Plot]]


class Artifact(TypedDict):
    """`path` is relative to the file."""

    path: str
    type: str
    desc: NotRequired[str]
    labels: list[str]


class DvcFile(TypedDict):
    stages: dict[str, DvcStage]
    artifacts: NotRequired[dict[str, Artifact]]
