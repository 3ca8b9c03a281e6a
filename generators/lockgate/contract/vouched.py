"""Types that a skops file may hold in every model: what is exported, scanned and served by the same list."""

from __future__ import annotations

# Types that skops does not trust by itself and that we vouch for: holders of numbers without code in them. Not among
# them are trees (`Tree`, `TreePredictor`): their compiled code follows indexes of the file without checking them.
VOUCHED = frozenset(
    {
        "numpy.dtype",
        "numpy.nan_to_num",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.utils._bunch.Bunch",
    }
)
