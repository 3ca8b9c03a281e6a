"""`benchmarks/serving/run.py` measures what needs no environment of its own, on a small model of another shape."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from tests.server.trained import write_sums

from lockgate import contract
from lockgate.contract import Feature, Signature
from lockgate_runtime.stages import onnx_model
from lockgate_runtime.stages.files import write_json
from lockgate_runtime.stages.reference import reference_of

ROOT = Path(__file__).parents[2]
INPUTS = [
    Feature(name="distance", type="number", nullable=False),
    Feature(name="line", type="category", nullable=False, values=["A", "B"]),
]
SIGNATURE = Signature(
    model="late-bus",
    kind="binary",
    target="late",
    inputs=INPUTS,
    classes=["no", "yes"],
    positive="yes",
    threshold=0.5,
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not hasattr(os, "sched_getaffinity") or not {0, 1} <= os.sched_getaffinity(0),
        reason="needs Linux and two cores: one for the server, one for the load",
    ),
]


def write_artifacts(folder: Path) -> Path:
    """What a run leaves, as far as a benchmark reads it."""
    random = np.random.default_rng(5)
    distance = random.random(400).astype(np.float32).astype(float)
    frame = pd.DataFrame({"distance": distance, "line": random.choice(["A", "B"], 400).astype(object)})
    late = frame["distance"] + (frame["line"] == "B") > 0.9
    columns = make_column_transformer(("passthrough", ["distance"]), (OrdinalEncoder(), ["line"]))
    estimator = make_pipeline(columns, HistGradientBoostingClassifier(max_iter=4)).fit(frame, late)
    model = folder / "model"
    model.mkdir(parents=True)
    (model / contract.ONNX_MODEL).write_bytes(onnx_model.to_onnx(estimator, INPUTS, "binary"))
    write_json(model / contract.SIGNATURE, SIGNATURE)
    write_json(model / contract.REFERENCE, reference_of(frame, estimator.predict_proba(frame), SIGNATURE))
    write_sums(model)
    joblib.dump(estimator, folder / "estimator.joblib")
    frame.to_parquet(folder / "holdout.parquet")
    return folder


def test_what_is_measured_is_right_and_stands_in_two_tables(tmp_path: Path) -> None:
    artifacts = write_artifacts(tmp_path / "artifacts")
    pace = ("--rounds", "1", "--seconds", "1", "--patience", "0")
    command = [sys.executable, "benchmarks/serving/run.py", "--artifacts", str(artifacts), "--peers", *pace]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "Left out" not in done.stdout
    rows = [line.split("|")[1].strip() for line in done.stdout.splitlines() if line.startswith("|")]
    assert rows[2:5] == ["Lockgate", "Lockgate, no monitoring", "asyncio and uvloop, hello"]
    assert rows[-1] == "cost of monitoring, median of 3 pairs by turns"
