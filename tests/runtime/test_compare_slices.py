"""Slices that are looked for, and fairness between groups, on data whose truth is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from tests.runtime.test_metrics import made, regression

from lockgate.contract import Feature
from lockgate.spec.model import Fairness, FairnessMetric, Model, OnFail
from lockgate_runtime.stages.fairness import fairness_gates, fairness_of
from lockgate_runtime.stages.metrics import Predictions
from lockgate_runtime.stages.user_code import StageError
from lockgate_runtime.stages.worst_slices import holm, worst_slices

Make = Callable[..., Model]
INPUTS = [
    Feature(name="line", type="category", nullable=False),
    Feature(name="stop", type="category", nullable=False),
    Feature(name="distance", type="number", nullable=True),
]


def rides(rows: int, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    distance = generator.normal(size=rows)
    distance[::20] = np.nan
    line, stop = generator.choice(list("ABCD"), rows), generator.choice(list("xyz"), rows)
    return pd.DataFrame({"line": line, "stop": stop, "distance": distance})


def errors(frame: pd.DataFrame, seed: int, wrong: NDArray[np.bool_]) -> Predictions:
    """A regression whose errors have a standard deviation of 1, and of 3 where it is wrong."""
    noise = np.random.default_rng(seed + 1000).normal(size=len(frame)) * np.where(wrong, 3.0, 1.0)
    return made("regression", np.zeros(len(frame)), noise)


def test_a_bad_slice_is_found_and_told_once() -> None:
    frame = rides(4000, 0)
    found, tested = worst_slices(frame, errors(frame, 0, (frame["line"] == "C").to_numpy()), INPUTS, 5)
    assert [it["description"] for it in found] == ["line: C"]
    assert found[0]["rows"] == int((frame["line"] == "C").sum())
    assert found[0]["metric"] == "squared_error"
    assert found[0]["value"] == pytest.approx(9, rel=0.15)
    assert found[0]["whole"] == pytest.approx(3, rel=0.15)
    assert found[0]["p_value_adjusted"] < 1e-6
    # 4 + 3 + 5 single slices, and the pairs of them: 12 + 20 + 15, without those too small.
    assert 50 <= tested <= 59


def test_a_bad_crossing_of_two_columns_is_found() -> None:
    frame = rides(4000, 1)
    wrong = ((frame["line"] == "B") & (frame["stop"] == "z")).to_numpy()
    found, _ = worst_slices(frame, errors(frame, 1, wrong), INPUTS, 1)
    assert [it["description"] for it in found] == ["line: B and stop: z"]


def test_where_nothing_is_wrong_next_to_nothing_is_found() -> None:
    """Holm's guard lets chance through in at most 5 of 100 data sets; 11 would be less likely than 1 %."""
    frame = rides(800, 2)
    nothing = np.zeros(800, dtype=bool)
    alarms = [worst_slices(frame, errors(frame, seed, nothing), INPUTS, 5)[0] != [] for seed in range(100)]
    assert sum(alarms) <= 10


def test_small_slices_are_not_tested() -> None:
    frame = pd.DataFrame({"line": ["A"] * 451 + ["B"] * 49})
    assert worst_slices(frame, errors(frame, 3, np.zeros(500, dtype=bool)), INPUTS[:1], 5) == ([], 0)


def test_a_constant_loss_has_no_worst_slice() -> None:
    frame = rides(400, 4)
    found, _ = worst_slices(frame, made("regression", np.zeros(400), np.ones(400)), INPUTS, 5)
    assert found == []


def test_columns_without_any_value_are_no_slices() -> None:
    frame = pd.DataFrame({"distance": np.full(400, np.nan)})
    assert worst_slices(frame, errors(frame, 5, np.zeros(400, dtype=bool)), INPUTS[2:], 5) == ([], 0)


def test_holm_corrects_as_by_hand() -> None:
    assert holm(np.array([0.04, 0.01, 0.02])).tolist() == pytest.approx([0.04, 0.03, 0.04])
    assert holm(np.array([0.5, 0.6])).tolist() == [1.0, 1.0]


def passengers(wrong: float = 0.0) -> tuple[pd.DataFrame, Predictions]:
    """400 rows: of the first 200 half are positive and all found, of the others a share is missed; 10 more are 'z'."""
    group = np.repeat(["x", "y", "z"], [200, 200, 10])
    truth = np.arange(410) % 2
    flagged = truth.copy()
    missed = np.flatnonzero((group == "y") & (truth == 1))[: round(100 * wrong)]
    flagged[missed] = 0
    return pd.DataFrame({"group": group}), made(
        "binary", truth, np.column_stack((1.0 - flagged, flagged)).astype(np.float64)
    )


def limited(
    make_model: Make,
    metric: FairnessMetric,
    on_fail: OnFail = "block",
    limit: float = 0.1,
    column: str = "group",
) -> Model:
    fairness = Fairness(column=column, metric=metric, max_difference=limit, on_fail=on_fail)
    return make_model(evaluate={"fairness": {"equal": fairness}})


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("recall", {"x": 1.0, "y": 0.7, "z": None}),
        ("selection_rate", {"x": 0.5, "y": 0.35, "z": None}),
        ("accuracy", {"x": 1.0, "y": 0.85, "z": None}),
        ("precision", {"x": 1.0, "y": 1.0, "z": None}),
        ("false_positive_rate", {"x": 0.0, "y": 0.0, "z": None}),
    ],
)
def test_each_group_has_its_metric_and_small_ones_none(
    make_model: Make, metric: FairnessMetric, expected: dict[str, float | None]
) -> None:
    frame, predictions = passengers(0.3)
    (found,) = fairness_of(limited(make_model, metric), frame, predictions, {})
    assert {label: group["value"] for label, group in found["groups"].items()} == expected
    assert {label: group["rows"] for label, group in found["groups"].items()} == {"x": 200, "y": 200, "z": 10}


@pytest.mark.parametrize(
    ("wrong", "on_fail", "outcome"),
    [(0.05, "block", "pass"), (0.3, "block", "fail"), (0.3, "warn", "warn"), (0.3, "observe", "observed")],
)
def test_a_difference_beyond_the_limit_goes_by_its_policy(
    make_model: Make, wrong: float, on_fail: OnFail, outcome: str
) -> None:
    frame, predictions = passengers(wrong)
    found = fairness_of(limited(make_model, "recall", on_fail), frame, predictions, {})
    (gate,) = fairness_gates(found)
    assert (gate["metric"], gate["rule"], gate["outcome"]) == ("equal", "fairness", outcome)
    assert gate["value"] == pytest.approx(wrong)
    assert gate["margin"] == pytest.approx(0.1 - wrong)
    assert gate["reason"] == (
        f"recall is 1 for 'x' and {1 - wrong:g} for 'y'; at most 0.1 between them is allowed; "
        "left out: 1 with fewer than 30 rows that it is of"
    )


def test_one_group_alone_is_too_little_to_say(make_model: Make) -> None:
    frame, predictions = passengers()
    frame["group"] = ["x"] * 400 + ["z"] * 10
    (found,) = fairness_of(limited(make_model, "recall"), frame, predictions, {})
    assert (found["difference"], found["outcome"]) == (None, "warn")
    assert found["reason"] == (
        "too little data to say: 1 of 2 groups can be counted; left out: 1 with fewer than 30 rows that it is of"
    )


def test_the_policy_for_too_little_is_never_more_than_the_gates_own(make_model: Make) -> None:
    frame, predictions = passengers()
    frame["group"] = "x"
    (found,) = fairness_of(limited(make_model, "recall", "observe"), frame, predictions, {})
    assert found["outcome"] == "observed"


def test_a_metric_of_two_classes_fails_where_there_are_more(make_model: Make) -> None:
    predictions = made("multiclass", np.array([0, 1, 2]), np.eye(3))
    frame = pd.DataFrame({"group": ["x", "y", "y"]})
    (found,) = fairness_of(limited(make_model, "recall"), frame, predictions, {})
    assert (found["outcome"], found["reason"]) == ("fail", "'recall' is of two classes, and the model has 3")


def test_errors_of_a_regression_are_compared(make_model: Make) -> None:
    predictions = regression(400)
    shifted = made("regression", predictions.truth, predictions.truth + np.repeat([1.0, -2.0], 200))
    frame = pd.DataFrame({"group": np.repeat(["x", "y"], 200)})
    (mae,) = fairness_of(limited(make_model, "mae", limit=1.5), frame, shifted, {})
    (mean,) = fairness_of(limited(make_model, "mean_error", limit=1.5), frame, shifted, {})
    assert [mae["difference"], mean["difference"]] == pytest.approx([1, 3])
    assert [mae["outcome"], mean["outcome"]] == ["pass", "fail"]


def test_a_column_that_is_not_there_is_named(make_model: Make) -> None:
    frame, predictions = passengers()
    with pytest.raises(StageError) as caught:
        fairness_of(limited(make_model, "recall", column="sex"), frame, predictions, {})
    assert str(caught.value) == "'evaluate.fairness' names 'sex', which is not a column of the holdout"
