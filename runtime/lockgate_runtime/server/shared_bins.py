"""Bins of predictions that all versions of a model have, so that one can be held against another while both serve.

The bins of a reference are of one version alone: its own classes by their place, or the deciles of its own holdout,
into which even values of another order of magnitude fall evenly.
"""

from __future__ import annotations

from math import ceil, log
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lockgate.contract import Reference, Signature
    from lockgate_runtime.server.binning import Count

_BINS = 32
_TENTHS = np.arange(1, 10) / 10
_SCALES = 3
_DECILES_APART = 2.563
"""So many standard deviations lie between the first and the last decile of a normal distribution."""
_LEAST_SPREAD = 1e-300


def shared_bins(signature: Signature, reference: Reference) -> tuple[tuple[str, int], ...]:
    """Scale and number of each bin. Versions are compared on the scales that both have."""
    if signature["kind"] == "binary":
        return tuple(("probability", place) for place in range(len(_TENTHS) + 1))
    if signature["kind"] == "multiclass":
        return tuple(("class", place) for place in range(_BINS))
    steps = _steps(reference["predictions"]["edges"])
    return tuple((repr(step), place) for step in steps for place in range(_BINS))


def shared_count(signature: Signature, reference: Reference) -> Count:
    """Counts outputs, probabilities (n, k) or values (n), into those bins; what is no number is in none."""
    if signature["kind"] == "binary":
        return lambda outputs: np.bincount(
            np.searchsorted(_TENTHS, _finite(outputs[:, 1]), side="right"), minlength=len(_TENTHS) + 1
        )
    if signature["kind"] == "multiclass":
        # By the label's own hash: where a class comes or goes, the others stay where they are.
        bins = np.array([crc32(label.encode(errors="replace")) % _BINS for label in signature["classes"]])
        return lambda outputs: np.bincount(bins[outputs.argmax(axis=1)], minlength=_BINS)
    steps = _steps(reference["predictions"]["edges"])
    return lambda outputs: np.concatenate([_counted(_finite(outputs), step) for step in steps])


def _steps(edges: Sequence[float]) -> list[float]:
    """Widths of bins for values, powers of 4: the first from half a standard deviation to two, then the wider ones.

    Versions whose values spread differently by less than the factor 16 share at least one.
    """
    spread = (edges[-1] - edges[0]) / _DECILES_APART if len(edges) > 1 else max(map(abs, edges), default=1.0)
    first = ceil(log(max(spread, _LEAST_SPREAD) / 2, 4))
    return [4.0 ** (first + more) for more in range(_SCALES)]


def _counted(values: NDArray[np.float64], step: float) -> NDArray[np.int64]:
    """As on a clock, the bins begin anew after the last: so they need no ends that versions would have to share."""
    return np.bincount((np.floor(values / step) % _BINS).astype(np.int64), minlength=_BINS)


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[np.isfinite(values)]
