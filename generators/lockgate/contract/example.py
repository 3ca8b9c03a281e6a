"""Rows to try a model with, drawn from the bins of its reference: no row of anybody's data is shown."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import isfinite

from lockgate.contract import Feature, Histogram, Json, Reference, Signature

_MOST_EXAMPLES = 3
_MOST_DIGITS = 9


def example_row(signature: Signature, reference: Reference) -> dict[str, Json]:
    """One row of typical values, by column in the order of the signature."""
    return {it["name"]: examples(it, reference["features"].get(it["name"]))[0] for it in signature["inputs"]}


def examples(feature: Feature, histogram: Histogram | None) -> list[Json]:
    """At most three values of the feature, the most typical first; never none."""
    if feature["type"] == "category":
        return _texts(feature, histogram)
    edges, counts = _bins(histogram)
    if feature["type"] == "boolean":
        return [counts[-1] > sum(counts[:-1])]
    order = _typical_first(counts)
    numbers: dict[Json, None] = dict.fromkeys(
        _round_number(feature, *_bounds(feature, edges, place)) for place in order
    )
    return [*numbers][:_MOST_EXAMPLES]


def _texts(feature: Feature, histogram: Histogram | None) -> list[Json]:
    """The reference lists the commonest values first; the signature may know them where the reference does not."""
    known = feature.get("values", [])
    common = histogram.get("values", []) if histogram else []
    allowed = [text for text in common if not known or text in known] or known
    return list(allowed[:_MOST_EXAMPLES]) or ["text"]


def _bins(histogram: Histogram | None) -> tuple[Sequence[float], Sequence[int]]:
    """Edges, and counts without that of missing values."""
    if histogram is None:
        return (), (0,)
    return histogram.get("edges", ()), histogram["counts"][:-1]


def _typical_first(counts: Sequence[int]) -> list[int]:
    """The bin of the median row, then the others by their rows."""
    half = sum(counts) / 2
    median = next(place for place, rows in enumerate(accumulate(counts)) if rows >= half)
    others = sorted((place for place, rows in enumerate(counts) if rows), key=lambda place: -counts[place])
    return [median, *(place for place in others if place != median)]


def _bounds(feature: Feature, edges: Sequence[float], place: int) -> tuple[float, float]:
    """Of a bin, within the feature's limits; an open end is taken to be half as wide as what lies beside it."""
    lowest, highest = feature.get("min"), feature.get("max")
    if not edges:
        low = lowest if lowest is not None else min(0.0, highest if highest is not None else 0.0)
        return low, highest if highest is not None else low + 1
    width = (edges[-1] - edges[0]) / max(len(edges) - 1, 1) or max(abs(edges[0]), 1.0)
    low = edges[place - 1] if place > 0 else edges[0] - width / 2
    high = edges[place] if place < len(edges) else edges[-1] + width / 2
    if lowest is not None:
        low, high = max(low, lowest), max(high, lowest)
    if highest is not None:
        low, high = min(low, highest), min(high, highest)
    return low, high


def _round_number(feature: Feature, low: float, high: float) -> float:
    """The number of fewest digits near the middle; whole for an integer, even where its bin holds no whole number."""
    middle = low + (high - low) / 2
    if not isfinite(middle):
        return 0
    nearest = round(middle)
    if feature["type"] == "integer" or low <= nearest < high:
        return nearest
    shortened = (round(middle, digits) for digits in range(1, _MOST_DIGITS))
    return next((number for number in shortened if low <= number < high), middle)
