"""How features and predictions were distributed, as bins that a server can count into."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from lockgate.contract import Histogram, Reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from lockgate.contract import Feature, Signature

_MOST_VALUES = 100
_DECILES = np.arange(1, 10) / 10


def reference_of(features: pd.DataFrame, outputs: NDArray[np.float64], signature: Signature) -> Reference:
    """Bins of the training rows' features, and of the holdout's outputs: probabilities (n, k) or values (n)."""
    histograms = {it["name"]: _feature(features[it["name"]].to_numpy(), it) for it in signature["inputs"]}
    return Reference(rows=len(features), features=histograms, predictions=_predictions(outputs, signature))


def _feature(values: NDArray[Any], feature: Feature) -> Histogram:
    if feature["type"] == "category":
        return category_histogram(values)
    numbers = values.astype(np.float64)
    # A boolean that was constant in training must still show when it no longer is.
    edges = [0.5] if feature["type"] == "boolean" else decile_edges(numbers)
    return number_histogram(numbers, edges)


def _predictions(outputs: NDArray[np.float64], signature: Signature) -> Histogram:
    if signature["kind"] == "binary":
        return number_histogram(outputs[:, 1], [round(index / 10, 1) for index in range(1, 10)])
    if signature["kind"] == "regression":
        return number_histogram(outputs, decile_edges(outputs))
    counts = np.bincount(outputs.argmax(axis=1), minlength=len(signature["classes"]))
    return Histogram(values=signature["classes"], counts=[*counts.tolist(), 0, 0])


def category_histogram(texts: NDArray[Any]) -> Histogram:
    """The 100 commonest values, the commonest first; then all others, then missing ones, which are ""."""
    labels, counts = np.unique(texts[texts != ""].astype(str), return_counts=True)
    order = np.lexsort((labels, -counts))[:_MOST_VALUES]
    listed = counts[order]
    others, missing = int(counts.sum() - listed.sum()), int((texts == "").sum())
    return Histogram(values=labels[order].tolist(), counts=[*listed.tolist(), others, missing])


def number_histogram(numbers: NDArray[np.float64], edges: Sequence[float]) -> Histogram:
    """Counts of the bins between the edges, each with its lower edge; then missing values."""
    missing = np.isnan(numbers)
    counts = np.bincount(np.searchsorted(edges, numbers[~missing], side="right"), minlength=len(edges) + 1)
    return Histogram(edges=list(edges), counts=[*counts.tolist(), int(missing.sum())])


def decile_edges(numbers: NDArray[np.float64]) -> list[float]:
    """Edges near the deciles, each in the middle between two neighbouring values, so that none lies on an edge.

    A number is then in the same bin whether it is read in 32 or in 64 bits. A value that fills more than one tenth of
    the rows gets a bin of its own, and so does the only value of a constant.
    """
    known = numbers[np.isfinite(numbers)]
    if not len(known):
        return []
    distinct = np.unique(known)
    if len(distinct) == 1:
        return _around(float(distinct[0]))
    places = np.searchsorted(distinct, np.quantile(known, _DECILES, method="inverted_cdf"))
    below = {int(place) for place in places if place > 0}
    above = {int(low) + 1 for low, high in pairwise(places) if low == high and low + 1 < len(distinct)}
    middles = ((distinct[place - 1] + distinct[place]) / 2 for place in below | above)
    return sorted({float(middle) for middle in middles})


def _around(value: float) -> list[float]:
    margin = max(abs(value) * 1e-6, 1e-9)
    return [value - margin, value + margin]
