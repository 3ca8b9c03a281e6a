"""Metrics against scikit-learn's, and weights against rows that are really repeated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as sklearn_metrics

from lockgate.spec.metrics import METRICS
from lockgate.spec.model import CustomMetric
from lockgate_runtime.stages.calibration import calibration_bins
from lockgate_runtime.stages.metrics import Predictions, custom_functions, point_values, statistic_of
from lockgate_runtime.stages.user_code import StageError

if TYPE_CHECKING:
    from lockgate.contract import Kind

OPERATIONAL = {"latency_p50", "latency_p99", "served_latency_p99", "model_size", "invalid_rows"}


def binary(rows: int = 400, seed: int = 0) -> Predictions:
    """Scores of two digits, so that there are ties."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 2, rows)
    score = np.clip(generator.normal(0.4 + 0.2 * truth, 0.2), 0.01, 0.99).round(2)
    return made("binary", truth, np.column_stack((1 - score, score)))


def multiclass(rows: int = 400, classes: int = 4) -> Predictions:
    generator = np.random.default_rng(1)
    truth = generator.integers(0, classes, rows)
    raw = generator.random((rows, classes)) + np.eye(classes)[truth] * 0.5
    return made("multiclass", truth, raw / raw.sum(axis=1, keepdims=True))


def regression(rows: int = 401) -> Predictions:
    generator = np.random.default_rng(2)
    truth = generator.normal(1000, 5, rows)
    return made("regression", truth, truth + generator.normal(1, 3, rows))


def made(kind: Kind, truth: NDArray[Any], outputs: NDArray[Any], threshold: float = 0.45) -> Predictions:
    return Predictions(kind=kind, truth=truth, outputs=outputs, threshold=threshold)


def values(predictions: Predictions) -> dict[str, float | None]:
    return point_values(statistic_of(predictions), len(predictions.truth))


def test_binary_metrics_are_those_of_scikit_learn() -> None:
    predictions = binary()
    truth, score = predictions.truth, predictions.outputs[:, 1]
    decided = score >= 0.45
    found = values(predictions)
    del found["expected_calibration_error"]
    assert found == pytest.approx(
        {
            "roc_auc": sklearn_metrics.roc_auc_score(truth, score),
            "average_precision": sklearn_metrics.average_precision_score(truth, score),
            "accuracy": sklearn_metrics.accuracy_score(truth, decided),
            "balanced_accuracy": sklearn_metrics.balanced_accuracy_score(truth, decided),
            "precision": sklearn_metrics.precision_score(truth, decided),
            "recall": sklearn_metrics.recall_score(truth, decided),
            "f1": sklearn_metrics.f1_score(truth, decided),
            "log_loss": sklearn_metrics.log_loss(truth, score),
            "brier": sklearn_metrics.brier_score_loss(truth, score),
            "mcc": sklearn_metrics.matthews_corrcoef(truth, decided),
        }
    )


def test_multiclass_metrics_are_those_of_scikit_learn() -> None:
    predictions = multiclass()
    truth, probabilities = predictions.truth, predictions.outputs
    decided, each = probabilities.argmax(axis=1), np.eye(4)[truth]
    found = values(predictions)
    del found["expected_calibration_error"]
    assert found == pytest.approx(
        {
            "roc_auc": sklearn_metrics.roc_auc_score(truth, probabilities, multi_class="ovr"),
            "average_precision": sklearn_metrics.average_precision_score(each, probabilities),
            "accuracy": sklearn_metrics.accuracy_score(truth, decided),
            "balanced_accuracy": sklearn_metrics.balanced_accuracy_score(truth, decided),
            "precision": sklearn_metrics.precision_score(truth, decided, average="macro"),
            "recall": sklearn_metrics.recall_score(truth, decided, average="macro"),
            "f1": sklearn_metrics.f1_score(truth, decided, average="macro"),
            "log_loss": sklearn_metrics.log_loss(truth, probabilities),
            "brier": ((probabilities - each) ** 2).sum(axis=1).mean(),
            "mcc": sklearn_metrics.matthews_corrcoef(truth, decided),
        }
    )


def test_regression_metrics_are_those_of_scikit_learn() -> None:
    predictions = regression()
    truth, predicted = predictions.truth, predictions.outputs
    assert values(predictions) == pytest.approx(
        {
            "rmse": sklearn_metrics.root_mean_squared_error(truth, predicted),
            "mae": sklearn_metrics.mean_absolute_error(truth, predicted),
            "median_absolute_error": sklearn_metrics.median_absolute_error(truth, predicted),
            "r2": sklearn_metrics.r2_score(truth, predicted),
            "mape": sklearn_metrics.mean_absolute_percentage_error(truth, predicted),
        }
    )


@pytest.mark.parametrize("predictions", [binary(61), multiclass(61), regression(61)], ids=lambda it: it.kind)
def test_weights_mean_rows_that_are_there_several_times(predictions: Predictions) -> None:
    counts = np.random.default_rng(3).integers(0, 4, (5, 61))
    weighted = statistic_of(predictions)(counts.astype(np.float64))
    # Calibration bins belong to the whole holdout: those of the repeated rows lie elsewhere.
    weighted.pop("expected_calibration_error", None)
    for sample, count in enumerate(counts):
        expected = values(predictions.take(np.repeat(np.arange(61), count)))
        expected.pop("expected_calibration_error", None)
        assert {name: value[sample] for name, value in weighted.items()} == pytest.approx(expected)


def test_calibration_error_is_the_mean_gap_of_ten_bins_of_equal_size() -> None:
    score = np.linspace(0.05, 0.95, 100)
    truth = (np.arange(100) % 2).astype(np.int64)
    gaps = [abs(score[at : at + 10].mean() - 0.5) for at in range(0, 100, 10)]
    found = values(made("binary", truth, np.column_stack((1 - score, score))))
    assert found["expected_calibration_error"] == pytest.approx(np.mean(gaps))


def test_calibration_bins_hold_every_row_once() -> None:
    bins = calibration_bins(
        np.array([0.1] * 50 + [0.9] * 50), np.array([False] * 50 + [True] * 40 + [False] * 10)
    )
    assert bins == [
        {"rows": 50, "predicted": pytest.approx(0.1), "observed": 0.0},
        {"rows": 50, "predicted": pytest.approx(0.9), "observed": 0.8},
    ]


def test_one_class_leaves_only_what_needs_no_second_class() -> None:
    found = values(made("binary", np.zeros(40, dtype=np.int64), np.tile([0.7, 0.3], (40, 1))))
    defined = {name for name, value in found.items() if value is not None}
    assert defined == {"accuracy", "log_loss", "brier", "expected_calibration_error"}


def test_a_class_that_the_rows_lack_does_not_count() -> None:
    predictions = multiclass()
    present = predictions.take(np.flatnonzero(predictions.truth != 3))
    shares = [
        sklearn_metrics.roc_auc_score(present.truth == index, present.outputs[:, index]) for index in range(3)
    ]
    assert values(present)["roc_auc"] == pytest.approx(np.mean(shares))


def test_a_certain_but_wrong_prediction_has_a_finite_loss() -> None:
    found = values(made("binary", np.array([0, 1] * 20), np.tile([1.0, 0.0], (40, 1))))
    assert found["log_loss"] == pytest.approx(sklearn_metrics.log_loss([0, 1] * 20, [0.0] * 40))


def test_a_relative_error_of_zero_is_undefined() -> None:
    assert values(made("regression", np.array([0.0, 1.0]), np.array([1.0, 1.0])))["mape"] is None


def test_a_constant_target_has_no_explained_variance() -> None:
    assert values(made("regression", np.ones(40), np.arange(40.0)))["r2"] is None


@pytest.mark.parametrize(
    ("predictions", "task"),
    [(binary(), "classification"), (multiclass(), "classification"), (regression(), "regression")],
)
def test_the_catalogue_names_what_is_computed(predictions: Predictions, task: str) -> None:
    assert (
        set(values(predictions))
        == {name for name, info in METRICS.items() if task in info.tasks} - OPERATIONAL
    )


def test_a_metric_of_the_user_is_given_codes_decisions_and_probabilities(
    tmp_path: Path, clean_imports: None
) -> None:
    code = "def hits(y_true, y_pred, y_proba):\n    return ((y_true == y_pred) * y_proba[:, 1]).sum()\n"
    (tmp_path / "own.py").write_text(code)
    functions = custom_functions({"hits": CustomMetric(function="own:hits", better="higher")}, tmp_path)
    predictions = made("binary", np.array([1, 0, 1]), np.array([[0.2, 0.8], [0.9, 0.1], [0.7, 0.3]]))
    assert functions["hits"](predictions) == pytest.approx(0.9)


def test_a_metric_of_the_user_that_is_no_number_is_refused(tmp_path: Path, clean_imports: None) -> None:
    (tmp_path / "own.py").write_text("def text(y_true, y_pred):\n    return 'good'\n")
    functions = custom_functions({"text": CustomMetric(function="own:text", better="higher")}, tmp_path)
    with pytest.raises(StageError) as caught:
        functions["text"](regression())
    assert (
        str(caught.value) == "metric 'text': 'own:text' returned a value of type 'str', expected one number"
    )
