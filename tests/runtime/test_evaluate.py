"""The stage on a real small project: what it writes, for each kind of model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.runtime.stage_runs import artifact, artifact_json, run_stage, run_until

from lockgate import contract
from lockgate.contract import Feature
from lockgate.spec.model import CustomMetric, Model, Spec
from lockgate_runtime.stages.slices import slice_rows
from lockgate_runtime.stages.user_code import StageError

Make = Callable[..., Model]
MakeSpec = Callable[[Model], Spec]


def regression_of(make_model: Make) -> Model:
    return make_model(
        task="regression",
        data={"target": "minutes"},
        train={"estimator": "team.model:build_regression"},
        evaluate={"slices": ("distance",)},
    )


def test_a_binary_model_is_evaluated(project: Path, make_model: Make, make_spec: MakeSpec) -> None:
    model = make_model()
    said = run_until("evaluate", make_spec(model), model, project)[-1]
    evaluation = artifact_json(model, project, contract.EVALUATION)
    auc = evaluation["metrics"]["roc_auc"]
    assert said == f"roc_auc {auc['value']:.4g} [{auc['low']:.4g}, {auc['high']:.4g}] on 120 rows"
    assert {key: evaluation[key] for key in ("kind", "rows", "threshold", "positive", "samples")} == {
        "kind": "binary",
        "rows": 120,
        "threshold": 0.5,
        "positive": "True",
        "samples": 100,
    }
    assert auc["better"] == "higher"
    assert 0.5 < auc["low"] < auc["value"] < auc["high"] <= 1
    assert evaluation["baseline"]["roc_auc"] == 0.5
    assert sum(map(sum, evaluation["confusion"]["counts"])) == 120
    assert sum(item["rows"] for item in evaluation["calibration"]) == 120
    assert sorted(item["label"] for item in evaluation["slices"]["line"]) == ["A", "B", "C"]
    assert sum(item["rows"] for item in evaluation["slices"]["line"]) == 120


def test_metrics_are_a_flat_map_of_numbers(project: Path, make_model: Make, make_spec: MakeSpec) -> None:
    model = make_model()
    run_until("evaluate", make_spec(model), model, project)
    evaluation = artifact_json(model, project, contract.EVALUATION)
    expected = {name: metric["value"] for name, metric in evaluation["metrics"].items()}
    assert artifact_json(model, project, contract.METRICS) == expected


def test_predictions_and_plots_of_a_binary_model(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    model = make_model()
    run_until("evaluate", make_spec(model), model, project)
    predictions = pd.read_parquet(artifact(model, project, contract.PREDICTIONS))
    assert list(predictions.columns) == ["y_true", "probability_0", "probability_1"]
    total = (predictions["probability_0"] + predictions["probability_1"]).to_numpy()
    assert total == pytest.approx(np.ones(120))
    roc = pd.read_csv(artifact(model, project, contract.ROC_PLOT))
    assert roc.iloc[[0, -1]].to_dict("list") == {"fpr": [0.0, 1.0], "tpr": [0.0, 1.0]}
    calibration = pd.read_csv(artifact(model, project, contract.CALIBRATION_PLOT))
    assert list(calibration.columns) == ["predicted", "observed", "rows"]
    assert calibration["rows"].sum() == 120
    assert not artifact(model, project, contract.RESIDUALS_PLOT).exists()


def test_two_runs_write_equal_bytes(project: Path, make_model: Make, make_spec: MakeSpec) -> None:
    model = make_model()
    spec = make_spec(model)
    run_until("evaluate", spec, model, project)
    names = (contract.METRICS, contract.EVALUATION, contract.PREDICTIONS, contract.ROC_PLOT)
    before = [artifact(model, project, name).read_bytes() for name in names]
    run_stage("evaluate", spec, model, project)
    assert [artifact(model, project, name).read_bytes() for name in names] == before


def test_a_regression_is_evaluated(project: Path, make_model: Make, make_spec: MakeSpec) -> None:
    model = regression_of(make_model)
    run_until("evaluate", make_spec(model), model, project)
    evaluation = artifact_json(model, project, contract.EVALUATION)
    assert evaluation["metrics"]["rmse"]["high"] < evaluation["baseline"]["rmse"]
    assert evaluation["calibration"] == []
    assert evaluation["confusion"] is None
    assert evaluation["threshold"] is None
    assert [item["rows"] for item in evaluation["slices"]["distance"]] == [30, 30, 30, 30]
    residuals = pd.read_csv(artifact(model, project, contract.RESIDUALS_PLOT))
    assert list(residuals.columns) == ["predicted", "actual"]
    assert len(residuals) == 120


def test_a_multiclass_model_is_evaluated(project: Path, make_model: Make, make_spec: MakeSpec) -> None:
    code = (project / "team/model.py").read_text()
    (project / "team/model.py").write_text(
        code.replace('(OneHotEncoder(handle_unknown="ignore"), ["line"]),', "")
    )
    model = make_model(data={"target": "line"}, evaluate={"slices": ("express", "stops")})
    run_until("evaluate", make_spec(model), model, project)
    evaluation = artifact_json(model, project, contract.EVALUATION)
    assert evaluation["kind"] == "multiclass"
    assert evaluation["confusion"]["labels"] == ["A", "B", "C"]
    assert {item["label"] for item in evaluation["slices"]["express"]} == {"True", "False"}
    assert evaluation["slices"]["stops"][-1]["label"] == "(missing)"
    columns = pd.read_parquet(artifact(model, project, contract.PREDICTIONS)).columns
    assert list(columns) == ["y_true", "probability_0", "probability_1", "probability_2"]
    roc = pd.read_csv(artifact(model, project, contract.ROC_PLOT))
    assert roc.iloc[[0, -1]].to_dict("list") == {"fpr": [0.0, 1.0], "tpr": [0.0, 1.0]}
    assert (roc["fpr"].is_monotonic_increasing, roc["tpr"].is_monotonic_increasing) == (True, True)
    assert np.trapezoid(roc["tpr"], roc["fpr"]) == pytest.approx(
        evaluation["metrics"]["roc_auc"]["value"], abs=0.02
    )


def test_a_metric_of_the_user_stands_beside_the_others(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    (project / "team/own.py").write_text("def said(y_true, y_pred, y_proba):\n    return y_pred.sum()\n")
    model = make_model(evaluate={"metrics": {"said": CustomMetric(function="team.own:said", better="lower")}})
    run_until("evaluate", make_spec(model), model, project)
    evaluation = artifact_json(model, project, contract.EVALUATION)
    said = evaluation["metrics"]["said"]
    assert said["value"] == sum(counts[1] for counts in evaluation["confusion"]["counts"])
    assert said["low"] <= said["value"] <= said["high"]
    assert said["better"] == "lower"


def test_an_unknown_slicing_column_is_named(project: Path, make_model: Make, make_spec: MakeSpec) -> None:
    model = make_model(evaluate={"slices": ("route",)})
    with pytest.raises(StageError) as caught:
        run_until("evaluate", make_spec(model), model, project)
    assert str(caught.value) == "'evaluate.slices' names 'route', which is not a column of the holdout"


def test_a_missing_estimator_says_what_to_run(project: Path, make_model: Make, make_spec: MakeSpec) -> None:
    model = make_model()
    run_until("train", make_spec(model), model, project)
    artifact(model, project, contract.ESTIMATOR).unlink()
    with pytest.raises(StageError) as caught:
        run_stage("evaluate", make_spec(model), model, project)
    assert "estimator.joblib' does not exist" in str(caught.value)


def labels_of(values: object, declared: Feature | None = None) -> dict[str, int]:
    frame = pd.DataFrame({"x": values})
    return {label: len(rows) for label, rows in slice_rows(frame, "x", declared)}


def test_numbers_are_cut_into_quarters_that_say_where() -> None:
    assert labels_of([*range(100), None]) == {
        "below 24.75": 25,
        "24.75 to below 49.5": 25,
        "49.5 to below 74.25": 25,
        "74.25 and above": 25,
        "(missing)": 1,
    }


def test_a_constant_number_is_one_slice() -> None:
    assert labels_of([3.0] * 10) == {"3 and above": 10}


def test_numbers_declared_as_a_category_are_sliced_by_value() -> None:
    assert labels_of([1, 1, 2], Feature(name="x", type="category", nullable=False)) == {"1": 2, "2": 1}


def test_rare_values_are_put_together() -> None:
    values = [f"v{index:02}" for index in range(40) for _ in range(41 - index)]
    found = labels_of(values)
    assert list(found)[:2] == ["v00", "v01"]
    assert len(found) == 31
    assert found["(other)"] == sum(41 - index for index in range(30, 40))
