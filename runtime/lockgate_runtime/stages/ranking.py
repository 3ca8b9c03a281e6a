"""ROC-AUC and average precision of many resamples at once: rows are sorted once, a resample is a row of weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """Rows from the highest score down: their `order` (n), and of each positive row its `place` there (p).

    Rows of one score are a tie. For each positive row `tie` has where its tie begins and ends among all rows (2, p),
    and `found` where it does among the positive ones (2, p).
    """

    order: NDArray[np.int64]
    place: NDArray[np.int64]
    tie: NDArray[np.int64]
    found: NDArray[np.int64]


def rank(positive: NDArray[np.bool_], score: NDArray[np.float64]) -> Ranking:
    """Sort once what every resample needs sorted."""
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    edges = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1], True])
    place = np.flatnonzero(positive[order])
    index = np.searchsorted(edges, place, side="right")
    tie = np.vstack((edges[index - 1], edges[index]))
    return Ranking(order=order, place=place, tie=tie, found=np.searchsorted(place, tie))


def rank_metrics(
    weights: NDArray[np.float64], ranking: Ranking
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """ROC-AUC and average precision of each resample (b) of the weights (b, n); NaN where a class is absent.

    ROC-AUC is the Mann-Whitney statistic with ties counted half (Hanley and McNeil 1982,
    doi:10.1148/radiology.143.1.7063747): AUC = 1 - sum_i w_i (N_i + N'_i) / 2 / (P N) over the positive rows i, with
    N_i and N'_i the weights of negative rows above its tie and above the next.
    Average precision is sum_t (R_t - R_t-1) Precision_t over the ties t.
    """
    pairs = [_of_one(sample.take(ranking.order), ranking) for sample in weights]
    auc, average_precision = np.array(pairs).T
    return auc, average_precision


def _of_one(weights: NDArray[np.float64], ranking: Ranking) -> tuple[float, float]:
    """One resample at a time: its arrays stay in the processor's cache."""
    seen, hits = _sums(weights), weights.take(ranking.place)
    found = _sums(hits)
    positives, negatives = found[-1], seen[-1] - found[-1]
    if not positives or not negatives:
        return np.nan, np.nan
    above, above_next = seen.take(ranking.tie[0]), seen.take(ranking.tie[1])
    found_above, found_next = found.take(ranking.found[0]), found.take(ranking.found[1])
    lost = _dot(hits, above - found_above + above_next - found_next)
    precision = found_next / np.maximum(above_next, 1)
    return 1 - lost / 2 / (positives * negatives), _dot(hits, precision) / positives


def _dot(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """`np.dot` on one thread: waking others costs more than the product."""
    return float(np.einsum("i,i->", first, second))


def _sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum of the first 0, 1, … n values (n + 1)."""
    sums = np.empty(len(values) + 1)
    sums[0] = 0
    np.cumsum(values, out=sums[1:])
    return sums
