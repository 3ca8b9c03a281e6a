"""The files that stages hand to each other and to the report: where they lie and what each holds.

Every JSON file is UTF-8 with sorted keys, an indent of 2 and a final newline. Times are not in them, nor is anything
else that differs between two runs on the same inputs; `latency.json` alone holds measured times.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypeAlias, TypedDict

from lockgate.contract.sums import artifact_sha256 as artifact_sha256

SPEC_FILE = "mlops.yaml"
RAW = "raw.parquet"
INGEST = "ingest.json"
VALID = "valid.parquet"
VALIDATION = "validation.json"
TRAIN = "train.parquet"
HOLDOUT = "holdout.parquet"
SPLIT = "split.json"
ESTIMATOR = "estimator.joblib"
TRAINING = "training.json"
METRICS = "metrics.json"
EVALUATION = "evaluation.json"
PREDICTIONS = "predictions.parquet"
ROC_PLOT = "roc.csv"
CALIBRATION_PLOT = "calibration.csv"
RESIDUALS_PLOT = "residuals.csv"
MODEL_DIRECTORY = "model"
EXPORT = "export.json"
LATENCY = "latency.json"
SCAN = "scan.json"
GATES = "gates.json"
CARD = "card.md"
COMPARISON = "comparison.json"
CHAMPION_DIRECTORY = "champion"
CHAMPION = "champion.json"
PROVENANCE = "provenance.json"

# Inside MODEL_DIRECTORY, which is what is released and served.
ONNX_MODEL = "model.onnx"
SKOPS_MODEL = "model.skops"
SIGNATURE = "signature.json"
REFERENCE = "reference.json"
SHA256SUMS = "SHA256SUMS"


def artifact_path(model: str, name: str) -> str:
    """Where a stage of the model keeps the file of that name, relative to the repository's root."""
    return f"artifacts/{model}/{name}"


def champion_file(model: str, name: str) -> str:
    """Where a file of the champion lies; the names inside are those of `artifact_path`, besides `champion.json`."""
    return artifact_path(model, f"{CHAMPION_DIRECTORY}/{name}")


Kind: TypeAlias = Literal["binary", "multiclass", "regression"]
Better: TypeAlias = Literal["higher", "lower"]
Outcome: TypeAlias = Literal["pass", "fail", "warn", "observed", "skipped"]
Verdict: TypeAlias = Literal["pass", "warn", "fail"]
Answer: TypeAlias = Literal["better", "no worse", "worse", "too little data"]
Policy: TypeAlias = Literal["block", "warn", "observe"]
Json: TypeAlias = str | int | float | bool | None


class Ingest(TypedDict):
    """`sha256` is over the rows as written; `columns` are in the order of the data."""

    source: str
    rows: int
    columns: list[str]
    sha256: str


class Example(TypedDict):
    row: int
    value: Json


class Check(TypedDict):
    """A check that rows failed; at most 5 examples. `row` counts from 0 in `raw.parquet`."""

    column: str
    check: str
    failed_rows: int
    examples: list[Example]


class ColumnProfile(TypedDict):
    """`distinct` counts values; `min`, `max` and `mean` are of numbers only."""

    type: str
    missing_ratio: float
    distinct: int
    min: NotRequired[float]
    max: NotRequired[float]
    mean: NotRequired[float]


class Validation(TypedDict):
    """Rows that fail a check are left out of `valid.parquet`. `dropped_columns` are in the data but not in the spec."""

    rows: int
    invalid_rows: int
    checks: list[Check]
    dropped_columns: list[str]
    columns: dict[str, ColumnProfile]


class Part(TypedDict):
    """One side of the split. `start` and `end` are ISO 8601, and None where the data has no time.

    `target` is the share of each class, or of a regression the mean and standard deviation.
    """

    rows: int
    start: str | None
    end: str | None
    target: dict[str, float]


class Split(TypedDict):
    method: Literal["time", "group", "random"]
    train: Part
    holdout: Part
    unused_rows: int


class Feature(TypedDict):
    """One input. `values` are a category's known values as text; `min` and `max` are the spec's."""

    name: str
    type: Literal["number", "integer", "category", "boolean"]
    nullable: bool
    values: NotRequired[list[str]]
    min: NotRequired[float]
    max: NotRequired[float]


class Training(TypedDict):
    """`estimator` is the fitted estimator's own description; `libraries` maps distribution to version.

    `inputs` are the features in the order the estimator takes them. `classes` are the labels as text: the estimator
    is fitted on their indexes 0, 1, …, and of two classes index 1 is the positive one. Empty for regression.
    """

    estimator: str
    params: dict[str, object]
    seed: int
    rows: int
    kind: Kind
    inputs: list[Feature]
    classes: list[str]
    libraries: dict[str, str]


class Interval(TypedDict):
    """A value and its percentile bootstrap interval; bounds are None where too few rows allow none."""

    value: float | None
    low: float | None
    high: float | None


class Metric(Interval):
    """`unit` is "" for a plain number, "s" or "bytes"; `description` is one line."""

    better: Better
    unit: Literal["", "s", "bytes"]
    description: str


class Slice(TypedDict):
    """One value of a slicing column: the label as text, its rows, its metrics."""

    label: str
    rows: int
    metrics: dict[str, Interval]


class CalibrationBin(TypedDict):
    """Of a bin of predicted probabilities: its rows, their mean prediction, and the share that came true."""

    rows: int
    predicted: float
    observed: float


class Confusion(TypedDict):
    """`counts[i][j]` are the rows of class `labels[i]` that were predicted as `labels[j]`."""

    labels: list[str]
    counts: list[list[int]]


class Evaluation(TypedDict):
    """`calibration` is of the positive class (binary) or of the predicted class (multi-class); empty for regression.

    `baseline` holds, by metric, what always predicting the commonest class (or the training mean) would score.
    """

    kind: Kind
    rows: int
    confidence: float
    samples: int
    threshold: float | None
    positive: str | None
    metrics: dict[str, Metric]
    baseline: dict[str, float | None]
    slices: dict[str, list[Slice]]
    calibration: list[CalibrationBin]
    confusion: Confusion | None


class Parity(TypedDict):
    """The exported model against the estimator on the holdout; `beyond_tolerance` counts rows."""

    rows: int
    max_abs_difference: float
    tolerance: float
    beyond_tolerance: int
    max_disagreement: float


class Export(TypedDict):
    """`sha256` is of the model's file, `artifact_sha256` of all its files: of the bytes of `SHA256SUMS`.

    `fallback_reason` says why ONNX was not possible where `auto` fell back to skops.
    """

    format: Literal["onnx", "skops"]
    file: str
    sha256: str
    artifact_sha256: str
    size_bytes: int
    parity: Parity
    fallback_reason: str | None
    trusted: list[str]


class Latency(TypedDict):
    """Of the exported model in this process, a row at a time after a warm-up; seconds.

    `served_…` are of its server under load, where the SLO promises a latency: many connections at half the requests a
    second that it can take. A request that failed counts as one that took the longest.
    """

    rows: int
    p50: float
    p99: float
    served_p50: NotRequired[float]
    served_p99: NotRequired[float]
    served_requests_per_second: NotRequired[float]
    served_answers: NotRequired[int]
    served_failed: NotRequired[int]


class Signature(TypedDict):
    """What the model takes and gives. `classes` is empty for regression; probabilities come in its order."""

    model: str
    kind: Kind
    target: str
    inputs: list[Feature]
    classes: list[str]
    positive: str | None
    threshold: float | None


class Histogram(TypedDict):
    """Reference bins of a column: numbers by inner `edges` (n edges make n + 1 bins, right-open), others by `values`.

    `counts` has one more place at its end for missing values; a category has one before it for values not listed.
    """

    edges: NotRequired[list[float]]
    values: NotRequired[list[str]]
    counts: list[int]


class Reference(TypedDict):
    """How features and predictions were distributed: features over the training rows, predictions over the holdout.

    `predictions` bins the positive class's probability (binary), the predicted class, or the predicted value.
    """

    rows: int
    features: dict[str, Histogram]
    predictions: Histogram


class ScannedFile(TypedDict):
    """`format` is what the bytes are, not what the name says; `findings` is empty where nothing is wrong."""

    path: str
    sha256: str
    size_bytes: int
    format: str
    findings: list[str]


class Scan(TypedDict):
    passed: bool
    files: list[ScannedFile]


class GateResult(TypedDict):
    """One limit of one metric. `margin` is positive where it holds; `reason` is one sentence for people.

    In a `Comparison`, `value`, `low` and `high` of `max_drop` are of the difference, and `margin` is that of the
    interval's worse end, which decides; of `fairness`, `metric` is the entry's name and `value` the difference.
    """

    metric: str
    rule: Literal["min", "max", "max_drop", "scan", "fairness"]
    limit: float | None
    value: float | None
    low: float | None
    high: float | None
    margin: float | None
    unit: Literal["", "s", "bytes"]
    on_fail: Literal["block", "warn", "observe"]
    outcome: Outcome
    reason: str


class Gates(TypedDict):
    """`fail` where a blocking gate failed, `warn` where only warning ones did."""

    verdict: Verdict
    gates: list[GateResult]
