"""The stage that judges: holdout and estimator in; metrics with intervals, slices, predictions and plots out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, roc_curve

from lockgate import contract
from lockgate_runtime.stages.bootstrap import custom_interval, intervals
from lockgate_runtime.stages.calibration import calibration_bins
from lockgate_runtime.stages.features import encode_target, to_features
from lockgate_runtime.stages.files import artifact, read_frame, read_json, replacing, write_frame, write_json
from lockgate_runtime.stages.metrics import (
    Predictions,
    custom_functions,
    described,
    point_values,
    statistic_of,
)
from lockgate_runtime.stages.predictor import estimator_outputs, load_estimator
from lockgate_runtime.stages.shown import number
from lockgate_runtime.stages.slices import slice_metrics
from lockgate_runtime.stages.user_code import StageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lockgate.spec.model import Model, Spec

Curve: TypeAlias = "tuple[NDArray[np.float64], NDArray[np.float64]]"
"""False positive rates and, of the same length, true positive rates."""

_ROC_POINTS = 200
_RESIDUALS = 500
_MOST_CONFUSION_CLASSES = 50


def run(spec: Spec, model: Model, root: Path) -> str:
    """Write METRICS, EVALUATION, PREDICTIONS and the plots of the model's kind."""
    del spec
    training: contract.Training = read_json(artifact(model, root, contract.TRAINING))
    holdout = read_frame(artifact(model, root, contract.HOLDOUT))
    predictions = predict(model, training, holdout, root)
    baseline = _baseline(model, training, predictions, root)
    evaluation = _evaluation(model, training, holdout, predictions, baseline, root)
    _write(model, root, evaluation, predictions)
    return _summary(evaluation)


def predict(model: Model, training: contract.Training, frame: pd.DataFrame, root: Path) -> Predictions:
    """The fitted estimator's outputs for the rows, beside their truth."""
    outputs = estimator_outputs(
        load_estimator(model, root), to_features(frame, training["inputs"]), training["kind"], root
    )
    classes = len(training["classes"])
    if training["kind"] != "regression" and outputs.shape[1] != classes:
        raise StageError(
            f"the estimator gives {outputs.shape[1]} probabilities a row, expected one for each of {classes} classes",
            "let 'predict_proba' give a column for every class that it was fitted on",
        )
    if not np.isfinite(outputs).all():
        rows = int((~np.isfinite(outputs.reshape(len(outputs), -1)).all(axis=1)).sum())
        raise StageError(
            f"the estimator's prediction is not a finite number for {rows:,} of {len(outputs):,} rows",
            "impute missing values in the estimator, or forbid them in 'data.columns'",
        )
    return _predictions(model, training, truth_of(frame[model.data.target], training), outputs)


def truth_of(target: pd.Series[Any], training: contract.Training) -> NDArray[Any]:
    """The target as class indexes, or of a regression as numbers (n)."""
    if training["kind"] == "regression":
        return target.to_numpy(np.float64)
    return encode_target(target, training["classes"])


def _predictions(
    model: Model, training: contract.Training, truth: NDArray[Any], outputs: NDArray[np.float64]
) -> Predictions:
    return Predictions(
        kind=training["kind"], truth=truth, outputs=outputs, threshold=model.evaluate.threshold
    )


def _baseline(model: Model, training: contract.Training, predictions: Predictions, root: Path) -> Predictions:
    """What would be said of the same rows knowing only the training rows' target: its shares, or its mean."""
    train = read_frame(artifact(model, root, contract.TRAIN))
    truth = truth_of(train[model.data.target], training)
    if training["kind"] == "regression":
        outputs = np.full(len(predictions.truth), truth.mean())
    else:
        shares = np.bincount(truth, minlength=len(training["classes"])) / len(truth)
        outputs = np.tile(shares, (len(predictions.truth), 1))
    return _predictions(model, training, predictions.truth, outputs)


def _evaluation(
    model: Model,
    training: contract.Training,
    holdout: pd.DataFrame,
    predictions: Predictions,
    baseline: Predictions,
    root: Path,
) -> contract.Evaluation:
    settings, rows = model.evaluate, len(predictions.truth)
    seed = (model.train.seed,)
    found = intervals(statistic_of(predictions), rows, settings, seed)
    scores = point_values(statistic_of(baseline), rows)
    for name, function in custom_functions(settings.metrics, root).items():
        found[name] = custom_interval(function, predictions, settings, seed)
        scores[name] = function(baseline)
    binary = training["kind"] == "binary"
    return contract.Evaluation(
        kind=training["kind"],
        rows=rows,
        confidence=settings.bootstrap_confidence,
        samples=settings.bootstrap_samples,
        threshold=settings.threshold if binary else None,
        positive=training["classes"][1] if binary else None,
        metrics={name: described(name, interval, settings.metrics) for name, interval in found.items()},
        baseline=scores,
        slices=slice_metrics(model, holdout, predictions, {it["name"]: it for it in training["inputs"]}),
        calibration=_calibration(predictions),
        confusion=_confusion(predictions, training["classes"]),
    )


def _calibration(predictions: Predictions) -> list[contract.CalibrationBin]:
    if predictions.kind == "regression":
        return []
    if predictions.kind == "binary":
        return calibration_bins(predictions.outputs[:, 1], predictions.truth == 1)
    decided = predictions.decisions()
    confidence = np.take_along_axis(predictions.outputs, decided[:, None], axis=1).ravel()
    return calibration_bins(confidence, predictions.truth == decided)


def _confusion(predictions: Predictions, classes: list[str]) -> contract.Confusion | None:
    """None for a regression, and where there are too many classes for anybody to read it."""
    if predictions.kind == "regression" or len(classes) > _MOST_CONFUSION_CLASSES:
        return None
    counts = confusion_matrix(predictions.truth, predictions.decisions(), labels=range(len(classes)))
    return contract.Confusion(labels=classes, counts=counts.tolist())


def _write(model: Model, root: Path, evaluation: contract.Evaluation, predictions: Predictions) -> None:
    values = {name: metric["value"] for name, metric in evaluation["metrics"].items()}
    defined = {name: value for name, value in values.items() if value is not None}
    write_json(artifact(model, root, contract.METRICS), defined)
    write_json(artifact(model, root, contract.EVALUATION), evaluation)
    write_frame(artifact(model, root, contract.PREDICTIONS), _prediction_frame(predictions))
    for name, frame in _plots(evaluation, predictions).items():
        with replacing(artifact(model, root, name)) as temporary:
            frame.to_csv(temporary, index=False, lineterminator="\n")


def _prediction_frame(predictions: Predictions) -> pd.DataFrame:
    if predictions.kind == "regression":
        return pd.DataFrame({"y_true": predictions.truth, "prediction": predictions.outputs})
    columns = {f"probability_{index}": column for index, column in enumerate(predictions.outputs.T)}
    return pd.DataFrame({"y_true": predictions.truth, **columns})


def _plots(evaluation: contract.Evaluation, predictions: Predictions) -> dict[str, pd.DataFrame]:
    if predictions.kind == "regression":
        return {contract.RESIDUALS_PLOT: _residuals(predictions)}
    columns = ["predicted", "observed", "rows"]
    calibration = pd.DataFrame(evaluation["calibration"], columns=columns)
    return {contract.CALIBRATION_PLOT: calibration, contract.ROC_PLOT: _roc(predictions)}


def _roc(predictions: Predictions) -> pd.DataFrame:
    """At most 200 points; of several classes the mean of each against the rest. None where only one class is."""
    truth, scores = predictions.truth, predictions.outputs
    present = np.unique(truth)
    if len(present) < 2:
        return pd.DataFrame({"fpr": [], "tpr": []})
    chosen = (1,) if predictions.kind == "binary" else present
    false, true = _mean_curve([roc_curve(truth == index, scores[:, index])[:2] for index in chosen])
    kept = _spread(len(false), _ROC_POINTS)
    return pd.DataFrame({"fpr": false[kept], "tpr": true[kept]}).round(6)


def _mean_curve(curves: Sequence[Curve]) -> Curve:
    if len(curves) == 1:
        return curves[0]
    grid = np.unique(np.concatenate([false for false, _ in curves]))
    heights = np.mean([np.interp(grid, false, true) for false, true in curves], axis=0)
    return np.r_[0.0, grid], np.r_[0.0, heights]


def _residuals(predictions: Predictions) -> pd.DataFrame:
    """At most 500 rows, evenly taken from the lowest prediction to the highest."""
    order = np.argsort(predictions.outputs, kind="stable")
    kept = order[_spread(len(order), _RESIDUALS)]
    return pd.DataFrame({"predicted": predictions.outputs[kept], "actual": predictions.truth[kept]})


def _spread(count: int, most: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


def _summary(evaluation: contract.Evaluation) -> str:
    name = {"binary": "roc_auc", "multiclass": "balanced_accuracy", "regression": "rmse"}[evaluation["kind"]]
    metric = evaluation["metrics"][name]
    shown = "undefined" if metric["value"] is None else number(metric["value"])
    if metric["low"] is not None and metric["high"] is not None:
        shown += f" [{number(metric['low'])}, {number(metric['high'])}]"
    return f"{name} {shown} on {evaluation['rows']:,} rows"
