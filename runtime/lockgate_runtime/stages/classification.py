"""Classification metrics of many resamples at once, as functions of row weights (resamples by rows).

A metric that a resample leaves undefined is NaN there. Undefined precision counts as 0, as in scikit-learn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lockgate_runtime.stages.calibration import quantile_bins
from lockgate_runtime.stages.ranking import rank, rank_metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats: TypeAlias = NDArray[np.float64]
Statistic: TypeAlias = Callable[[Floats], dict[str, Floats]]
"""From weights (b, n) to each metric's values (b)."""


def binary_statistic(truth: NDArray[np.int64], score: Floats, decided: NDArray[np.int64]) -> Statistic:
    """All metrics of two classes: truth and decisions are 0 or 1, the score is the probability of 1 (each n)."""
    positive, flagged = truth == 1, decided == 1
    counts = (positive & flagged, ~positive & flagged, positive & ~flagged, ~positive & ~flagged)
    given = np.where(positive, score, 1 - score)
    columns = np.column_stack((*counts, _surprise(given), (1 - given) ** 2, *_gaps(score, positive)))
    ranking = rank(positive, score)

    def statistic(weights: Floats) -> dict[str, Floats]:
        sums = weights @ columns
        rows = weights.sum(axis=1)
        auc, average_precision = rank_metrics(weights, ranking)
        return {
            "roc_auc": auc,
            "average_precision": average_precision,
            **_two_class_counts(sums[:, :4]),
            "log_loss": sums[:, 4] / rows,
            "brier": sums[:, 5] / rows,
            "expected_calibration_error": np.abs(sums[:, 6:]).sum(axis=1) / rows,
        }

    return statistic


def multiclass_statistic(
    truth: NDArray[np.int64], probabilities: Floats, decided: NDArray[np.int64]
) -> Statistic:
    """All metrics of k classes: truth and decisions are 0 … k-1 (n), with the probabilities (n, k)."""
    rows, classes = probabilities.shape
    right = truth == decided
    confidence = probabilities[np.arange(rows), decided]
    given = probabilities[np.arange(rows), truth]
    squares = (probabilities**2).sum(axis=1) - 2 * given + 1
    columns = np.column_stack((_surprise(given), squares, *_gaps(confidence, right)))
    rankings = [rank(truth == index, probabilities[:, index]) for index in range(classes)]

    def statistic(weights: Floats) -> dict[str, Floats]:
        sums = weights @ columns
        total = weights.sum(axis=1)
        ranked = [rank_metrics(weights, ranking) for ranking in rankings]
        return {
            "roc_auc": _mean_of_defined([auc for auc, _ in ranked]),
            "average_precision": _mean_of_defined([precision for _, precision in ranked]),
            **_many_class_counts(
                _by_class(weights, truth, classes),
                _by_class(weights, decided, classes),
                _by_class(weights * right, truth, classes),
            ),
            "log_loss": sums[:, 0] / total,
            "brier": sums[:, 1] / total,
            "expected_calibration_error": np.abs(sums[:, 2:]).sum(axis=1) / total,
        }

    return statistic


def _surprise(probability: Floats) -> Floats:
    """-log of it, clipped as in scikit-learn's `log_loss`."""
    return -np.log(np.clip(probability, np.finfo(np.float64).eps, 1))


def _gaps(predicted: Floats, observed: NDArray[np.bool_]) -> Sequence[Floats]:
    """A column for each bin: what a row adds to the gap between the bin's observed and predicted sums."""
    bins = quantile_bins(predicted)
    gap = observed - predicted
    return [np.where(bins == index, gap, 0.0) for index in range(int(bins.max()) + 1)]


def _two_class_counts(counts: Floats) -> dict[str, Floats]:
    """From true and false positives, false and true negatives (b, 4)."""
    hit, false, missed, left = counts.T
    positives, negatives = hit + missed, false + left
    with np.errstate(divide="ignore", invalid="ignore"):
        values = {
            "balanced_accuracy": (hit / positives + left / negatives) / 2,
            "precision": _or_zero(hit, hit + false),
            "recall": hit / positives,
            "f1": 2 * hit / (2 * hit + false + missed),
            "mcc": _or_zero(
                hit * left - false * missed,
                np.sqrt((hit + false) * positives * negatives * (left + missed)),
            ),
        }
    both = (positives > 0) & (negatives > 0)
    defined = {name: np.where(both, value, np.nan) for name, value in values.items()}
    return {"accuracy": (hit + left) / (positives + negatives), **defined}


def _many_class_counts(actual: Floats, predicted: Floats, right: Floats) -> dict[str, Floats]:
    """From the rows of each class, those predicted as it, and those of it predicted right (each b, k).

    The correlation is Gorodkin's R_K (2004, doi:10.1016/j.compbiolchem.2004.09.006).
    """
    total, hits = actual.sum(axis=1), right.sum(axis=1)
    present, seen = actual > 0, (actual > 0) | (predicted > 0)
    agreement = hits * total - (actual * predicted).sum(axis=1)
    spread = (total**2 - (predicted**2).sum(axis=1)) * (total**2 - (actual**2).sum(axis=1))
    values = {
        "balanced_accuracy": _mean_where(_or_zero(right, actual), present),
        "precision": _mean_where(_or_zero(right, predicted), seen),
        "recall": _mean_where(_or_zero(right, actual), seen),
        "f1": _mean_where(_or_zero(2 * right, actual + predicted), seen),
        "mcc": _or_zero(agreement, np.sqrt(spread)),
    }
    several = present.sum(axis=1) > 1
    defined = {name: np.where(several, value, np.nan) for name, value in values.items()}
    return {"accuracy": hits / total, **defined}


def _by_class(weights: Floats, codes: NDArray[np.int64], classes: int) -> Floats:
    samples = len(weights)
    places = np.arange(samples)[:, None] * classes + codes
    sums = np.bincount(places.ravel(), weights=weights.ravel(), minlength=samples * classes)
    return sums.reshape(samples, classes).astype(np.float64, copy=False)


def _or_zero(numerator: Floats, denominator: Floats) -> Floats:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def _mean_where(values: Floats, chosen: NDArray[np.bool_]) -> Floats:
    counts = chosen.sum(axis=1)
    return np.where(counts > 0, (values * chosen).sum(axis=1) / np.maximum(counts, 1), np.nan)


def _mean_of_defined(values: Sequence[Floats]) -> Floats:
    stacked = np.column_stack(values)
    return _mean_where(np.nan_to_num(stacked), np.isfinite(stacked))
