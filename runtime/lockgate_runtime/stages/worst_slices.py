"""Looks for the slices of the holdout in which the candidate's loss is higher than in the rest of it.

Slices are the values of one feature (numbers in quarters) or of two at once. They are many, so chance alone makes some
look bad: only those are told that Holm's guard leaves at 5 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import stdtr  # type: ignore[import-untyped]

from lockgate.contract.comparison import FoundSlice
from lockgate_runtime.stages.slices import OTHER, slice_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from lockgate.contract import Feature
    from lockgate_runtime.stages.metrics import Predictions

_LEAST_ROWS = 50
_LEAST_SHARE = 0.01
_ERROR_RATE = 0.05
_MOST_OVERLAP = 0.5
_NOT_TESTED = -1


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cut:
    """A way to cut the rows: the index of each row's slice (n, -1 for none) and the slices' names."""

    codes: NDArray[np.int64]
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Tests:
    """Slices of all cuts, each an item of every array: what it is, its rows and mean loss, and what the test says.

    `excess` is the lower end of the 95 % interval (one-sided) of its mean loss beyond that of the rest.
    """

    cut: NDArray[np.int64]
    code: NDArray[np.int64]
    rows: NDArray[np.int64]
    mean: NDArray[np.float64]
    p_value: NDArray[np.float64]
    excess: NDArray[np.float64]


def worst_slices(
    frame: pd.DataFrame, predictions: Predictions, inputs: Sequence[Feature], most: int
) -> tuple[list[FoundSlice], int]:
    """At most so many slices, the worst first, and how many were tested.

    The worst is the one whose loss is surest to be far above the rest's. One that shares more than half of its rows
    with a worse one is left out: it would say the same again.
    """
    loss = _loss(predictions)
    cuts = _cuts(frame, inputs)
    tests = _tests(cuts, loss)
    adjusted = holm(tests.p_value)
    found: list[FoundSlice] = []
    taken: list[NDArray[np.bool_]] = []
    for at in np.lexsort((tests.p_value, -tests.excess)):
        if adjusted[at] > _ERROR_RATE or len(found) == most:
            continue
        cut = cuts[tests.cut[at]]
        members = cut.codes == tests.code[at]
        if not any(_overlap(members, other) > _MOST_OVERLAP for other in taken):
            taken.append(members)
            found.append(_found(cut.names[tests.code[at]], tests, int(at), adjusted[at], predictions, loss))
    return found, len(tests.p_value)


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """P-values that hold for all tests together, however these depend on one another (Holm 1979, jstor:4615733)."""
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1)
    return adjusted


def _loss(predictions: Predictions) -> NDArray[np.float64]:
    """Of each row the log loss, or of a regression the squared error (n)."""
    truth, outputs = predictions.truth, predictions.outputs
    if predictions.kind == "regression":
        squared: NDArray[np.float64] = (outputs - truth) ** 2
        return squared
    given = outputs[np.arange(len(truth)), truth]
    surprise: NDArray[np.float64] = -np.log(np.clip(given, np.finfo(np.float64).eps, 1))
    return surprise


def _cuts(frame: pd.DataFrame, inputs: Sequence[Feature]) -> list[_Cut]:
    single = [_cut(frame, feature) for feature in inputs]
    return [*single, *(_crossed(first, second) for first, second in combinations(single, 2))]


def _cut(frame: pd.DataFrame, feature: Feature) -> _Cut:
    """Rare values, which share nothing but being rare, are no slice."""
    codes = np.full(len(frame), _NOT_TESTED, dtype=np.int64)
    names: list[str] = []
    for label, rows in slice_rows(frame, feature["name"], feature):
        if label != OTHER:
            codes[rows] = len(names)
            names.append(f"{feature['name']}: {label}")
    return _Cut(codes=codes, names=tuple(names))


def _crossed(first: _Cut, second: _Cut) -> _Cut:
    both = (first.codes != _NOT_TESTED) & (second.codes != _NOT_TESTED)
    codes = np.where(both, first.codes * len(second.names) + second.codes, _NOT_TESTED)
    return _Cut(codes=codes, names=tuple(f"{one} and {two}" for one in first.names for two in second.names))


def _tests(cuts: Sequence[_Cut], loss: NDArray[np.float64]) -> _Tests:
    """Of each slice large enough Welch's t-test against the rest, one-sided (1947, doi:10.1093/biomet/34.1-2.28)."""
    least = max(_LEAST_ROWS, _LEAST_SHARE * len(loss))
    centred = loss - loss.mean()  # Sums of squares keep their digits.
    parts = [np.vstack(part) for part in _sums(cuts, centred, least)]
    cut, code, rows, total, squares = np.hstack([np.empty((5, 0)), *parts])
    rest = len(loss) - rows
    mean, rest_mean = total / rows, -total / rest
    error = _squared_error(rows, mean, squares)
    rest_error = _squared_error(rest, rest_mean, (centred**2).sum() - squares)
    spread = error + rest_error
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = spread**2 / (error**2 / (rows - 1) + rest_error**2 / (rest - 1))
        p_value = stdtr(freedom, (rest_mean - mean) / np.sqrt(spread))
    return _Tests(
        cut=cut.astype(np.int64),
        code=code.astype(np.int64),
        rows=rows.astype(np.int64),
        mean=mean + loss.mean(),
        p_value=np.where(spread > 0, p_value, 1.0),
        excess=mean - rest_mean - 1.645 * np.sqrt(spread),
    )


def _sums(
    cuts: Sequence[_Cut], loss: NDArray[np.float64], least: float
) -> Iterator[tuple[NDArray[Any], ...]]:
    """Of each cut's slices large enough, and not all but everything: its cut, code, rows, loss and squared loss."""
    for at, cut in enumerate(cuts):
        tested = cut.codes != _NOT_TESTED
        codes, values = cut.codes[tested], loss[tested]
        size = len(cut.names)
        rows = np.bincount(codes, minlength=size)
        kept = np.flatnonzero((rows >= least) & (len(loss) - rows >= least))
        total = np.bincount(codes, weights=values, minlength=size)
        squares = np.bincount(codes, weights=values**2, minlength=size)
        yield np.full(len(kept), at), kept, rows[kept], total[kept], squares[kept]


def _squared_error(
    rows: NDArray[np.float64], mean: NDArray[np.float64], squares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The squared standard error of each mean; what rounding leaves below zero is zero."""
    return np.maximum(squares - rows * mean**2, 0) / (rows - 1) / rows


def _overlap(members: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return int((members & other).sum()) / min(int(members.sum()), int(other.sum()))


def _found(
    name: str, tests: _Tests, at: int, adjusted: float, predictions: Predictions, loss: NDArray[np.float64]
) -> FoundSlice:
    return FoundSlice(
        description=name,
        rows=int(tests.rows[at]),
        metric="squared_error" if predictions.kind == "regression" else "log_loss",
        value=float(tests.mean[at]),
        whole=float(loss.mean()),
        p_value_adjusted=float(adjusted),
    )
