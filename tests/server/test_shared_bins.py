"""Predictions of two versions in bins that both have: how far they are apart, as a rollout's analysis counts it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.server.observed import signature_of

from lockgate.contract import Histogram, Kind, Reference
from lockgate_runtime.server.live import psi
from lockgate_runtime.server.shared_bins import shared_bins, shared_count
from lockgate_runtime.stages.reference import decile_edges, number_histogram

RANDOM = np.random.default_rng(7)
USUAL = RANDOM.normal(20, 5, 5000)


def reference(kind: Kind, values: NDArray[np.float64]) -> Reference:
    edges = decile_edges(values) if kind == "regression" else [0.5]
    return Reference(rows=1, features={}, predictions=number_histogram(values, edges))


def apart(before: NDArray[np.float64], now: NDArray[np.float64]) -> float | None:
    """The greatest index of the scales that two regressions share, each with the reference of its own outputs."""
    counted = []
    for values in (before, now):
        own, signature = reference("regression", values), signature_of("regression")
        counts = shared_count(signature, own)(values)
        by_scale: dict[str, list[int]] = {}
        for (scale, _), count in zip(shared_bins(signature, own), counts.tolist(), strict=True):
            by_scale.setdefault(scale, []).append(count)
        counted.append(by_scale)
    first, second = counted
    found = [_psi(first[scale], second[scale]) for scale in first.keys() & second.keys()]
    return max(found, default=None)


def _psi(before: list[int], now: list[int]) -> float:
    shares = [(np.array(it) + 0.5) / (sum(it) + 0.5 * len(it)) for it in (before, now)]
    seen = np.array(before) + np.array(now) > 0
    return psi(shares[0][seen].tolist(), shares[1][seen].tolist())


@pytest.mark.parametrize("seed", range(20))
def test_values_that_are_spread_alike_are_close_whatever_their_scale(seed: int) -> None:
    random = np.random.default_rng(seed)
    scale, middle = 10 ** random.uniform(-6, 6), random.uniform(-100, 100)
    before, now = (scale * (middle + random.normal(size=4000)) for _ in "ab")
    found = apart(before, now)
    assert found is not None
    assert found < 0.05


@pytest.mark.parametrize("wider", [0.3, 0.5, 0.97, 1.03, 2, 3.5])
def test_values_that_spread_somewhat_differently_share_a_scale(wider: float) -> None:
    assert apart(USUAL, 20 + wider * (USUAL - 20)) is not None


@pytest.mark.parametrize(
    "change",
    [lambda it: it + 6, lambda it: it + 1000, lambda it: -it, lambda it: it * 1.4, lambda it: it * 7 + 5e6],
)
def test_values_that_moved_are_far_apart(change: object) -> None:
    assert callable(change)
    found = apart(USUAL, change(USUAL))
    assert found is not None
    assert found > 0.2


def test_values_of_another_magnitude_share_no_scale() -> None:
    assert apart(USUAL, USUAL * 1000) is None


def test_a_constant_has_scales_too() -> None:
    constant = np.full(100, 7.0)
    assert apart(constant, constant) == 0
    assert apart(np.zeros(100), np.zeros(100)) == 0


def test_a_new_class_moves_no_other() -> None:
    def counted(classes: list[str], likely: list[str]) -> NDArray[np.int64]:
        signature = {**signature_of("multiclass"), "classes": classes}
        outputs = np.array([[float(label == it) for it in classes] for label in likely])
        found = Reference(rows=1, features={}, predictions=Histogram(values=classes, counts=[0] * 5))
        return shared_count(signature, found)(outputs)  # type: ignore[arg-type]

    likely = ["b", "c", "c"]
    assert counted(["b", "c"], likely).tolist() == counted(["+ new", "b", "c"], likely).tolist()
    assert sorted(counted(["b", "c"], likely).tolist())[-2:] == [1, 2]


def test_two_classes_have_tenths_of_the_probability() -> None:
    outputs = np.array([[0.95, 0.05], [0.1, 0.9], [0.0, 1.0], [np.nan, np.nan]])
    signature, own = signature_of("binary"), reference("binary", np.array([0.5]))
    assert shared_bins(signature, own) == tuple(("probability", place) for place in range(10))
    assert shared_count(signature, own)(outputs).tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 2]
