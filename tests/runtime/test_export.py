"""Real estimators through ONNX or skops, held against themselves; what cannot be served is refused with the fix."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.runtime.stage_runs import artifact, artifact_json, run_stage, run_until

from lockgate import contract
from lockgate.contract import Feature
from lockgate.spec.model import Model, Spec
from lockgate_runtime.stages.export import parity_of
from lockgate_runtime.stages.features import to_features
from lockgate_runtime.stages.files import read_frame
from lockgate_runtime.stages.predictor import load_predictor
from lockgate_runtime.stages.reference import category_histogram, decile_edges, number_histogram
from lockgate_runtime.stages.user_code import StageError

Make = Callable[..., Model]
MakeSpec = Callable[[Model], Spec]

HEAD = """
import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.ensemble import *
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

NUMBERS, WORDS = ["distance", "stops", "express"], ["line"]
codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
as_they_are = make_column_transformer(("passthrough", NUMBERS), (codes, WORDS))
imputed = make_column_transformer((SimpleImputer(), NUMBERS), (codes, WORDS))
scaled = make_column_transformer(
    (make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS), (OneHotEncoder(handle_unknown="ignore"), WORDS)
)
"""
CLASSIFIERS = {
    "boosting that takes missing values": "make_pipeline(as_they_are, HistGradientBoostingClassifier(max_iter=10))",
    "logistic regression": "make_pipeline(scaled, LogisticRegression())",
    "a forest": "make_pipeline(imputed, RandomForestClassifier(10))",
}
REGRESSIONS = {
    "boosting that takes missing values": "make_pipeline(as_they_are, HistGradientBoostingRegressor(max_iter=10))",
    "ridge": "make_pipeline(scaled, Ridge())",
    "a forest": "make_pipeline(imputed, RandomForestRegressor(10))",
}
FUNCTION = "make_pipeline(make_column_transformer((FunctionTransformer(np.nan_to_num), NUMBERS)), LogisticRegression())"
FOREST_OF_MISSING = "make_pipeline(as_they_are, RandomForestClassifier(20))"


def exported(project: Path, spec: Spec, model: Model, estimator: str) -> dict[str, Any]:
    """The EXPORT of a project with that estimator, in whose holdout a line appears that training never saw."""
    (project / "team/model.py").write_text(f"{HEAD}\n\ndef build():\n    return {estimator}\n")
    for name in ("team.model", "team"):
        sys.modules.pop(name, None)  # A test may write one estimator after the other.
    run_until("split", spec, model, project)
    path = artifact(model, project, contract.HOLDOUT)
    holdout = read_frame(path)
    if model.data.target != "line":
        holdout.loc[:5, "line"] = "never seen"
    holdout.to_parquet(path)
    run_stage("train", spec, model, project)
    run_stage("export", spec, model, project)
    result: dict[str, Any] = artifact_json(model, project, contract.EXPORT)
    return result


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_becomes_onnx(name: str, project: Path, make_model: Make, make_spec: MakeSpec) -> None:
    model = make_model()
    result = exported(project, make_spec(model), model, CLASSIFIERS[name])
    assert (result["format"], result["fallback_reason"]) == ("onnx", None)
    assert result["parity"]["rows"] == 120
    assert result["parity"]["beyond_tolerance"] == 0


@pytest.mark.parametrize("name", REGRESSIONS)
def test_a_regression_becomes_onnx(name: str, project: Path, make_model: Make, make_spec: MakeSpec) -> None:
    model = make_model(task="regression", data={"target": "minutes"})
    result = exported(project, make_spec(model), model, REGRESSIONS[name])
    assert (result["format"], result["parity"]["beyond_tolerance"]) == ("onnx", 0)


def test_a_multiclass_model_becomes_onnx(project: Path, make_model: Make, make_spec: MakeSpec) -> None:
    model = make_model(data={"target": "line"})
    estimator = "make_pipeline(SimpleImputer(), HistGradientBoostingClassifier(max_iter=5))"
    result = exported(project, make_spec(model), model, estimator)
    assert (result["format"], result["parity"]["beyond_tolerance"]) == ("onnx", 0)
    signature = artifact_json(model, project, "model/signature.json")
    assert (signature["classes"], signature["positive"], signature["threshold"]) == (
        ["A", "B", "C"],
        None,
        None,
    )


def test_the_directory_holds_all_that_serving_needs(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    model = make_model()
    result = exported(project, make_spec(model), model, CLASSIFIERS["logistic regression"])
    directory = artifact(model, project, contract.MODEL_DIRECTORY)
    assert sorted(path.name for path in directory.iterdir()) == [
        "SHA256SUMS",
        "model.onnx",
        "reference.json",
        "signature.json",
    ]
    data = (directory / result["file"]).read_bytes()
    assert (result["sha256"], result["size_bytes"]) == (hashlib.sha256(data).hexdigest(), len(data))
    sums = (directory / contract.SHA256SUMS).read_bytes()
    assert result["artifact_sha256"] == hashlib.sha256(sums).hexdigest()
    signature = artifact_json(model, project, "model/signature.json")
    assert [it["name"] for it in signature["inputs"]] == ["distance", "stops", "line", "express", "minutes"]
    assert {
        key: signature[key] for key in ("model", "kind", "target", "classes", "positive", "threshold")
    } == {
        "model": "late-bus",
        "kind": "binary",
        "target": "late",
        "classes": ["False", "True"],
        "positive": "True",
        "threshold": 0.5,
    }


def test_the_models_hashes_are_what_sha256sum_checks(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    model = make_model()
    exported(project, make_spec(model), model, CLASSIFIERS["logistic regression"])
    checked = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"],
        cwd=artifact(model, project, contract.MODEL_DIRECTORY),
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.stdout == "model.onnx: OK\nreference.json: OK\nsignature.json: OK\n"


def test_a_row_alone_is_predicted_as_among_others(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    model = make_model()
    for estimator, expected in ((CLASSIFIERS["logistic regression"], "onnx"), (FUNCTION, "skops")):
        assert exported(project, make_spec(model), model, estimator)["format"] == expected
        predictor = load_predictor(artifact(model, project, contract.MODEL_DIRECTORY))
        inputs = artifact_json(model, project, "model/signature.json")["inputs"]
        features = to_features(read_frame(artifact(model, project, contract.HOLDOUT)), inputs).head(5)
        rows = [predictor.predict_row(row) for row in features.itertuples(index=False, name=None)]
        assert np.vstack(rows) == pytest.approx(predictor.predict(features), abs=1e-6)


def test_what_onnx_cannot_express_becomes_skops(project: Path, make_model: Make, make_spec: MakeSpec) -> None:
    model = make_model()
    result = exported(project, make_spec(model), model, FUNCTION)
    assert (result["format"], result["file"]) == ("skops", "model.skops")
    assert result["fallback_reason"].startswith(
        "the estimator cannot be converted to ONNX: RuntimeError: Function"
    )
    directory = artifact(model, project, contract.MODEL_DIRECTORY)
    assert sorted(path.name for path in directory.iterdir()) == [
        "SHA256SUMS",
        "model.skops",
        "reference.json",
        "signature.json",
    ]


def test_a_converter_that_gets_missing_values_wrong_is_caught(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    """skl2onnx sends missing values of a forest down the wrong branch, and says nothing."""
    model = make_model(export={"trusted": ("sklearn.tree._tree.Tree",)})
    result = exported(project, make_spec(model), model, FOREST_OF_MISSING)
    assert result["format"] == "skops"
    assert "differs from the estimator by more than 0.0001 on" in result["fallback_reason"]
    assert result["trusted"] == ["sklearn.tree._tree.Tree"]


def test_trees_behind_a_scaler_are_caught_where_rows_lie_on_a_split(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    """Whole numbers lie in the middle of others, and scaling in 32 bits moves them to the split's other side."""
    model = make_model(export={"trusted": ("sklearn.tree._tree.Tree",)})
    result = exported(project, make_spec(model), model, "make_pipeline(scaled, RandomForestClassifier(10))")
    assert result["format"] == "skops"
    assert "differs from the estimator by more than 0.0001 on" in result["fallback_reason"]


def test_a_type_that_nobody_vouches_for_is_refused_with_the_fix(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    model = make_model(export={"format": "skops"})
    with pytest.raises(StageError) as caught:
        exported(project, make_spec(model), model, CLASSIFIERS["a forest"])
    assert (
        caught.value.message == "the skops file holds types that are not trusted: 'sklearn.tree._tree.Tree'"
    )
    assert caught.value.help.endswith("add to the spec: export.trusted: [sklearn.tree._tree.Tree]")


def test_onnx_alone_allowed_is_an_error_where_it_is_not_possible(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    model = make_model(export={"format": "onnx"})
    with pytest.raises(StageError, match="cannot be converted to ONNX"):
        exported(project, make_spec(model), model, FUNCTION)


def test_nothing_of_an_earlier_export_stays(project: Path, make_model: Make, make_spec: MakeSpec) -> None:
    model = make_model()
    exported(project, make_spec(model), model, FUNCTION)
    exported(project, make_spec(model), model, CLASSIFIERS["logistic regression"])
    directory = artifact(model, project, contract.MODEL_DIRECTORY)
    assert sorted(path.name for path in directory.iterdir()) == [
        "SHA256SUMS",
        "model.onnx",
        "reference.json",
        "signature.json",
    ]


CONVERT = """
import joblib, json, sys
sys.path.insert(0, sys.argv[1])
from lockgate_runtime.stages import onnx_model, skops_model
folder = f"{sys.argv[1]}/artifacts/late-bus"
estimator = joblib.load(f"{folder}/estimator.joblib")
inputs = json.load(open(f"{folder}/training.json"))["inputs"]
sys.stdout.buffer.write(onnx_model.to_onnx(estimator, inputs, "binary") + skops_model.dumps(estimator))
"""


@pytest.mark.slow
def test_equal_estimators_give_equal_bytes(project: Path, make_model: Make, make_spec: MakeSpec) -> None:
    model = make_model()
    exported(project, make_spec(model), model, CLASSIFIERS["logistic regression"])
    written = {
        subprocess.run(
            [sys.executable, "-c", CONVERT, str(project)],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        ).stdout
        for seed in ("1", "20")  # With these the converter lists operator sets in different orders.
    }
    assert len(written) == 1
    assert written.pop().startswith(artifact(model, project, "model/model.onnx").read_bytes())


def test_a_difference_counts_by_row_and_a_missing_number_as_one(make_model: Make) -> None:
    expected = np.array([[0.1, 0.9], [0.2, 0.8], [0.5, 0.5]])
    outputs = np.array([[0.1, 0.9], [0.2, np.nan], [0.4, 0.6]])
    assert parity_of(expected, outputs, 1.0, make_model()) == {
        "rows": 3,
        "max_abs_difference": 1.0,
        "tolerance": 0.0001,
        "beyond_tolerance": 2,
        "max_disagreement": 0.001,
    }


def test_a_directory_with_two_models_is_not_loaded(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    model = make_model()
    exported(project, make_spec(model), model, CLASSIFIERS["logistic regression"])
    directory = artifact(model, project, contract.MODEL_DIRECTORY)
    (directory / "model.skops").write_bytes(b"")
    with pytest.raises(StageError, match=r"holds model\.onnx and model\.skops, expected one of"):
        load_predictor(directory)


def test_reference_counts_every_training_row_once(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    model = make_model()
    exported(project, make_spec(model), model, CLASSIFIERS["logistic regression"])
    reference = artifact_json(model, project, "model/reference.json")
    assert {sum(it["counts"]) for it in reference["features"].values()} == {reference["rows"]}
    assert reference["features"]["express"]["edges"] == [0.5]
    assert reference["predictions"]["edges"] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert sum(reference["predictions"]["counts"]) == 120
    # Of the lines none is unlisted in training, and none is missing.
    assert reference["features"]["line"]["counts"][3:] == [0, 0]


def test_edges_lie_between_values_so_that_32_and_64_bits_agree() -> None:
    numbers = np.random.default_rng(0).normal(size=1000).round(2)
    edges = decile_edges(numbers)
    assert not set(edges) & set(numbers)
    assert number_histogram(numbers, edges) == number_histogram(
        numbers.astype(np.float32).astype(float), edges
    )
    assert min(number_histogram(numbers, edges)["counts"][:-1]) > 80


def test_a_value_that_most_rows_have_gets_a_bin_of_its_own() -> None:
    numbers = np.array([0.0] * 95 + [1.0, 2.0, 3.0, 4.0, np.nan])
    assert decile_edges(numbers) == [0.5]
    assert number_histogram(numbers, [0.5]) == {"edges": [0.5], "counts": [95, 4, 1]}


def test_a_constant_shows_when_it_no_longer_is() -> None:
    edges = decile_edges(np.array([3.0, 3.0]))
    assert number_histogram(np.array([2.9, 3.0, 3.0, 3.1]), edges)["counts"] == [1, 2, 1, 0]


def test_rare_categories_are_counted_together() -> None:
    texts = np.array(
        [f"v{index:03}" for index in range(120) for _ in range(2 if index < 10 else 1)] + [""], dtype=object
    )
    found = category_histogram(texts)
    assert found["values"][:2] == ["v000", "v001"]
    assert (len(found["values"]), found["counts"][-2:]) == (100, [20, 1])


def test_a_model_whose_inputs_are_not_the_signatures_is_refused(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    model = make_model()
    exported(project, make_spec(model), model, CLASSIFIERS["logistic regression"])
    path = artifact(model, project, "model/signature.json")
    path.write_text(path.read_text().replace('"inputs": [', '"inputs": [{"name": "x", "type": "number"},'))
    with pytest.raises(StageError, match="the ONNX model takes 5 inputs, but its signature lists 6"):
        load_predictor(path.parent)


def test_features_are_fed_by_place_not_by_the_names_onnx_allows(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    """skl2onnx turns blanks in names into underscores."""
    code = (project / "team/data.py").read_text().replace('"distance":', '"how far":')
    (project / "team/data.py").write_text(code)
    model = make_model()
    estimator = (
        'make_pipeline(make_column_transformer((StandardScaler(), ["how far"])), LogisticRegression())'
    )
    assert exported(project, make_spec(model), model, estimator)["parity"]["beyond_tolerance"] == 0
    inputs: list[Feature] = artifact_json(model, project, "model/signature.json")["inputs"]
    assert inputs[0]["name"] == "how far"
    row = pd.DataFrame({it["name"]: ["A" if it["type"] == "category" else 1.0] for it in inputs})
    predictor = load_predictor(artifact(model, project, contract.MODEL_DIRECTORY))
    assert predictor.predict(to_features(row, inputs)).shape == (1, 2)
