"""The server counts values as the stage that made the bins, and PSI is that of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.contract import Histogram
from lockgate_runtime.server.binning import bins_of, feature_count, prediction_count, shares
from lockgate_runtime.server.live import psi
from lockgate_runtime.stages import data_change
from lockgate_runtime.stages.reference import category_histogram, decile_edges, number_histogram

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBERS = st.lists(st.floats(width=32), max_size=60)
TEXTS = st.lists(st.text("ab\0é", max_size=2), max_size=60)


def numbers(values: list[float]) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def texts(values: list[str]) -> NDArray[Any]:
    return np.array(values, dtype=object)


@given(trained=NUMBERS, served=NUMBERS)
def test_numbers_fall_into_the_bins_of_the_stage(trained: list[float], served: list[float]) -> None:
    edges = decile_edges(numbers(trained).astype(np.float64))
    bins = number_histogram(numbers(trained).astype(np.float64), edges)
    assert (
        feature_count(bins)(numbers(served)).tolist()
        == data_change.counted_into(bins, numbers(served))["counts"]
    )


@given(edges=st.lists(st.floats(width=32, allow_nan=False), max_size=5, unique=True).map(sorted))
def test_a_number_on_an_edge_is_of_the_upper_bin(edges: list[float]) -> None:
    served = numbers([*edges, np.inf, -np.inf, np.nan])
    assert (
        feature_count(Histogram(edges=edges, counts=[]))(served).tolist()
        == (number_histogram(served.astype(np.float64), edges)["counts"])
    )


@given(trained=TEXTS, served=TEXTS)
def test_categories_fall_into_the_bins_of_the_stage(trained: list[str], served: list[str]) -> None:
    bins = category_histogram(texts(trained))
    assert feature_count(bins)(texts(served)).sum() == len(served)
    expected = [0] * bins_of(bins)
    for text in served:
        listed = bins["values"].index(text) if text in bins["values"] else len(bins["values"])
        expected[listed if text else len(bins["values"]) + 1] += 1
    assert feature_count(bins)(texts(served)).tolist() == expected


@given(values=TEXTS)
def test_categories_of_training_are_counted_to_the_reference_itself(values: list[str]) -> None:
    plain = [text.replace("\0", "") for text in values]  # numpy's own text ends at trailing NULs.
    bins = category_histogram(texts(plain))
    assert feature_count(bins)(texts(plain)).tolist() == bins["counts"]


@given(scores=st.lists(st.floats(0, 1), max_size=30))
def test_probabilities_of_the_positive_class_are_binned(scores: list[float]) -> None:
    edges = [0.1, 0.5, 0.9]
    outputs = np.column_stack((1 - np.array(scores), np.array(scores)))
    count = prediction_count(Histogram(edges=edges, counts=[]), "binary")
    assert count(outputs).tolist() == number_histogram(outputs[:, 1], edges)["counts"]


def test_the_predicted_class_is_binned() -> None:
    count = prediction_count(Histogram(values=["a", "b"], counts=[0, 0, 0, 0]), "multiclass")
    assert count(np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])).tolist() == [1, 2, 0, 0]


@given(
    pair=st.integers(2, 6).flatmap(
        lambda n: st.tuples(*[st.lists(st.integers(0, 1000), min_size=n, max_size=n)] * 2)
    )
)
def test_psi_is_that_of_the_report(pair: tuple[list[int], list[int]]) -> None:
    before, now = pair
    assert psi(shares(before), shares(now)) == pytest.approx(data_change.psi(before, now))
