"""ROC-AUC and average precision of many resamples at once: rows are sorted once, a resample is a row of weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """Rows from the highest score down: their `order` (n), which are `positive` (n), and where `ties` begin (t)."""

    order: NDArray[np.int64]
    positive: NDArray[np.float64]
    ties: NDArray[np.int64]


def rank(positive: NDArray[np.bool_], score: NDArray[np.float64]) -> Ranking:
    """Sort once what every resample needs sorted."""
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    ties = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    return Ranking(order=order, positive=positive[order].astype(np.float64), ties=ties)


def rank_metrics(
    weights: NDArray[np.float64], ranking: Ranking
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """ROC-AUC and average precision of each resample (b) of the weights (b, n); NaN where a class is absent.

    ROC-AUC is the Mann-Whitney statistic with ties counted half (Hanley and McNeil 1982,
    doi:10.1148/radiology.143.1.7063747): AUC = sum_t N_t (P_<t + P_t / 2) / (P N), with P_t and N_t the weights of
    positive and negative rows at score t, and P_<t those of positive rows with a higher score.
    Average precision is sum_t (R_t - R_t-1) Precision_t.
    """
    pairs = [_of_one(sample.take(ranking.order), ranking) for sample in weights]
    auc, average_precision = np.array(pairs).T
    return auc, average_precision


def _of_one(weights: NDArray[np.float64], ranking: Ranking) -> tuple[float, float]:
    """One resample at a time: its arrays stay in the processor's cache."""
    hits, rows = _by_tie(weights * ranking.positive, ranking), _by_tie(weights, ranking)
    found, seen = np.cumsum(hits), np.cumsum(rows)
    positives, negatives = found[-1], seen[-1] - found[-1]
    if not positives or not negatives:
        return np.nan, np.nan
    above = np.dot(rows - hits, found) - np.dot(rows - hits, hits) / 2
    precision = found / np.maximum(seen, 1)
    return above / (positives * negatives), np.dot(hits, precision) / positives


def _by_tie(values: NDArray[np.float64], ranking: Ranking) -> NDArray[np.float64]:
    if len(ranking.ties) == len(ranking.order):
        return values
    return np.add.reduceat(values, ranking.ties)
