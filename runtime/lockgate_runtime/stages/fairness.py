"""How far a metric lies apart between the groups of a column, held to the spec's limit. One row counts in one group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lockgate.contract import GateResult
from lockgate.contract.comparison import Fairness, FairnessGroup
from lockgate_runtime.stages.bootstrap import LEAST_ROWS
from lockgate_runtime.stages.outcomes import failed, milder
from lockgate_runtime.stages.shown import shown
from lockgate_runtime.stages.slices import slice_rows
from lockgate_runtime.stages.user_code import StageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from lockgate.contract import Feature, Outcome
    from lockgate.spec.model import Fairness as Limit
    from lockgate.spec.model import FairnessMetric, Model
    from lockgate_runtime.stages.metrics import Predictions

_TWO_CLASSES = frozenset({"selection_rate", "recall", "precision", "false_positive_rate"})


def fairness_of(
    model: Model, frame: pd.DataFrame, predictions: Predictions, inputs: Mapping[str, Feature]
) -> list[Fairness]:
    """Every limit of `evaluate.fairness`, with the metric of each group of the holdout's rows."""
    return [
        _fairness(
            name, limit, _groups(limit, frame, predictions, inputs.get(limit.column)), predictions, model
        )
        for name, limit in model.evaluate.fairness.items()
    ]


def fairness_gates(found: list[Fairness]) -> list[GateResult]:
    """A gate for each: its value is the greatest difference, which has no interval."""
    return [
        GateResult(
            metric=it["name"],
            rule="fairness",
            limit=it["max_difference"],
            value=it["difference"],
            low=None,
            high=None,
            margin=None if it["difference"] is None else it["max_difference"] - it["difference"],
            unit="",
            on_fail=it["on_fail"],
            outcome=it["outcome"],
            reason=it["reason"],
        )
        for it in found
    ]


def _groups(
    limit: Limit, frame: pd.DataFrame, predictions: Predictions, feature: Feature | None
) -> dict[str, FairnessGroup]:
    """Empty where the metric is of two classes and the model has more."""
    if limit.column not in frame.columns:
        raise StageError(
            f"'evaluate.fairness' names '{limit.column}', which is not a column of the holdout",
            f"the columns are {', '.join(map(str, frame.columns))}",
        )
    if limit.metric in _TWO_CLASSES and predictions.kind != "binary":
        return {}
    score, counted = _by_row(limit.metric, predictions)
    groups = {}
    for label, rows in slice_rows(frame, limit.column, feature):
        scored = score[rows][counted[rows]]
        value = float(scored.mean()) if len(scored) >= LEAST_ROWS else None
        groups[label] = FairnessGroup(rows=len(rows), value=value)
    return groups


def _by_row(metric: FairnessMetric, predictions: Predictions) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """What each row adds to the metric's mean (n), and the rows that the mean is of (n)."""
    truth, decided = predictions.truth, predictions.decisions()
    every = np.ones(len(truth), dtype=bool)
    flagged, error = (decided == 1).astype(np.float64), decided - truth
    means: dict[FairnessMetric, tuple[NDArray[Any], NDArray[np.bool_]]] = {
        "selection_rate": (flagged, every),
        "recall": (flagged, truth == 1),
        "false_positive_rate": (flagged, truth == 0),
        "precision": ((truth == 1).astype(np.float64), decided == 1),
        "accuracy": ((decided == truth).astype(np.float64), every),
        "mae": (np.abs(error), every),
        "mean_error": (error, every),
    }
    return means[metric]


def _fairness(
    name: str, limit: Limit, groups: dict[str, FairnessGroup], predictions: Predictions, model: Model
) -> Fairness:
    values = {label: group["value"] for label, group in groups.items() if group["value"] is not None}
    difference = max(values.values()) - min(values.values()) if len(values) > 1 else None
    outcome, reason = _judged(limit, difference, values, groups, predictions, model)
    return Fairness(
        name=name,
        column=limit.column,
        metric=limit.metric,
        groups=groups,
        difference=difference,
        max_difference=limit.max_difference,
        outcome=outcome,
        on_fail=limit.on_fail,
        reason=reason,
    )


def _judged(
    limit: Limit,
    difference: float | None,
    values: Mapping[str, float],
    groups: Mapping[str, FairnessGroup],
    predictions: Predictions,
    model: Model,
) -> tuple[Outcome, str]:
    if limit.metric in _TWO_CLASSES and predictions.kind != "binary":
        classes = predictions.outputs.shape[1]
        return failed(limit.on_fail), f"'{limit.metric}' is of two classes, and the model has {classes}"
    left_out = len(groups) - len(values)
    without = f"; left out: {left_out} with fewer than {LEAST_ROWS} rows that it is of" if left_out else ""
    if difference is None:
        outcome = failed(milder(limit.on_fail, model.compare.on_unknown))
        return (
            outcome,
            f"too little data to say: {len(values)} of {len(groups)} groups can be counted{without}",
        )
    most, least = max(values, key=lambda label: values[label]), min(values, key=lambda label: values[label])
    reason = (
        f"{limit.metric} is {shown(values[most], '')} for '{most}' and {shown(values[least], '')} for '{least}'; "
        f"at most {shown(limit.max_difference, '')} between them is allowed{without}"
    )
    return ("pass" if difference <= limit.max_difference else failed(limit.on_fail)), reason
