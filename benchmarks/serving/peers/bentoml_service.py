"""BentoML: one row at a time, and with its adaptive batching. Lists, as batching frames hangs in 1.4."""

from __future__ import annotations

import os
from typing import Any

import bentoml
import joblib
import pandas as pd


@bentoml.service(workers=1, traffic={"timeout": 30, "max_concurrency": 1000}, metrics={"enabled": False})
class Flights:
    def __init__(self) -> None:
        self.estimator = joblib.load(os.environ["ESTIMATOR"])

    @bentoml.api
    def predict(self, row: dict[str, Any]) -> float:
        return float(self.estimator.predict_proba(pd.DataFrame([row]))[0, 1])

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=1000)
    def predict_batch(self, rows: list[dict[str, Any]]) -> list[float]:
        found: list[float] = self.estimator.predict_proba(pd.DataFrame(rows))[:, 1].tolist()
        return found
