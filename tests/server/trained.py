"""Small models that are really trained and exported, their rows, and what the pipeline's own predictor says of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

from lockgate import contract
from lockgate.contract import Feature, Signature
from lockgate.contract.sums import sums_of
from lockgate_runtime.stages import onnx_model, skops_model
from lockgate_runtime.stages.features import to_features
from lockgate_runtime.stages.files import file_sha256, write_json
from lockgate_runtime.stages.predictor import load_predictor
from lockgate_runtime.stages.reference import reference_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lockgate.contract import Kind

ROWS = 300
INPUTS = [
    Feature(name="line", type="category", nullable=True, values=["A", "B", "C"]),
    Feature(name="how far", type="number", nullable=False, min=0),
    Feature(name="stops", type="integer", nullable=True, min=0, max=40),
    Feature(name="express", type="boolean", nullable=False),
    Feature(name="zone", type="category", nullable=False, values=["in", "out"]),
]
_CLASSES: dict[Kind, list[str]] = {"binary": ["no", "yes"], "multiclass": ["a", "b", "c"], "regression": []}


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A served folder, rows as the pipeline reads them, and what its exported model predicts of these."""

    folder: Path
    signature: Signature
    frame: pd.DataFrame
    expected: NDArray[np.float64]


def signature_of(kind: Kind = "binary") -> Signature:
    binary = kind == "binary"
    return Signature(
        model="late-bus",
        kind=kind,
        target="late",
        inputs=INPUTS,
        classes=_CLASSES[kind],
        positive="yes" if binary else None,
        threshold=0.4 if binary else None,
    )


def frame_of(rows: int = ROWS) -> pd.DataFrame:
    """Rows with missing values, with a line and with texts that training may never have seen."""
    random = np.random.default_rng(3)
    stops = random.integers(0, 40, rows).astype(float)
    stops[random.random(rows) < 0.1] = np.nan
    line = random.choice(np.array(["A", "B", "C", "Ä\0\n", None], dtype=object), rows)
    return pd.DataFrame(
        {
            "line": pd.Series(line, dtype=object),
            "how far": random.gamma(2.0, 3.0, rows),
            "stops": stops,
            "express": random.random(rows) < 0.4,
            "zone": pd.Series(random.choice(np.array(["in", "out"], dtype=object), rows), dtype=object),
        }
    )


def train(
    folder: Path,
    kind: Kind = "binary",
    model_format: str = "onnx",
    estimator: Any = None,
    frame: pd.DataFrame | None = None,
) -> Trained:
    signature, frame = signature_of(kind), frame_of() if frame is None else frame
    features = to_features(frame, INPUTS)
    score = features["how far"] + 3 * (features["line"] == "B") + np.nan_to_num(features["stops"]) / 10
    target = score if kind == "regression" else pd.qcut(score, len(signature["classes"]), labels=False)
    estimator = (estimator or _estimator(kind, model_format)).fit(features, target)
    folder.mkdir()
    if model_format == "onnx":
        (folder / contract.ONNX_MODEL).write_bytes(onnx_model.to_onnx(estimator, INPUTS, kind))
    else:
        (folder / contract.SKOPS_MODEL).write_bytes(skops_model.dumps(estimator))
    write_json(folder / contract.SIGNATURE, signature)
    expected = load_predictor(folder).predict(features)
    write_json(folder / contract.REFERENCE, reference_of(features, expected, signature))
    write_sums(folder)
    return Trained(folder=folder, signature=signature, frame=frame, expected=expected)


def write_sums(folder: Path) -> None:
    """The hashes of the files as they are now."""
    paths = [path for path in folder.iterdir() if path.name != contract.SHA256SUMS]
    (folder / contract.SHA256SUMS).write_bytes(sums_of({path.name: file_sha256(path) for path in paths}))


def _estimator(kind: Kind, model_format: str) -> Any:
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    numbers = ["how far", "stops", "express"]
    if model_format == "skops":
        known = make_pipeline(SimpleImputer(), FunctionTransformer(np.nan_to_num))
        return make_pipeline(
            make_column_transformer((known, numbers), (codes, ["line", "zone"])), LogisticRegression()
        )
    boosting = HistGradientBoostingRegressor if kind == "regression" else HistGradientBoostingClassifier
    columns = make_column_transformer(("passthrough", numbers), (codes, ["line", "zone"]))
    return make_pipeline(columns, boosting(max_iter=8))
