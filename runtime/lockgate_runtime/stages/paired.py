"""The difference of a metric between two models on the same rows, with its interval, and what that interval says.

Both models are resampled with the same draws of rows, so what makes a draw hard for both falls out of the difference:
the paired percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 16).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lockgate_runtime.stages.bootstrap import LEAST_ROWS, resamples
from lockgate_runtime.stages.metrics import point_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from lockgate.contract import Answer, Better
    from lockgate.spec.model import Model
    from lockgate_runtime.stages.classification import Floats, Statistic
    from lockgate_runtime.stages.metrics import Predictions

_MOST_CUSTOM_SAMPLES = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A metric of both models. `low` and `high` bound candidate minus champion; None where nothing can."""

    candidate: float | None
    champion: float | None
    low: float | None
    high: float | None

    @property
    def difference(self) -> float | None:
        if self.candidate is None or self.champion is None:
            return None
        return self.candidate - self.champion


@dataclass(frozen=True, kw_only=True, slots=True)
class Resampling:
    """How many draws, how sure the interval of a difference is (both ends together), and the seed of the draws."""

    samples: int
    confidence: float
    seed: tuple[int, ...]


def resampling_of(model: Model, *seed: int) -> Resampling:
    """What the spec says, with a stream of draws of its own for each `seed`."""
    return Resampling(
        samples=model.evaluate.bootstrap_samples,
        confidence=model.compare.confidence,
        seed=(model.train.seed, *seed),
    )


def paired(
    candidate: Statistic, champion: Statistic, rows: int, resampling: Resampling
) -> Mapping[str, Pair]:
    """Every metric that both statistics give of the same rows; without bounds where the rows are too few."""
    values, others = point_values(candidate, rows), point_values(champion, rows)
    drawn: dict[str, list[Floats]] = {name: [] for name in values}
    if rows >= LEAST_ROWS:
        for weights in resamples(rows, resampling.samples, resampling.seed):
            first, second = candidate(weights), champion(weights)
            for name, part in drawn.items():
                part.append(first[name] - second[name])
    return {
        name: _pair(value, others[name], np.concatenate([np.empty(0), *drawn[name]]), resampling)
        for name, value in values.items()
    }


def custom_pair(
    function: Callable[[Predictions], float | None],
    candidate: Predictions,
    champion: Predictions,
    resampling: Resampling,
) -> Pair:
    """A metric of the user's own: at most 100 draws, each called for both models, as nothing bounds a call's cost."""
    rows = len(candidate.truth)
    value, other = function(candidate), function(champion)
    drawn: list[float] = []
    if rows >= LEAST_ROWS and value is not None and other is not None:
        generator = np.random.default_rng(resampling.seed)
        for _ in range(min(resampling.samples, _MOST_CUSTOM_SAMPLES)):
            chosen = generator.integers(0, rows, rows)
            first, second = function(candidate.take(chosen)), function(champion.take(chosen))
            drawn.append(np.nan if first is None or second is None else first - second)
    return _pair(value, other, np.array(drawn, dtype=np.float64), resampling)


def exact(candidate: float | None, champion: float | None) -> Pair:
    """What is measured once and not drawn from rows: the difference is its own interval."""
    pair = Pair(candidate=candidate, champion=champion, low=None, high=None)
    return Pair(candidate=candidate, champion=champion, low=pair.difference, high=pair.difference)


def answer_of(pair: Pair, better: Better, margin: float) -> Answer | None:
    """What the interval says of the candidate, who may be worse by `margin` at most; None where it says nothing.

    With [l, u] the interval of the gain (the difference in the direction of better): *better* where l > 0, *no worse*
    where l ≥ -margin, *worse* where u < -margin, else *too little data*. To call the candidate no worse is thus a test
    of non-inferiority by confidence interval, one-sided at (1 + confidence) / 2: 97.5 % for an interval of 95 %
    (ICH E9, Statistical Principles for Clinical Trials, 1998, sections 3.3.2 and 5.5).
    """
    ends = gain_ends(pair, better)
    if ends is None:
        return None
    low, high = ends
    if low > 0:
        return "better"
    if low >= -margin:
        return "no worse"
    return "worse" if high < -margin else "too little data"


def gain_ends(pair: Pair, better: Better) -> tuple[float, float] | None:
    """The interval's ends in the direction of better."""
    if pair.low is None or pair.high is None:
        return None
    return (pair.low, pair.high) if better == "higher" else (-pair.high, -pair.low)


def _pair(
    candidate: float | None, champion: float | None, drawn: NDArray[np.float64], resampling: Resampling
) -> Pair:
    """No bounds where more than half of the draws leave the metric undefined; they always hold the difference."""
    bare = Pair(candidate=candidate, champion=champion, low=None, high=None)
    finite = drawn[np.isfinite(drawn)]
    if bare.difference is None or 2 * len(finite) < max(len(drawn), 1):
        return bare
    tail = (1 - resampling.confidence) / 2
    low, high = np.quantile(finite, [tail, 1 - tail])
    return Pair(
        candidate=candidate,
        champion=champion,
        low=min(float(low), bare.difference),
        high=max(float(high), bare.difference),
    )
