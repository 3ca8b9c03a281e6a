"""From predicted probabilities and what came true to calibration bins. Knows no model and no file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lockgate.contract import CalibrationBin

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BINS = 10


def quantile_bins(predicted: NDArray[np.float64]) -> NDArray[np.int64]:
    """For each row (n) the index of its bin; ten bins of about equally many rows, equal predictions in one bin."""
    edges = np.unique(np.quantile(predicted, np.arange(1, _BINS) / _BINS))
    return np.searchsorted(edges, predicted, side="right")


def calibration_bins(predicted: NDArray[np.float64], observed: NDArray[np.bool_]) -> list[CalibrationBin]:
    """The bins that hold rows, in the order of their predictions. Both arrays have one place a row (n)."""
    bins = quantile_bins(predicted)
    rows = np.bincount(bins)
    means = np.bincount(bins, weights=predicted) / np.maximum(rows, 1)
    shares = np.bincount(bins, weights=observed) / np.maximum(rows, 1)
    return [
        CalibrationBin(rows=int(rows[index]), predicted=float(means[index]), observed=float(shares[index]))
        for index in np.flatnonzero(rows)
    ]
