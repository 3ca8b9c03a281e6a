"""Trees for two classes become one sum with the same answers; every other model stays as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
)

from lockgate_runtime.stages.onnx_trees import sum_binary_trees

pytestmark = pytest.mark.filterwarnings("ignore:Field onnx.AttributeProto.ints")  # Of the converter.
RANDOM = np.random.default_rng(3)
NUMBERS = RANDOM.normal(size=(800, 4)).astype(np.float32)
SCORES = NUMBERS[:, 0] + NUMBERS[:, 1] ** 2 + RANDOM.normal(size=800)
TWO = np.where(SCORES > 1, "late", "on time")
THREE = np.digitize(SCORES, [0.5, 1.5])
BOOSTED = HistGradientBoostingClassifier(max_iter=20)


def converted(estimator: Any, labels: NDArray[Any], output: str = "probabilities") -> Any:
    estimator.fit(NUMBERS, labels)
    types = [("x", FloatTensorType([None, 4]))]
    model = convert_sklearn(estimator, initial_types=types, options={id(estimator): {"zipmap": False}})
    kept = [it for it in model.graph.output if it.name == output]
    del model.graph.output[:]
    model.graph.output.extend(kept)
    return model


def run(model: Any, numbers: NDArray[np.float32]) -> NDArray[Any]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = (
        1  # As the server: more would add the trees of a single row up in another order.
    )
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return np.asarray(session.run(None, {"x": numbers})[0])


def operators(model: Any) -> set[str]:
    return {node.op_type for node in model.graph.node}


@pytest.mark.parametrize("estimator", [BOOSTED, GradientBoostingClassifier(n_estimators=20)], ids=str)
@pytest.mark.parametrize("labels", [TWO, TWO == "late"], ids=["text", "booleans"])
def test_two_classes_become_one_sum_with_the_same_probabilities(estimator: Any, labels: NDArray[Any]) -> None:
    model = converted(estimator, labels)
    numbers = RANDOM.normal(size=(5000, 4)).astype(np.float32) * 4
    if estimator is BOOSTED:
        numbers[::7, 1] = np.nan
    before = run(model, numbers)
    sum_binary_trees(model)
    onnx.checker.check_model(model)
    assert "TreeEnsembleRegressor" in operators(model)
    assert "TreeEnsembleClassifier" not in operators(model)
    after = run(model, numbers)
    assert after.shape == (5000, 2)
    np.testing.assert_allclose(after, before, atol=1e-6)
    for rows in (1, 7, 32, 333):
        assert np.array_equal(run(model, numbers[:rows]), after[:rows])


@pytest.mark.parametrize(
    ("estimator", "labels", "output"),
    [
        (RandomForestClassifier(5), TWO, "probabilities"),
        (HistGradientBoostingClassifier(max_iter=5), THREE, "probabilities"),
        (HistGradientBoostingClassifier(max_iter=5), TWO, "label"),
        (
            StackingClassifier([("a", RandomForestClassifier(3))], RandomForestClassifier(3)),
            TWO,
            "probabilities",
        ),
    ],
    ids=["a forest", "three classes", "labels that are read", "stacked"],
)
def test_other_models_stay_as_they_were(estimator: Any, labels: NDArray[Any], output: str) -> None:
    model = converted(estimator, labels, output)
    before = model.SerializeToString(deterministic=True)
    sum_binary_trees(model)
    assert model.SerializeToString(deterministic=True) == before
