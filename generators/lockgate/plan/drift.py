"""How far two distributions over the same bins are apart, as an expression: the population stability index.

PSI = Σ (p - q) · ln(p / q) over the bins. Half an observation is added to each bin, here and by the server to those
of its reference, so that an empty one does not make it infinite.
"""

from __future__ import annotations

from decimal import Decimal

from lockgate.plan.indicators import Matchers, where_enough
from lockgate.plan.promql import (
    Aggregate,
    Binary,
    Expression,
    Ln,
    Number,
    On,
    Selector,
    Window,
)

PREDICTION_BINS = "lockgate_predictions_bin_total"
SHARED_BINS = "lockgate_predictions_shared_bin_total"
PREDICTION_REFERENCE = "lockgate_predictions_reference_ratio"
FEATURE_BINS = "lockgate_feature_bin_total"
FEATURE_REFERENCE = "lockgate_feature_reference_ratio"

_HALF = Number(Decimal("0.5"))
_APART = Number(Decimal(100))
_SCALE = ("scale",)


def prediction_psi(candidate: Matchers, stable: Matchers, seconds: int, min_samples: int) -> Expression:
    """The candidate's predictions against those of the stable pods, where both made enough of them.

    By bins that both versions have: values have them on several scales, of which the one that shows most counts.
    Versions without a scale in common predict values of another magnitude.
    """
    ours, theirs = (_counted(SHARED_BINS, which, ("scale", "bin"), seconds) for which in (candidate, stable))
    by_scale = _psi(_share(ours, _SCALE), _share(theirs, _SCALE), _SCALE, Binary(ours, "+", theirs))
    apart = Binary(Binary(Aggregate("sum", ours), "*", Number(Decimal(0))), "+", _APART)
    psi: Expression = Binary(Aggregate("max", by_scale), "or", apart, On())
    for counts in (ours, theirs):
        psi = where_enough(psi, Aggregate("max", Aggregate("sum", counts, _SCALE)), min_samples)
    return psi


def psi_from_reference(
    bins: str, reference: str, which: Matchers, by: tuple[str, ...], seconds: int, min_samples: int
) -> Expression:
    """What came lately against the model's reference, for each combination of the labels `by`.

    Versions have references of their own, so `version` is among those labels.
    """
    counts = _counted(bins, which, (*by, "bin"), seconds)
    expected = Aggregate("max", Selector(reference, which), (*by, "bin"))
    psi = _psi(_share(counts, by), expected, by)
    return where_enough(psi, Aggregate("sum", counts, by), min_samples, by)


def _counted(metric: str, which: Matchers, by: tuple[str, ...], seconds: int) -> Expression:
    return Aggregate("sum", Window("increase", Selector(metric, which), seconds), by)


def _share(counts: Expression, by: tuple[str, ...]) -> Expression:
    smoothed = Binary(counts, "+", _HALF)
    added = Binary(Aggregate("count", counts, by), "*", _HALF)
    whole = Binary(Aggregate("sum", counts, by), "+", added)
    return Binary(smoothed, "/", whole, On(by, one_right=True))


def _psi(p: Expression, q: Expression, by: tuple[str, ...], counts: Expression | None = None) -> Expression:
    """Over all bins, or over those that have `counts`."""
    terms = Binary(Binary(p, "-", q), "*", Ln(Binary(p, "/", q)))
    if counts is not None:
        terms = Binary(terms, "and", Binary(counts, ">", Number(Decimal(0))))
    return Aggregate("sum", terms, by)
