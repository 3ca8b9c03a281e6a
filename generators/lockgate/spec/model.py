"""The spec as typed, immutable data with every default filled in. What it means for a target is decided elsewhere.

Named tuples, not frozen dataclasses: each start defines all classes, which takes those four times as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from lockgate.tuples import NamedTuple

Task: TypeAlias = Literal["classification", "regression"]
Strategy: TypeAlias = Literal["rolling", "canary", "cautious", "blue-green"]
Bump: TypeAlias = Literal["auto", "major", "minor", "patch"]
OnFail: TypeAlias = Literal["block", "warn", "observe"]
BuiltInStage: TypeAlias = Literal[
    "ingest", "validate", "split", "train", "evaluate", "export", "scan", "gate"
]
FairnessMetric: TypeAlias = Literal[
    "selection_rate", "recall", "precision", "false_positive_rate", "accuracy", "mae", "mean_error"
]
Value: TypeAlias = str | int | float | bool
"""One scalar of the user's."""


class Project(NamedTuple):
    repository: str
    description: str | None
    branch: str
    image_registry: str | None
    data_remote: str
    requirements: str
    python: str
    prometheus: str


class Column(NamedTuple):
    type: Literal["number", "integer", "category", "boolean"]
    min: float | None
    max: float | None
    values: tuple[Value, ...] | None
    nullable: bool
    description: str | None


class Data(NamedTuple):
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


class Train(NamedTuple):
    estimator: str
    params: Mapping[str, Any]
    seed: int


class CustomMetric(NamedTuple):
    function: str
    better: Literal["higher", "lower"]


class Fairness(NamedTuple):
    """The greatest difference of the metric between two groups of the column that holds the gate."""

    column: str
    metric: FairnessMetric
    max_difference: float
    on_fail: OnFail


class Evaluate(NamedTuple):
    """`worst_slices` is how many to show at most; None where none are looked for."""

    positive: Value | None
    threshold: float
    slices: tuple[str, ...]
    metrics: Mapping[str, CustomMetric]
    bootstrap_samples: int
    bootstrap_confidence: float
    worst_slices: int | None
    fairness: Mapping[str, Fairness]


class Compare(NamedTuple):
    """`environment` is where the champion is pinned; it need not exist."""

    environment: str
    confidence: float
    on_unknown: OnFail


class Export(NamedTuple):
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


class Card(NamedTuple):
    intended_use: str | None
    limitations: str | None
    ethics: str | None


class RolloutStep(NamedTuple):
    weight_percent: int
    pause_seconds: int


class Query(NamedTuple):
    """A PromQL query of the user's own; at least one of the limits is there."""

    query: str
    min: float | None
    max: float | None
    reason: str


class PsiLimit(NamedTuple):
    """The greatest distance of the new version's predictions from the old one's, once there are so many of them."""

    max: float
    min_samples: int


class Analysis(NamedTuple):
    """What a rollout is held to, with what follows from the SLO filled in. What is None is not measured."""

    success_rate_min_percent: Decimal | None
    latency_p99_max_seconds: float | None
    prediction_psi: PsiLimit | None
    queries: Mapping[str, Query]


class Shadow(NamedTuple):
    """Copies of so many requests, whose answers nobody gets."""

    seconds: int
    percent: int


class Rollout(NamedTuple):
    """`steps` is empty where the strategy has none. `analysis` is None where time alone decides.

    For `test_seconds` a cautious rollout lets only requests with the header reach the new version; before that comes
    its `shadow`, if it has one.
    """

    strategy: Strategy
    steps: tuple[RolloutStep, ...]
    test_seconds: int = 0
    analysis: Analysis | None = None
    shadow: Shadow | None = None


class Slo(NamedTuple):
    """`latency_p99_seconds` is None where no latency is promised."""

    availability_percent: Decimal
    latency_p99_seconds: float | None
    min_requests_per_second: float


class Limits(NamedTuple):
    body_bytes: int
    rows: int
    queue_rows: int
    timeout_seconds: float


class PredictionsLog(NamedTuple):
    to: str
    sample: float
    keep_days: int
    leave_out: tuple[str, ...]


class Tracing(NamedTuple):
    endpoint: str
    sample: float


class RequestScaling(NamedTuple):
    """`demand` is None where the pods' own count is the demand."""

    requests_per_second: int
    demand: str | None
    to_zero: bool


class Gateway(NamedTuple):
    """The Gateway that clients come through, and whose API it belongs to."""

    name: str
    namespace: str
    hostname: str
    router: Literal["gateway-api", "istio"] = "gateway-api"


class Serve(NamedTuple):
    """`scaling` is None where CPU decides, `gateway` where the number of pods gives a version its share."""

    replicas_min: int
    replicas_max: int
    target_cpu_percent: int
    scaling: RequestScaling | None
    cpu: str
    cpu_limit: str
    memory: str
    workers: int
    limits: Limits
    unknown_categories: Literal["accept", "refuse"]
    auth_secret: str | None
    tls_secret: str | None
    predictions_log: PredictionsLog | None
    tracing: Tracing | None
    clients: tuple[str, ...]
    gateway: Gateway | None
    platform: Literal["kubernetes", "kserve"]
    slo: Slo | None
    rollout: Rollout
    pod: Mapping[str, Any]


class Image(NamedTuple):
    """What a served model's image is built from; None is the default of whoever builds it."""

    base: str | None
    requirements: str | None


NO_IMAGE = Image(base=None, requirements=None)


class Release(NamedTuple):
    """Which part of the version a release raises; `auto` leaves it to what changed."""

    bump: Bump


class Job(NamedTuple):
    runner: str | None
    timeout_minutes: int | None
    prove: Literal["rebuild", "reuse"]
    on_difference: Literal["warn", "block"]


class Model(NamedTuple):
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
    release: Release
    serve: Serve | None
    written: Mapping[str, Any]
    image: Image = NO_IMAGE


class Environment(NamedTuple):
    """`serve` holds, by model, what is served here: the model's block with this environment's changes laid over.

    `requires` are the environments in which a version has to have been live for `soak_seconds`.
    """

    name: str
    namespace: str
    promote: Literal["automatic", "pull-request"]
    requires: tuple[str, ...]
    soak_seconds: int
    reviewers: tuple[str, ...]
    serve: Mapping[str, Serve]


class Step(NamedTuple):
    """A GitHub Actions step of the user's own; `run` or `uses` is None."""

    name: str
    run: str | None
    uses: str | None
    inputs: Mapping[str, Value]
    env: Mapping[str, Value]


class App(NamedTuple):
    """A GitHub App by the names of the variable and the secret that hold its client ID and its private key."""

    client_id_variable: str
    private_key_secret: str


class Delivery(NamedTuple):
    """Who applies the manifests. What another mode would read has its default and means nothing.

    `namespace` is that of Argo CD's or Flux's own objects; `secret` is None where Flux reads a public repository.
    `steps` log a job in to the cluster: one that pushes, or one that watches.
    """

    mode: Literal["argocd", "flux", "push"]
    namespace: str | None
    project: str
    interval_seconds: int
    secret: str | None
    runner: str
    steps: tuple[Step, ...]
    timeout_seconds: int


class Ci(NamedTuple):
    """`updates` is how often Dependabot looks for newer versions; None where it is not asked to.

    `app` is who pushes and opens pull requests; None where CI does so by its own token. `commit_lock` has one.
    `oidc` is whether jobs that run pipelines may say who they are.
    """

    runner: str
    timeout_minutes: int
    updates: Literal["daily", "weekly", "monthly"] | None
    steps_before: tuple[Step, ...]
    steps_after: tuple[Step, ...]
    app: App | None = None
    commit_lock: bool = False
    oidc: bool = False


class Patch(NamedTuple):
    name: str
    target: str
    reason: str
    set: Mapping[str, Any]
    remove: tuple[str, ...]


class Spec(NamedTuple):
    """`pins` maps environment to model to the version that is live there.

    `delivery` is None where manifests are only written.
    """

    project: Project
    models: Mapping[str, Model]
    environments: Mapping[str, Environment]
    pins: Mapping[str, Mapping[str, str]]
    ci: Ci
    delivery: Delivery | None
    patches: tuple[Patch, ...]
