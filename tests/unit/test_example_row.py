"""Rows to try a model with: every value is one that the signature allows, and a typical one."""

from __future__ import annotations

from bisect import bisect_right

from hypothesis import assume, given
from hypothesis import strategies as st
from tests.server.hostile import BUS, BUS_REFERENCE

from lockgate.contract import Feature, Histogram
from lockgate.contract.example import example_row, examples

_EDGES = st.lists(st.floats(-1e6, 1e6, width=32), unique=True, max_size=10).map(sorted)
_LIMITS = st.one_of(st.none(), st.floats(-1e6, 1e6, width=32))


def test_a_row_has_the_middle_of_the_median_bin_and_the_commonest_category() -> None:
    assert example_row(BUS, BUS_REFERENCE) == {
        "distance": 5,
        "stops": 6,
        "line": "B",
        "driver": "text",
        "express": False,
        "holiday": True,
    }


def test_a_category_is_one_that_the_signature_knows() -> None:
    feature = Feature(name="line", type="category", nullable=False, values=["A"])
    assert examples(feature, Histogram(values=["old", "A"], counts=[9, 1, 0, 0])) == ["A"]


def test_without_a_reference_there_is_an_example_all_the_same() -> None:
    feature = Feature(name="speed", type="number", nullable=False, min=3)
    assert examples(feature, None) == [3.5]


@given(edges=_EDGES, low=_LIMITS, high=_LIMITS, data=st.data())
def test_a_number_is_within_its_limits(
    edges: list[float], low: float | None, high: float | None, data: st.DataObject
) -> None:
    assume(low is None or high is None or low <= high)
    counts = data.draw(
        st.lists(st.integers(0, 100), min_size=len(edges) + 2, max_size=len(edges) + 2), "counts"
    )
    feature = Feature(name="x", type="number", nullable=False)
    if low is not None:
        feature["min"] = low
    if high is not None:
        feature["max"] = high
    for value in examples(feature, Histogram(edges=edges, counts=counts)):
        assert isinstance(value, int | float)
        assert low is None or value >= low
        assert high is None or value <= high


@given(edges=_EDGES, data=st.data())
def test_a_number_without_limits_lies_in_the_median_bin(edges: list[float], data: st.DataObject) -> None:
    counts = data.draw(
        st.lists(st.integers(1, 100), min_size=len(edges) + 2, max_size=len(edges) + 2), "counts"
    )
    feature = Feature(name="x", type="number", nullable=False)
    value = examples(feature, Histogram(edges=edges, counts=counts))[0]
    assert isinstance(value, int | float)
    place, half = bisect_right(edges, value), sum(counts[:-1]) / 2
    below = sum(counts[:place])
    assert below <= half <= below + counts[place]
