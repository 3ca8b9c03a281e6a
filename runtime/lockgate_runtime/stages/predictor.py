"""Predictions of a fitted estimator, and of an exported model from its directory alone. Nothing served is unpickled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import joblib
import numpy as np
import onnxruntime
import pandas as pd

from lockgate.contract import ESTIMATOR, ONNX_MODEL, SIGNATURE, SKOPS_MODEL, Signature, artifact_path
from lockgate_runtime.stages import skops_model
from lockgate_runtime.stages.files import read_json
from lockgate_runtime.stages.user_code import StageError, load_function, user_errors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lockgate.contract import Kind
    from lockgate.spec.model import Model

_ROWS_AT_ONCE = 50_000


class Predictor(Protocol):
    """An exported model. Its outputs are probabilities (n, k) in the order of the classes, or values (n)."""

    def predict(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """The outputs for rows as `to_features` gives them."""

    def predict_row(self, row: Sequence[object]) -> NDArray[np.float64]:
        """The outputs for one row, its values in the order of the inputs; for where a frame costs too much."""


def load_predictor(directory: Path, trusted: Sequence[str] = ()) -> Predictor:
    """The model of the directory. `trusted` are types that a skops file may hold besides those we vouch for.

    Raises `StageError` where there is not exactly one model, or where it cannot be loaded.
    """
    signature: Signature = read_json(directory / SIGNATURE)
    found = [name for name in (ONNX_MODEL, SKOPS_MODEL) if (directory / name).is_file()]
    if len(found) != 1:
        raise StageError(
            f"'{directory}' holds {' and '.join(found) or 'no model'}, expected one of '{ONNX_MODEL}' and "
            f"'{SKOPS_MODEL}'",
            "run the stage 'export' again",
        )
    data = (directory / found[0]).read_bytes()
    if found[0] == ONNX_MODEL:
        return onnx_predictor(data, signature)
    return SkopsPredictor(estimator=skops_model.loads(data, trusted), signature=signature)


def onnx_predictor(data: bytes, signature: Signature) -> OnnxPredictor:
    """The predictor of an ONNX model's bytes. Raises `StageError` where its inputs are not the signature's."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # What goes wrong is raised; warnings are of no use to the model's user.
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # The library raises types of its own that share no base.
        raise StageError(
            f"ONNX Runtime refuses the model: {error}", "run the stage 'export' again"
        ) from error
    names = tuple(it.name for it in session.get_inputs())
    if len(names) != len(signature["inputs"]):
        raise StageError(
            f"the ONNX model takes {len(names)} inputs, but its signature lists {len(signature['inputs'])}",
            "leave features out of 'data.columns' that the estimator does not use",
        )
    return OnnxPredictor(session=session, names=names, signature=signature)


@dataclass(frozen=True, kw_only=True, slots=True)
class OnnxPredictor:
    session: Any
    names: tuple[str, ...]
    signature: Signature

    def predict(self, features: pd.DataFrame) -> NDArray[np.float64]:
        starts = range(0, max(len(features), 1), _ROWS_AT_ONCE)
        return np.concatenate([self._run(features.iloc[at : at + _ROWS_AT_ONCE]) for at in starts])

    def predict_row(self, row: Sequence[object]) -> NDArray[np.float64]:
        columns = zip(self.names, self.signature["inputs"], row, strict=True)
        return self._outputs(
            {name: np.array([[value]], dtype=_dtype(it["type"])) for name, it, value in columns}
        )

    def _run(self, features: pd.DataFrame) -> NDArray[np.float64]:
        columns = zip(self.names, self.signature["inputs"], strict=True)
        return self._outputs(
            {name: features[it["name"]].to_numpy(_dtype(it["type"])).reshape(-1, 1) for name, it in columns}
        )

    def _outputs(self, feed: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
        outputs = np.asarray(self.session.run(None, feed)[0], dtype=np.float64)
        return outputs.ravel() if self.signature["kind"] == "regression" else outputs


@dataclass(frozen=True, kw_only=True, slots=True)
class SkopsPredictor:
    estimator: Any
    signature: Signature

    def predict(self, features: pd.DataFrame) -> NDArray[np.float64]:
        return outputs_of(self.estimator, features, self.signature["kind"])

    def predict_row(self, row: Sequence[object]) -> NDArray[np.float64]:
        columns = zip(self.signature["inputs"], row, strict=True)
        return self.predict(
            pd.DataFrame({it["name"]: np.array([value], dtype=_dtype(it["type"])) for it, value in columns})
        )


def load_estimator(model: Model, root: Path) -> Any:  # noqa: ANN401 - whatever the user's function made
    """What the stage `train` fitted, on this machine, in this pipeline: the one pickle that is read."""
    load_function(model.train.estimator, root)  # Its classes may be of the user's modules.
    path = root / artifact_path(model.name, ESTIMATOR)
    try:
        with user_errors("loading the estimator", root):
            return joblib.load(path)
    except StageError as error:
        missing = StageError(f"'{path}' does not exist", "run the stage 'train' first: 'dvc repro' does")
        raise error if path.exists() else missing from error


def estimator_outputs(
    estimator: Any,  # noqa: ANN401
    features: pd.DataFrame,
    kind: Kind,
    root: Path,
) -> NDArray[np.float64]:
    """As `outputs_of`; what the user's own code raises on the way is a `StageError`."""
    with user_errors("the estimator's prediction", root):
        return outputs_of(estimator, features, kind)


def outputs_of(estimator: Any, features: pd.DataFrame, kind: Kind) -> NDArray[np.float64]:  # noqa: ANN401
    """Probabilities (n, k) of a classifier, values (n) of a regression."""
    if kind == "regression":
        return np.asarray(estimator.predict(features), dtype=np.float64).ravel()
    return np.asarray(estimator.predict_proba(features), dtype=np.float64)


def _dtype(kind: str) -> type:
    return object if kind == "category" else np.float32
