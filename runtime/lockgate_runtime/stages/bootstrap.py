"""Percentile bootstrap intervals around metrics: resamples are rows of counts, a few at a time to bound memory.

Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13. An interval is widened to hold the
value itself, which matters where resampling adds to a statistic that cannot be below zero, as a calibration error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lockgate.contract import Interval
from lockgate_runtime.stages.metrics import point_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from lockgate.spec.model import Evaluate
    from lockgate_runtime.stages.classification import Floats, Statistic
    from lockgate_runtime.stages.metrics import Predictions

LEAST_ROWS = 30
_MOST_CUSTOM_SAMPLES = 100
_CELLS = 1_000_000  # Counts of one chunk: 8 MB.
_DEVIATIONS = 5  # By how many standard deviations the first step of a draw stays below its sum.
_TABLE = 65_536


def intervals(
    statistic: Statistic, rows: int, settings: Evaluate, seed: Sequence[int]
) -> dict[str, Interval]:
    """Every metric of the statistic with its interval; without bounds where the rows are too few."""
    values = point_values(statistic, rows)
    if rows < LEAST_ROWS:
        return {name: _bounded(value, None, settings) for name, value in values.items()}
    parts: dict[str, list[Floats]] = {name: [] for name in values}
    for weights in resamples(rows, settings.bootstrap_samples, seed):
        for name, part in statistic(weights).items():
            parts[name].append(part)
    return {name: _bounded(value, np.concatenate(parts[name]), settings) for name, value in values.items()}


def custom_interval(
    function: Callable[[Predictions], float | None],
    predictions: Predictions,
    settings: Evaluate,
    seed: Sequence[int],
) -> Interval:
    """A metric of the user's own with its interval: at most 100 resamples, as nothing bounds what a call costs."""
    value = function(predictions)
    rows = len(predictions.truth)
    if rows < LEAST_ROWS or value is None:
        return _bounded(value, None, settings)
    generator = np.random.default_rng(seed)
    samples = min(settings.bootstrap_samples, _MOST_CUSTOM_SAMPLES)
    drawn = [function(predictions.take(generator.integers(0, rows, rows))) for _ in range(samples)]
    return _bounded(value, np.array([np.nan if it is None else it for it in drawn]), settings)


def resamples(rows: int, samples: int, seed: Sequence[int]) -> Iterator[Floats]:
    """Chunks of resamples (b, rows): how often each row was drawn, with every sum equal to `rows`.

    A multinomial draw in two steps, several times faster than one row after the other: each row a Poisson count of a
    rate that leaves a little missing, read off a table by 16 random bits, then what is missing one by one.
    """
    generator = np.random.default_rng(seed)
    table = _poisson_table(max(0.0, 1 - _DEVIATIONS / rows**0.5))
    most = max(1, _CELLS // rows)
    for start in range(0, samples, most):
        bits = generator.integers(0, _TABLE, (min(most, samples - start), rows), dtype=np.uint16)
        weights = table.take(bits).astype(np.float64)
        for row in weights:
            _complete(generator, row)
        yield weights


def _complete(generator: np.random.Generator, weights: Floats) -> None:
    rows = len(weights)
    missing = rows - int(weights.sum())
    if missing < 0:  # Less often than once in a million.
        weights[:] = 0
        missing = rows
    weights += np.bincount(generator.integers(0, rows, missing), minlength=rows)


def _poisson_table(rate: float) -> NDArray[np.uint8]:
    counts = np.arange(20)
    probabilities = np.exp(-rate) * rate**counts / np.cumprod(np.maximum(counts, 1), dtype=np.float64)
    middles = (np.arange(_TABLE) + 0.5) / _TABLE
    return np.searchsorted(np.cumsum(probabilities), middles).astype(np.uint8)


def _bounded(value: float | None, drawn: NDArray[np.float64] | None, settings: Evaluate) -> Interval:
    """No bounds where more than half of the resamples leave the metric undefined."""
    if value is None or drawn is None or np.isfinite(drawn).mean() < 0.5:
        return Interval(value=value, low=None, high=None)
    tail = (1 - settings.bootstrap_confidence) / 2
    low, high = np.quantile(drawn[np.isfinite(drawn)], [tail, 1 - tail])
    return Interval(value=value, low=min(float(low), value), high=max(float(high), value))
