"""Differences of simulated models whose truth is known: coverage, and each answer reached."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.runtime.test_metrics import binary, made, multiclass, regression

from lockgate_runtime.stages.classification import Statistic
from lockgate_runtime.stages.metrics import Predictions, point_values, statistic_of
from lockgate_runtime.stages.paired import Pair, Resampling, answer_of, custom_pair, exact, paired

RESAMPLING = Resampling(samples=300, confidence=0.95, seed=(1,))


def right_with(chances: tuple[float, float], rows: int, seed: int) -> tuple[Predictions, Predictions]:
    """Two classifiers that are right with these chances; what is hard for one is hard for the other."""
    generator = np.random.default_rng(seed)
    truth, difficulty = generator.integers(0, 2, rows), generator.random(rows)
    first, second = (said(truth, difficulty < chance) for chance in chances)
    return first, second


def said(truth: NDArray[np.int64], right: NDArray[np.bool_]) -> Predictions:
    score = np.where(right, truth, 1 - truth) * 0.8 + 0.1
    return made("binary", truth, np.column_stack((1 - score, score)))


def accuracy(chances: tuple[float, float], rows: int, seed: int = 0) -> Pair:
    first, second = right_with(chances, rows, seed)
    return paired(statistic_of(first), statistic_of(second), rows, RESAMPLING)["accuracy"]


def share_right(chance: float, difficulty: NDArray[np.float64]) -> Statistic:
    right = (difficulty < chance).astype(np.float64)
    return lambda weights: {"accuracy": weights @ right / len(right)}


def test_most_intervals_hold_the_true_difference() -> None:
    """Of 200 samples with a true difference of 0.05, between 91 % and 99 % of the 95 % intervals should hold it."""
    held = 0
    for seed in range(200):
        difficulty = np.random.default_rng(seed).random(400)
        pair = paired(share_right(0.8, difficulty), share_right(0.75, difficulty), 400, RESAMPLING)[
            "accuracy"
        ]
        assert pair.low is not None
        assert pair.high is not None
        held += pair.low <= 0.05 <= pair.high
    assert 182 <= held <= 198


@pytest.mark.parametrize(
    ("chances", "rows", "margin", "expected"),
    [
        ((0.85, 0.75), 2000, 0.01, "better"),
        ((0.750, 0.751), 5000, 0.01, "no worse"),
        ((0.70, 0.75), 2000, 0.01, "worse"),
        ((0.74, 0.75), 200, 0.01, "too little data"),
    ],
)
def test_each_answer_is_reached(
    chances: tuple[float, float], rows: int, margin: float, expected: str
) -> None:
    assert answer_of(accuracy(chances, rows), "higher", margin) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.01, 0.02, "better"),
        (0.0, 0.0, "no worse"),
        (-0.05, 0.2, "no worse"),
        (-0.06, 0.2, "too little data"),
        (-0.2, -0.05, "too little data"),
        (-0.2, -0.06, "worse"),
    ],
)
def test_the_ends_of_the_interval_decide(low: float, high: float, expected: str) -> None:
    assert answer_of(Pair(candidate=0.5, champion=0.5, low=low, high=high), "higher", 0.05) == expected
    turned = Pair(candidate=0.5, champion=0.5, low=-high, high=-low)
    assert answer_of(turned, "lower", 0.05) == expected


def test_pairing_makes_the_interval_narrow() -> None:
    """Unpaired, the difference of two accuracies of 0.75 on 2000 rows has a 95 % interval of 0.054."""
    pair = accuracy((0.75, 0.745), 2000)
    assert pair.low is not None
    assert pair.high is not None
    assert pair.high - pair.low < 0.015


@pytest.mark.parametrize("predictions", [binary(), multiclass(), regression()], ids=lambda it: it.kind)
def test_a_model_against_itself_differs_by_exactly_nothing(predictions: Predictions) -> None:
    statistic = statistic_of(predictions)
    values = point_values(statistic, len(predictions.truth))
    found = paired(statistic, statistic, len(predictions.truth), RESAMPLING)
    assert found == {
        name: Pair(candidate=value, champion=value, low=0.0, high=0.0) for name, value in values.items()
    }


def test_too_few_rows_give_values_without_bounds_and_no_answer() -> None:
    pair = accuracy((0.8, 0.7), 29)
    assert (pair.low, pair.high) == (None, None)
    assert pair.difference is not None
    assert answer_of(pair, "higher", 0.1) is None


def test_a_metric_that_one_model_lacks_has_no_difference() -> None:
    pair = exact(0.5, None)
    assert (pair.difference, pair.low, pair.high) == (None, None, None)


def test_a_metric_of_the_user_is_drawn_in_pairs() -> None:
    calls = []

    def bias(predictions: Predictions) -> float:
        calls.append(float(predictions.truth.sum()))
        return float((predictions.outputs - predictions.truth).mean())

    first = regression()
    second = made("regression", first.truth, first.outputs + 1)
    pair = custom_pair(bias, first, second, RESAMPLING)
    assert len(calls) == 202
    assert calls[::2] == calls[1::2]
    assert [pair.difference, pair.low, pair.high] == pytest.approx([-1, -1, -1])
