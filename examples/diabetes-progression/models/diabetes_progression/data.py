"""442 patients with diabetes: ten measurements, and how far the disease had progressed a year later."""

from __future__ import annotations

import pandas as pd
from sklearn.datasets import load_diabetes

_NAMES = {
    "bmi": "body_mass_index",
    "bp": "blood_pressure",
    "s1": "total_cholesterol",
    "s2": "ldl",
    "s3": "hdl",
    "s4": "cholesterol_ratio",
    "s5": "log_triglycerides",
    "s6": "glucose",
}


def load() -> pd.DataFrame:
    """A row a patient, in the units of the original study (Efron et al., Least Angle Regression, 2004)."""
    dataset = load_diabetes(as_frame=True, scaled=False)
    rows = dataset.data.rename(columns=_NAMES)
    rows["sex"] = rows["sex"].map({1.0: "1", 2.0: "2"})  # the study does not say which is which
    rows["progression"] = dataset.target
    return rows
