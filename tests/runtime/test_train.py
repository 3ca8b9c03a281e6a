"""Train: the user's estimator, fitted on the training rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

from lockgate.contract import Training
from lockgate.spec.model import Model, Spec
from lockgate_runtime.stages import ingest, split, train, validate
from lockgate_runtime.stages.features import to_features
from lockgate_runtime.stages.user_code import StageError

Run = Callable[..., tuple[Any, Training]]


@pytest.fixture
def run(project: Path, make_model: Callable[..., Model], make_spec: Callable[[Model], Spec]) -> Run:
    """Ingest, validate, split and train the model so changed; the fitted estimator and what is told of it."""

    def run(**changes: object) -> tuple[Any, Training]:
        model = make_model(**changes)
        for stage in (ingest, validate, split, train):
            stage.run(make_spec(model), model, project)
        folder = project / "artifacts" / "late-bus"
        return joblib.load(folder / "estimator.joblib"), json.loads((folder / "training.json").read_bytes())

    return run


@pytest.fixture
def estimator(project: Path) -> Callable[[str], dict[str, str]]:
    """Make `team/other.py` of the code; the `train` section that names its function `build`."""

    def write(code: str) -> dict[str, str]:
        (project / "team" / "other.py").write_text(code)
        return {"estimator": "team.other:build"}

    return write


def holdout(project: Path) -> pd.DataFrame:
    return pd.read_parquet(project / "artifacts" / "late-bus" / "holdout.parquet")


def test_training_is_told_in_full(run: Run) -> None:
    fitted, training = run(train={"params": {"C": 0.5}, "seed": 3})
    estimator = training.pop("estimator")  # type: ignore[misc]
    assert estimator == repr(fitted)
    assert training == {
        "params": {"C": 0.5},
        "seed": 3,
        "rows": 360,
        "kind": "binary",
        "inputs": [
            {"name": "distance", "type": "number", "nullable": False},
            {"name": "stops", "type": "number", "nullable": True},
            {"name": "line", "type": "category", "nullable": False, "values": ["A", "B", "C"]},
            {"name": "express", "type": "boolean", "nullable": False},
            {"name": "minutes", "type": "number", "nullable": False},
        ],
        "classes": ["False", "True"],
        "libraries": {name: version(name) for name in ("numpy", "pandas", "scikit-learn", "scipy")},
    }


def test_estimator_predicts_held_out_rows(run: Run, project: Path) -> None:
    fitted, training = run()
    rows = holdout(project)
    probabilities = fitted.predict_proba(to_features(rows, training["inputs"]))
    assert probabilities.shape == (120, 2)
    assert ((probabilities[:, 1] > 0.5) == rows["late"]).mean() > 0.7


def test_regression_is_fitted_on_the_numbers(run: Run, project: Path) -> None:
    fitted, training = run(
        task="regression", data={"target": "minutes"}, train={"estimator": "team.model:build_regression"}
    )
    rows = holdout(project)
    predicted = fitted.predict(to_features(rows, training["inputs"]))
    assert (training["kind"], training["classes"]) == ("regression", [])
    assert np.abs(predicted - rows["minutes"]).mean() < 5


def test_three_classes_are_multiclass(run: Run, estimator: Callable[[str], dict[str, str]]) -> None:
    code = (
        "from sklearn.tree import DecisionTreeClassifier\ndef build():\n    return DecisionTreeClassifier()\n"
    )
    fitted, training = run(data={"target": "line"}, train=estimator(code))
    assert (training["kind"], training["classes"]) == ("multiclass", ["A", "B", "C"])
    assert fitted.classes_.tolist() == [0, 1, 2]


def test_positive_class_is_index_one(run: Run) -> None:
    _, training = run(evaluate={"positive": False})
    assert training["classes"] == ["True", "False"]


SEEDED = """
import random
import numpy as np
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

def build():
    forest = RandomForestClassifier(n_estimators=int(random.random() * 20 + np.random.random() * 20 + 5))
    return make_pipeline(FunctionTransformer(numbers), BaggingClassifier(forest, n_estimators=2, random_state=11))

def numbers(frame):
    return frame[["distance", "minutes"]]
"""


def test_two_runs_with_one_seed_predict_the_same(
    run: Run, project: Path, estimator: Callable[[str], dict[str, str]]
) -> None:
    section = estimator(SEEDED)
    predictions = []
    for seed in (5, 5, 6):
        fitted, training = run(train={**section, "seed": seed})
        bagging = fitted.steps[-1][1]
        assert (bagging.random_state, bagging.estimator.random_state) == (11, seed)
        predictions.append(fitted.predict_proba(to_features(holdout(project), training["inputs"])))
    np.testing.assert_array_equal(predictions[0], predictions[1])
    assert not np.array_equal(predictions[0], predictions[2])


@pytest.mark.parametrize(
    ("params", "message", "help_"),
    [
        (
            {"c": 1},
            (
                "'train.params' do not fit: got an unexpected keyword argument 'c'; "
                "'team.model:build' is defined as (C=1.0)"
            ),
            "take 'c' out of 'train.params'",
        ),
        (
            {"CC": 1},
            (
                "'train.params' do not fit: got an unexpected keyword argument 'CC'; "
                "'team.model:build' is defined as (C=1.0)"
            ),
            "did you mean 'C'?",
        ),
    ],
)
def test_unknown_parameter_is_told_with_the_signature(
    run: Run, params: dict[str, int], message: str, help_: str
) -> None:
    with pytest.raises(StageError) as raised:
        run(train={"params": params})
    assert (raised.value.message, raised.value.help) == (message, help_)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "def build(depth):\n    return None\n",
            (
                "'train.params' do not fit: missing a required argument: 'depth'; "
                "'team.other:build' is defined as (depth)"
            ),
        ),
        (
            "from sklearn.linear_model import LogisticRegression\ndef build():\n    return LogisticRegression\n",
            "'team.other:build' returned the class 'LogisticRegression', expected an estimator",
        ),
        (
            "def build():\n    return None\n",
            "'team.other:build' returned a value of type 'NoneType', which has no 'fit'",
        ),
        (
            "from sklearn.svm import LinearSVC\ndef build():\n    return LinearSVC()\n",
            "'team.other:build' returned a value of type 'LinearSVC', which has no 'predict_proba'",
        ),
        (
            "def build():\n    raise RuntimeError('no\\nGPU')\n",
            "'team.other:build' raised RuntimeError: no\nGPU\n  team/other.py:2: raise RuntimeError('no\\nGPU')",
        ),
    ],
)
def test_function_that_gives_no_estimator_is_told_why(
    run: Run, estimator: Callable[[str], dict[str, str]], code: str, message: str
) -> None:
    with pytest.raises(StageError) as raised:
        run(train=estimator(code))
    assert raised.value.message == message


def test_failure_to_fit_without_a_line_of_the_users_is_told(run: Run) -> None:
    with pytest.raises(StageError) as raised:
        run(data={"target": "line"})
    assert raised.value.message == (
        "fitting the estimator of 'team.model:build' raised ValueError: "
        "Some column names are not columns of the dataframe: {'line'}"
    )
    assert raised.value.help == "give it what it expects, then run the stage again"


def test_failure_to_fit_shows_the_users_lines_alone(
    run: Run, estimator: Callable[[str], dict[str, str]]
) -> None:
    section = estimator(
        "from sklearn.base import BaseEstimator, ClassifierMixin\n"
        "class Odd(ClassifierMixin, BaseEstimator):\n"
        "    def fit(self, X, y):\n"
        "        return X['speed']\n"
        "    predict = predict_proba = fit\n"
        "def build():\n    return Odd()\n"
    )
    with pytest.raises(StageError) as raised:
        run(train=section)
    assert raised.value.message == (
        "fitting the estimator of 'team.other:build' raised KeyError: 'speed'\n"
        "  team/other.py:4: return X['speed']"
    )


def test_estimator_that_cannot_be_kept_is_told(run: Run, estimator: Callable[[str], dict[str, str]]) -> None:
    section = estimator(
        "from sklearn.linear_model import LogisticRegression\n"
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.preprocessing import FunctionTransformer\n"
        "def build():\n"
        "    pick = FunctionTransformer(lambda frame: frame[['distance']])\n"
        "    return make_pipeline(pick, LogisticRegression())\n"
    )
    with pytest.raises(StageError, match=r"the fitted estimator of 'team.other:build' cannot be kept: "):
        run(train=section)


def test_single_class_is_told(run: Run, project: Path) -> None:
    path = project / "team" / "data.py"
    path.write_text(path.read_text().replace("random.random(rows) < 1 / (1 + np.exp(-score))", "True"))
    with pytest.raises(StageError) as raised:
        run()
    assert raised.value.message == "the target 'late' is 'True' in all 360 training rows"


def test_fractions_are_no_classes(run: Run) -> None:
    with pytest.raises(StageError, match="the target 'minutes' holds fractions, which are no classes"):
        run(data={"target": "minutes"})
