"""The metrics that gates may name: which tasks have them, which way is better, and what they mean.

Their values are computed by the runtime, which this module does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from lockgate.contract import Better
from lockgate.spec.model import Task
from lockgate.tuples import NamedTuple

Unit: TypeAlias = Literal["", "s", "bytes"]


class MetricInfo(NamedTuple):
    """`unit` is "" for a plain number; `description` is one line and says how many classes are handled."""

    tasks: tuple[Task, ...]
    better: Better
    unit: Unit
    description: str


def _classification(better: Better, description: str) -> MetricInfo:
    return MetricInfo(tasks=("classification",), better=better, unit="", description=description)


def _regression(better: Better, description: str) -> MetricInfo:
    return MetricInfo(tasks=("regression",), better=better, unit="", description=description)


def _operational(unit: Unit, description: str) -> MetricInfo:
    tasks: tuple[Task, ...] = ("classification", "regression")
    return MetricInfo(tasks=tasks, better="lower", unit=unit, description=description)


METRICS: Mapping[str, MetricInfo] = MappingProxyType(
    {
        "roc_auc": _classification(
            "higher",
            "The chance that a positive row is scored above a negative one; of several classes the mean of each "
            "against the rest.",
        ),
        "average_precision": _classification(
            "higher",
            "Precision averaged over the steps of recall; of several classes the mean of each against the rest.",
        ),
        "accuracy": _classification("higher", "The share of rows that were predicted right."),
        "balanced_accuracy": _classification("higher", "The mean over the classes of recall."),
        "precision": _classification(
            "higher", "The share of positive predictions that were right; of several classes the mean."
        ),
        "recall": _classification(
            "higher", "The share of positive rows that were found; of several classes the mean."
        ),
        "f1": _classification(
            "higher", "The harmonic mean of precision and recall; of several classes the mean."
        ),
        "log_loss": _classification("lower", "The mean of -log of the probability given to the true class."),
        "brier": _classification(
            "lower", "The mean squared error of the probabilities; of several classes their sum, from 0 to 2."
        ),
        "expected_calibration_error": _classification(
            "lower",
            "The mean gap between predicted and observed shares over ten bins of equally many rows; of several "
            "classes, of the predicted class.",
        ),
        "mcc": _classification(
            "higher",
            "Matthews' correlation between truth and prediction, from -1 to 1, for any number of classes.",
        ),
        "rmse": _regression("lower", "The root of the mean squared error, in units of the target."),
        "mae": _regression("lower", "The mean absolute error, in units of the target."),
        "median_absolute_error": _regression("lower", "The median absolute error, in units of the target."),
        "r2": _regression("higher", "The share of the target's variance that the predictions explain."),
        "mape": _regression(
            "lower", "The mean absolute error relative to the target; undefined where a target is 0."
        ),
        "latency_p50": _operational("s", "The median time of one prediction of the exported model."),
        "latency_p99": _operational(
            "s", "The time within which 99 of 100 predictions of the exported model end."
        ),
        "served_latency_p99": _operational(
            "s",
            "The time within which the server answers 99 of 100 requests at half the load that it can take; measured "
            "where `serve.slo` promises a latency, and held to that unless the gate says otherwise.",
        ),
        "model_size": _operational("bytes", "The size of the exported model's file."),
        "invalid_rows": _operational(
            "", "The share of rows that broke the columns' rules and were left out."
        ),
    }
)
