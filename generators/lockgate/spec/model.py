"""The spec as typed, immutable data with every default filled in. What it means for a target is decided elsewhere.

The small blocks are named tuples: each start defines all classes, and a frozen dataclass takes four times as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, NamedTuple, TypeAlias

Task: TypeAlias = Literal["classification", "regression"]
Strategy: TypeAlias = Literal["rolling", "canary", "blue-green"]
OnFail: TypeAlias = Literal["block", "warn", "observe"]
BuiltInStage: TypeAlias = Literal[
    "ingest", "validate", "split", "train", "evaluate", "export", "scan", "gate"
]
FairnessMetric: TypeAlias = Literal[
    "selection_rate", "recall", "precision", "false_positive_rate", "accuracy", "mae", "mean_error"
]
Value: TypeAlias = str | int | float | bool
"""One scalar of the user's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    repository: str
    description: str | None
    branch: str
    image_registry: str | None
    data_remote: str
    requirements: str
    python: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    type: Literal["number", "integer", "category", "boolean"]
    min: float | None
    max: float | None
    values: tuple[Value, ...] | None
    nullable: bool
    description: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Data:
    """`train_days` and `holdout_days` are None where the spec gives no window; then `holdout_share` counts."""

    source: str
    as_of: date | None
    train_days: int | None
    holdout_days: int | None
    holdout_share: float | None
    split: Literal["time", "group", "random"]
    target: str
    time: str | None
    group: str | None
    columns: Mapping[str, Column] | None
    deps: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Train:
    estimator: str
    params: Mapping[str, Any]
    seed: int


class CustomMetric(NamedTuple):
    function: str
    better: Literal["higher", "lower"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fairness:
    """The greatest difference of the metric between two groups of the column that holds the gate."""

    column: str
    metric: FairnessMetric
    max_difference: float
    on_fail: OnFail


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluate:
    """`worst_slices` is how many to show at most; None where none are looked for."""

    positive: Value | None
    threshold: float
    slices: tuple[str, ...]
    metrics: Mapping[str, CustomMetric]
    bootstrap_samples: int
    bootstrap_confidence: float
    worst_slices: int | None
    fairness: Mapping[str, Fairness]


@dataclass(frozen=True, kw_only=True, slots=True)
class Compare:
    """`environment` is where the champion is pinned; it need not exist."""

    environment: str
    confidence: float
    on_unknown: OnFail


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    format: Literal["auto", "onnx", "skops"]
    tolerance: float
    max_disagreement: float
    trusted: tuple[str, ...]


class Gate(NamedTuple):
    """Limits in the metric's own unit: seconds for latencies, bytes for sizes."""

    min: float | None
    max: float | None
    max_drop: float | None
    on_fail: OnFail


class CustomStage(NamedTuple):
    command: tuple[str, ...]
    before: BuiltInStage | None
    after: BuiltInStage | None
    deps: tuple[str, ...]
    outs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    intended_use: str | None
    limitations: str | None
    ethics: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RolloutStep:
    weight_percent: int
    pause_seconds: int


class Rollout(NamedTuple):
    """`steps` is empty where the strategy is not canary."""

    strategy: Strategy
    steps: tuple[RolloutStep, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Serve:
    replicas_min: int
    replicas_max: int
    target_cpu_percent: int
    cpu: str
    cpu_limit: str
    memory: str
    clients: tuple[str, ...]
    rollout: Rollout
    pod: Mapping[str, Any]


class Job(NamedTuple):
    runner: str | None
    timeout_minutes: int | None
    prove: Literal["rebuild", "reuse"]
    on_difference: Literal["warn", "block"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """`written` holds the model's block as the user wrote it, without defaults: pipelines depend on its keys."""

    name: str
    owner: str
    description: str | None
    task: Task
    requirements: str | None
    code: tuple[str, ...] | None
    data: Data
    train: Train
    evaluate: Evaluate
    compare: Compare
    export: Export
    gates: Mapping[str, Gate]
    stages: Mapping[str, CustomStage]
    card: Card
    job: Job
    serve: Serve | None
    written: Mapping[str, Any]


class Environment(NamedTuple):
    """`serve` holds, by model, what is served here: the model's block with this environment's changes laid over."""

    name: str
    namespace: str
    serve: Mapping[str, Serve]


class Step(NamedTuple):
    """A GitHub Actions step of the user's own; `run` or `uses` is None."""

    name: str
    run: str | None
    uses: str | None
    inputs: Mapping[str, Value]
    env: Mapping[str, Value]


class Ci(NamedTuple):
    """`updates` is how often Dependabot looks for newer versions; None where it is not asked to."""

    runner: str
    timeout_minutes: int
    updates: Literal["daily", "weekly", "monthly"] | None
    steps_before: tuple[Step, ...]
    steps_after: tuple[Step, ...]


class Patch(NamedTuple):
    name: str
    target: str
    reason: str
    set: Mapping[str, Any]
    remove: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Spec:
    """`pins` maps environment to model to the version that is live there."""

    project: Project
    models: Mapping[str, Model]
    environments: Mapping[str, Environment]
    pins: Mapping[str, Mapping[str, str]]
    ci: Ci
    patches: tuple[Patch, ...]
