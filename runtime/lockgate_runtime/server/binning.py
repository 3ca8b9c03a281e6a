"""Counts values into a reference's bins, as the stage that made the bins counted them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lockgate.contract import Histogram, Kind

_SMOOTHING = 0.5

Count: TypeAlias = "Callable[[NDArray[Any]], NDArray[np.int64]]"
"""From values (n) to how many fall into each bin, in the order of the reference's `counts`."""


def bins_of(histogram: Histogram) -> int:
    """How many bins there are: n edges make n + 1, and n values n and one for all others; then missing values."""
    return len(histogram["edges"] if "edges" in histogram else histogram["values"]) + 2


def shares(counts: Sequence[float] | NDArray[np.float64]) -> list[float]:
    """Of each bin. None is 0, since each counts half a row more than it has."""
    smoothed = np.asarray(counts, dtype=np.float64) + _SMOOTHING
    found: list[float] = (smoothed / smoothed.sum()).tolist()
    return found


def feature_count(histogram: Histogram) -> Count:
    """Counts a feature's column: float32 (missing as NaN), or text (missing as "")."""
    return _numbers(histogram["edges"]) if "edges" in histogram else _texts(histogram["values"])


def prediction_count(histogram: Histogram, kind: Kind) -> Count:
    """Counts a model's outputs: probabilities (n, k) or values (n)."""
    if kind == "multiclass":
        bins = bins_of(histogram)
        return lambda outputs: np.bincount(outputs.argmax(axis=1), minlength=bins)
    count = _numbers(histogram["edges"])
    return count if kind == "regression" else lambda outputs: count(outputs[:, 1])


def _numbers(edges: Sequence[float]) -> Count:
    # NaN sorts behind all numbers and equals itself, so that missing values fall into a bin of their own.
    bounds, bins = np.array([*edges, np.nan]), len(edges) + 2
    return lambda values: np.bincount(bounds.searchsorted(values, "right"), minlength=bins)


def _texts(values: Sequence[str]) -> Count:
    others = len(values)
    places = {label: place for place, label in enumerate(values)} | {"": others + 1}

    def count(texts: NDArray[Any]) -> NDArray[np.int64]:
        counts = np.zeros(others + 2, np.int64)
        for text, times in Counter(texts.tolist()).items():
            counts[places.get(text, others)] += times
        return counts

    return count
