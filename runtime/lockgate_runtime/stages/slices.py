"""The holdout's rows by the values of a column, as labels for people; which model made the predictions is no matter."""

from __future__ import annotations

import zlib
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
from pandas.api import types

from lockgate.contract import Feature, Slice
from lockgate_runtime.stages.bootstrap import intervals
from lockgate_runtime.stages.features import to_features
from lockgate_runtime.stages.metrics import statistic_of
from lockgate_runtime.stages.user_code import StageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from lockgate.spec.model import Model
    from lockgate_runtime.stages.metrics import Predictions

_MOST_VALUES = 30
_MISSING = "(missing)"
OTHER = "(other)"


def slice_metrics(
    model: Model, frame: pd.DataFrame, predictions: Predictions, inputs: Mapping[str, Feature]
) -> dict[str, list[Slice]]:
    """For each slicing column of the spec its slices, with the metrics of each; largest first, or in number order."""
    return {
        column: [
            _slice(model, column, label, rows, predictions)
            for label, rows in slice_rows(frame, column, inputs.get(column))
        ]
        for column in model.evaluate.slices
    }


def slice_rows(
    frame: pd.DataFrame, column: str, declared: Feature | None
) -> list[tuple[str, NDArray[np.int64]]]:
    """Each slice's label and the positions of its rows."""
    if column not in frame.columns:
        raise StageError(
            f"'evaluate.slices' names '{column}', which is not a column of the holdout",
            f"the columns are {', '.join(map(str, frame.columns))}",
        )
    numeric = types.is_numeric_dtype(frame[column]) and not types.is_bool_dtype(frame[column])
    if numeric and (declared is None or declared["type"] in ("number", "integer")):
        return _quarters(to_features(frame, [_as("number", column)])[column].to_numpy())
    return _values(to_features(frame, [_as("category", column)])[column].to_numpy())


def _slice(model: Model, column: str, label: str, rows: NDArray[np.int64], predictions: Predictions) -> Slice:
    part = predictions.take(rows)
    # Of each slice a stream of its own, so that its interval does not change when another slice comes or goes.
    seed = (model.train.seed, zlib.crc32(f"{column}={label}".encode(errors="replace")))
    metrics = intervals(statistic_of(part), len(rows), model.evaluate, seed)
    return Slice(label=label, rows=len(rows), metrics=metrics)


def _values(texts: NDArray[np.object_]) -> list[tuple[str, NDArray[np.int64]]]:
    labels, codes, counts = np.unique(texts.astype(str), return_inverse=True, return_counts=True)
    order = np.lexsort((labels, -counts))
    kept = order[:_MOST_VALUES]
    slices = [(str(labels[code]) or _MISSING, np.flatnonzero(codes == code)) for code in kept]
    if len(order) > _MOST_VALUES:
        slices.append((OTHER, np.flatnonzero(~np.isin(codes, kept))))
    return slices


def _quarters(numbers: NDArray[np.float32]) -> list[tuple[str, NDArray[np.int64]]]:
    missing = np.isnan(numbers)
    slices = []
    if not missing.all():
        edges = np.unique(np.quantile(numbers[~missing].astype(np.float64), [0.25, 0.5, 0.75]))
        places = np.where(missing, -1, np.searchsorted(edges, numbers, side="right"))
        parts = ((label, np.flatnonzero(places == index)) for index, label in enumerate(_labels(edges)))
        slices = [(label, rows) for label, rows in parts if len(rows)]
    if missing.any():
        slices.append((_MISSING, np.flatnonzero(missing)))
    return slices


def _labels(edges: NDArray[np.float64]) -> list[str]:
    texts = [f"{edge:,.6g}" for edge in edges]
    between = [f"{low} to below {high}" for low, high in pairwise(texts)]
    return [f"below {texts[0]}", *between, f"{texts[-1]} and above"]


def _as(kind: Literal["number", "category"], column: str) -> Feature:
    return Feature(name=column, type=kind, nullable=True)
