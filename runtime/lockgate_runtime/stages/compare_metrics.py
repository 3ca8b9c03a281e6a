"""Every metric of candidate and champion with the interval of its difference: of all rows, and of each slice."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lockgate.contract.comparison import Difference, SliceDifference
from lockgate.spec.metrics import METRICS
from lockgate_runtime.stages.bootstrap import LEAST_ROWS
from lockgate_runtime.stages.compare_operational import OPERATIONAL, operational_pairs
from lockgate_runtime.stages.metrics import custom_functions, statistic_of
from lockgate_runtime.stages.paired import Pair, answer_of, custom_pair, paired, resampling_of
from lockgate_runtime.stages.slices import slice_rows
from lockgate_runtime.stages.user_code import StageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from lockgate.contract import Better, Feature
    from lockgate.spec.metrics import Unit
    from lockgate.spec.model import Model
    from lockgate_runtime.stages.metrics import Predictions

_HEADLINE = {"binary": "roc_auc", "multiclass": "balanced_accuracy", "regression": "rmse"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Both:
    """What the two models say of the same rows, in the same order of rows and classes."""

    candidate: Predictions
    champion: Predictions

    def take(self, rows: NDArray[np.int64]) -> Both:
        return Both(candidate=self.candidate.take(rows), champion=self.champion.take(rows))

    @property
    def rows(self) -> int:
        return len(self.candidate.truth)


def metric_differences(model: Model, root: Path, both: Both) -> list[Difference]:
    """The holdout's metrics, the model's own, and of those that are measured once the ones with a `max_drop`."""
    pairs = dict(_of_rows(model, both))
    found = [_difference(model, name, pair, both.rows) for name, pair in pairs.items()]
    found += _custom_differences(model, root, both)
    measured = operational_pairs(model, root)
    return [*found, *(_difference(model, name, pair, both.rows) for name, pair in measured.items())]


def slice_differences(
    model: Model, frame: pd.DataFrame, both: Both, inputs: Mapping[str, Feature]
) -> list[SliceDifference]:
    """For each slice of the spec the metrics that have a `max_drop`, else those with a gate, else the headline's."""
    names = _judged(model, both.candidate)
    return [
        difference
        for column in model.evaluate.slices
        for label, rows in slice_rows(frame, column, inputs.get(column))
        for difference in _slice(model, column, label, both.take(rows), names)
    ]


def _of_rows(model: Model, both: Both, *seed: int) -> Mapping[str, Pair]:
    return paired(
        statistic_of(both.candidate), statistic_of(both.champion), both.rows, resampling_of(model, *seed)
    )


def _slice(
    model: Model, column: str, label: str, both: Both, names: tuple[str, ...]
) -> Iterator[SliceDifference]:
    seed = zlib.crc32(f"{column}={label}".encode(errors="replace"))
    pairs = _of_rows(model, both, seed)
    for name in names:
        difference = _difference(model, name, pairs[name], both.rows)
        yield SliceDifference(**difference, column=column, label=label, rows=both.rows)


def _judged(model: Model, predictions: Predictions) -> tuple[str, ...]:
    gated = [name for name in model.gates if name in METRICS and name not in OPERATIONAL]
    compared = [name for name in gated if model.gates[name].max_drop is not None]
    return tuple(compared or gated or [_HEADLINE[predictions.kind]])


def _custom_differences(model: Model, root: Path, both: Both) -> Iterator[Difference]:
    for name, function in custom_functions(model.evaluate.metrics, root).items():
        try:
            pair = custom_pair(function, both.candidate, both.champion, resampling_of(model))
        except StageError as error:
            pair = Pair(candidate=None, champion=None, low=None, high=None)
            yield {**_difference(model, name, pair, both.rows), "reason": str(error)}
        else:
            yield _difference(model, name, pair, both.rows)


def _difference(model: Model, name: str, pair: Pair, rows: int) -> Difference:
    better, unit = _info(model, name)
    gate = model.gates.get(name)
    margin = gate.max_drop if gate is not None and gate.max_drop is not None else 0.0
    return Difference(
        metric=name,
        better=better,
        unit=unit,
        candidate=pair.candidate,
        champion=pair.champion,
        difference=pair.difference,
        low=pair.low,
        high=pair.high,
        margin=margin,
        answer=answer_of(pair, better, margin),
        reason=_why_unbounded(pair, rows),
    )


def _info(model: Model, name: str) -> tuple[Better, Unit]:
    if name in model.evaluate.metrics:
        return model.evaluate.metrics[name].better, ""
    return METRICS[name].better, METRICS[name].unit


def _why_unbounded(pair: Pair, rows: int) -> str | None:
    if pair.low is not None:
        return None
    for who, value in (("candidate", pair.candidate), ("champion", pair.champion)):
        if value is None:
            return f"it is undefined for the {who} on these rows"
    if rows < LEAST_ROWS:
        return f"{rows} rows are too few for an interval, which needs {LEAST_ROWS}"
    return "most draws of these rows leave it undefined"
