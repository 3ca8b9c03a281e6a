"""What an estimator said of the holdout, and the metrics of it: values now, or for any weights of its rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from lockgate.contract import Metric
from lockgate.spec.metrics import METRICS
from lockgate_runtime.stages.classification import (
    Floats,
    Statistic,
    binary_statistic,
    multiclass_statistic,
)
from lockgate_runtime.stages.user_code import StageError, load_function

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from lockgate.contract import Interval, Kind
    from lockgate.spec.model import CustomMetric


@dataclass(frozen=True, kw_only=True, slots=True)
class Predictions:
    """Truth (n) and outputs of the holdout's rows.

    Of classes the truth is their index and the outputs are probabilities (n, k); of a regression both are values (n).
    """

    kind: Kind
    truth: NDArray[Any]
    outputs: Floats
    threshold: float

    def take(self, rows: NDArray[np.int64]) -> Predictions:
        return replace(self, truth=self.truth[rows], outputs=self.outputs[rows])

    def decisions(self) -> NDArray[Any]:
        """The predicted class's index, or value, of each row (n)."""
        if self.kind == "regression":
            return self.outputs
        if self.kind == "binary":
            return (self.outputs[:, 1] >= self.threshold).astype(np.int64)
        decided: NDArray[np.int64] = self.outputs.argmax(axis=1)
        return decided


def statistic_of(predictions: Predictions) -> Statistic:
    """All metrics of the catalogue for that kind of model, as a function of weights (b, n) of the rows."""
    truth, outputs = predictions.truth, predictions.outputs
    if predictions.kind == "binary":
        return binary_statistic(truth, outputs[:, 1], predictions.decisions())
    if predictions.kind == "multiclass":
        return multiclass_statistic(truth, outputs, predictions.decisions())
    return regression_statistic(truth, outputs)


def regression_statistic(truth: Floats, predicted: Floats) -> Statistic:
    """All metrics of a regression: truth and predictions (n)."""
    error = np.abs(truth - predicted)
    # Sums of squares of a target far from zero lose their digits; R² does not change with the origin.
    centred = truth - truth.mean()
    relative = error / np.abs(truth) if (truth != 0).all() else np.full(len(truth), np.nan)
    columns = np.column_stack((error**2, error, relative, centred, centred**2))
    order = np.argsort(error, kind="stable")

    def statistic(weights: Floats) -> dict[str, Floats]:
        rows = weights.sum(axis=1)
        squares, absolute, ratio, first, second = (weights @ columns).T
        variance = second - first**2 / rows
        with np.errstate(divide="ignore", invalid="ignore"):
            explained = np.where(variance > 0, 1 - squares / variance, np.nan)
        return {
            "rmse": np.sqrt(squares / rows),
            "mae": absolute / rows,
            "median_absolute_error": _weighted_median(error[order], weights[:, order]),
            "r2": explained,
            "mape": ratio / rows,
        }

    return statistic


def point_values(statistic: Statistic, rows: int) -> dict[str, float | None]:
    """The metrics of the rows as they are; None where one is undefined."""
    values = statistic(np.ones((1, rows)))
    return {name: float(value[0]) if np.isfinite(value[0]) else None for name, value in values.items()}


def custom_functions(
    metrics: Mapping[str, CustomMetric], root: Path
) -> dict[str, Callable[[Predictions], float | None]]:
    """The user's own metrics, each as a function of predictions. Raises `StageError` where one is no number."""
    return {name: _custom(name, metric, root) for name, metric in metrics.items()}


def described(name: str, interval: Interval, custom: Mapping[str, CustomMetric]) -> Metric:
    """The interval with what the catalogue, or the spec, says of the metric."""
    if name in custom:
        description = f"The model's own metric {custom[name].function}."
        return Metric(**interval, better=custom[name].better, unit="", description=description)
    info = METRICS[name]
    return Metric(**interval, better=info.better, unit=info.unit, description=info.description)


def _weighted_median(ordered: Floats, weights: Floats) -> Floats:
    """Of whole-number weights (b, n) over sorted values (n): the mean of the two middle ones where they are even."""
    reached = np.cumsum(weights, axis=1)
    half = reached[:, -1:] / 2
    lower, upper = (reached >= half).argmax(axis=1), (reached > half).argmax(axis=1)
    middle: Floats = (ordered[lower] + ordered[upper]) / 2
    return middle


def _custom(name: str, metric: CustomMetric, root: Path) -> Callable[[Predictions], float | None]:
    function = load_function(metric.function, root)

    def value(predictions: Predictions) -> float | None:
        arguments = {"y_true": predictions.truth, "y_pred": predictions.decisions()}
        if predictions.kind != "regression":
            arguments["y_proba"] = predictions.outputs
        found = function(**arguments)
        if not isinstance(found, int | float | np.number):
            raise StageError(
                f"metric '{name}': '{metric.function}' returned a value of type '{type(found).__name__}', "
                "expected one number",
                "return a float",
            )
        return float(found) if np.isfinite(found) else None

    return value
