"""Resamples are fair draws, and intervals are those of resampling by hand."""

from __future__ import annotations

import numpy as np
import pytest
from tests.runtime.test_metrics import binary, multiclass, regression, values

from lockgate.spec.model import Evaluate
from lockgate_runtime.stages.bootstrap import custom_interval, intervals, resamples
from lockgate_runtime.stages.metrics import Predictions, statistic_of


def settings(samples: int = 400, confidence: float = 0.9) -> Evaluate:
    return Evaluate(
        positive=None,
        threshold=0.45,
        slices=(),
        metrics={},
        bootstrap_samples=samples,
        bootstrap_confidence=confidence,
        worst_slices=None,
        fairness={},
    )


def drawn(rows: int, samples: int, seed: int = 0) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.vstack(list(resamples(rows, samples, (seed,))))


@pytest.mark.parametrize("rows", [1, 2, 30, 999, 20_000])
def test_every_resample_draws_as_many_rows_as_there_are(rows: int) -> None:
    assert (drawn(rows, 70).sum(axis=1) == rows).all()
    assert drawn(rows, 70).shape == (70, rows)


def test_rows_are_drawn_as_by_a_multinomial_distribution() -> None:
    counts = drawn(40, 20_000)
    # Mean 1, variance 1 - 1/n, covariance -1/n; errors of the estimates are below 0.03.
    assert counts.mean(axis=0) == pytest.approx(np.ones(40), abs=0.05)
    covariance = np.cov(counts.T)
    assert np.diag(covariance) == pytest.approx(np.full(40, 1 - 1 / 40), abs=0.07)
    assert covariance[~np.eye(40, dtype=bool)].mean() == pytest.approx(-1 / 40, abs=0.002)
    assert (counts == 0).mean() == pytest.approx((1 - 1 / 40) ** 40, abs=0.005)


def test_equal_seeds_give_equal_draws_and_others_do_not() -> None:
    assert (drawn(50, 10, seed=1) == drawn(50, 10, seed=1)).all()
    assert (drawn(50, 10, seed=1) != drawn(50, 10, seed=2)).any()


@pytest.mark.parametrize(
    "predictions", [binary(300), multiclass(300), regression(300)], ids=lambda it: it.kind
)
def test_intervals_are_those_of_resampling_rows_by_hand(predictions: Predictions) -> None:
    generator = np.random.default_rng(5)
    by_hand = [values(predictions.take(generator.integers(0, 300, 300))) for _ in range(600)]
    found = intervals(statistic_of(predictions), 300, settings(samples=2000), (0,))
    for name in found.keys() - {"expected_calibration_error"}:
        of_metric = np.array([sample[name] for sample in by_hand], dtype=np.float64)
        low, high = np.quantile(of_metric, [0.05, 0.95])
        # A quantile of 600 resamples strays by about 0.1 of their standard deviation.
        assert [found[name]["low"], found[name]["high"]] == pytest.approx(
            [low, high], abs=0.35 * of_metric.std()
        )


def test_nine_of_ten_intervals_hold_the_true_value() -> None:
    """Of 200 samples whose accuracy is 0.8, between 84 % and 96 % of the 90 % intervals should hold it."""
    held = 0
    for trial in range(200):
        right = np.random.default_rng(trial).random(200) < 0.8
        truth = np.arange(200) % 2
        score = np.where(right, truth, 1 - truth).astype(np.float64)
        predictions = Predictions(
            kind="binary", truth=truth, outputs=np.column_stack((1 - score, score)), threshold=0.5
        )
        accuracy = intervals(statistic_of(predictions), 200, settings(samples=200), (trial,))["accuracy"]
        assert accuracy["low"] is not None
        assert accuracy["high"] is not None
        held += accuracy["low"] <= 0.8 <= accuracy["high"]
    assert 168 <= held <= 192


def test_too_few_rows_give_values_without_bounds() -> None:
    predictions = binary(29)
    expected = {
        name: {"value": value, "low": None, "high": None} for name, value in values(predictions).items()
    }
    assert intervals(statistic_of(predictions), 29, settings(), (0,)) == expected


def test_an_interval_holds_its_own_value() -> None:
    for seed in range(20):
        for item in intervals(statistic_of(binary(200, seed)), 200, settings(samples=100), (seed,)).values():
            assert item["value"] is not None
            assert item["low"] is not None
            assert item["high"] is not None
            assert item["low"] <= item["value"] <= item["high"]


def test_a_metric_that_most_resamples_leave_undefined_has_no_bounds() -> None:
    truth = np.zeros(40, dtype=np.int64)
    outputs = np.column_stack((np.linspace(0, 1, 40), np.linspace(1, 0, 40)))
    rare = Predictions(kind="binary", truth=np.r_[1, truth[1:]], outputs=outputs, threshold=0.5)
    assert intervals(statistic_of(rare), 40, settings(), (0,))["roc_auc"]["low"] is not None
    never = Predictions(kind="binary", truth=truth, outputs=outputs, threshold=0.5)
    found = intervals(statistic_of(never), 40, settings(), (0,))["roc_auc"]
    assert found == {"value": None, "low": None, "high": None}


def test_a_metric_of_the_user_is_resampled_at_most_a_hundred_times() -> None:
    calls = []

    def bias(predictions: Predictions) -> float:
        calls.append(len(predictions.truth))
        return float((predictions.outputs - predictions.truth).mean())

    found = custom_interval(bias, regression(), settings(samples=1000), (0,))
    assert calls == [401] * 101
    # The errors' standard deviation is 3: of 401 rows' mean 0.15, and 3.3 of those between the bounds of 90 %.
    assert found["low"] is not None
    assert found["high"] is not None
    assert found["high"] - found["low"] == pytest.approx(0.49, abs=0.1)
