"""FastAPI and scikit-learn as most people write it: a typed row, a frame of one row, `predict_proba`."""

from __future__ import annotations

import os

import joblib
import pandas as pd
from fastapi import FastAPI
from pydantic import create_model

app = FastAPI()
estimator = joblib.load(os.environ["ESTIMATOR"])
texts = frozenset(os.environ["TEXTS"].split(","))
Row = create_model(
    "Row", **{name: (str if name in texts else float, ...) for name in estimator.feature_names_in_}
)


@app.post("/predict")
def predict(row: Row) -> dict[str, float]:
    frame = pd.DataFrame([row.model_dump()])
    return {"probability": float(estimator.predict_proba(frame)[0, 1])}
