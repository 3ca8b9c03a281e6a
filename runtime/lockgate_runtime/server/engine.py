"""The model itself: columns in, probabilities (n, k) or values (n) out. Nothing is unpickled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from lockgate.contract.vouched import VOUCHED
from lockgate_runtime.server.artifact import Artifact, ArtifactError, read_model
from lockgate_runtime.server.onnx_session import bare_run, checked, open_session, output_name
from lockgate_runtime.server.row_engine import row_engine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lockgate.contract import Signature

Columns: TypeAlias = "tuple[NDArray[Any], ...]"
"""In the order of the signature's inputs, each of length n: float32 (missing NaN), or text as objects (missing "")."""

Outputs: TypeAlias = "NDArray[np.floating[Any]]"
"""Probabilities (n, k) in the order of the classes, or values (n), in the model's own precision."""

_ONNX_TYPES = {"category": "tensor(string)"}


class Engine(Protocol):
    """A loaded model."""

    def run(self, columns: Columns) -> Outputs:
        """The outputs for n rows in columns."""


def open_engine(artifact: Artifact, trusted: Sequence[str] = ()) -> Engine:
    """The artifact's model, loaded. `trusted` are types that a skops file may hold besides those we vouch for.

    Raises `ArtifactError` where it cannot be loaded or does not fit its signature.
    """
    data = read_model(artifact)
    if artifact.format != "onnx":
        return SkopsEngine(data, artifact.signature, trusted)
    engine = OnnxEngine(data, artifact.signature)
    return row_engine(engine, data, artifact) or engine


class OnnxEngine:
    """One session of ONNX Runtime on one thread: more cores are used by more workers.

    Text is handed over as arrays of objects. ONNX Runtime copies it in each call: an `OrtValue` cannot hold text that
    comes from Python, arrays of fixed width ("U", "S") take as long, and lists longer.
    """

    def __init__(self, data: bytes, signature: Signature) -> None:
        session = open_session(data)
        self._names = _input_names(session, signature)
        self._outputs = [output_name(session)]
        self._width = len(signature["classes"])
        self._run = bare_run(session)

    def run(self, columns: Columns) -> Outputs:
        feed = {name: column[:, None] for name, column in zip(self._names, columns, strict=True)}
        return checked(self._run(self._outputs, feed, None)[0], len(columns[0]), self._width)


class SkopsEngine:
    """An estimator of scikit-learn, of types that skops, we or the operator vouch for."""

    def __init__(self, data: bytes, signature: Signature, trusted: Sequence[str]) -> None:
        self._estimator = _estimator(data, trusted)
        self._names = [it["name"] for it in signature["inputs"]]
        self._width = len(signature["classes"])

    def run(self, columns: Columns) -> Outputs:
        import pandas as pd

        pairs = zip(self._names, columns, strict=True)
        # A series of objects stays one, where a frame made of arrays would turn text into another type.
        frame = pd.DataFrame({name: pd.Series(column, dtype=column.dtype) for name, column in pairs})
        estimator = self._estimator
        found = estimator.predict_proba(frame) if self._width else estimator.predict(frame)
        return checked(np.asarray(found), len(frame), self._width)


def _input_names(session: Any, signature: Signature) -> tuple[str, ...]:  # noqa: ANN401 - the library has no types
    """The graph's own names: inputs are matched by place, as the converter renames some."""
    found = session.get_inputs()
    expected = [_ONNX_TYPES.get(it["type"], "tensor(float)") for it in signature["inputs"]]
    if [it.type for it in found] != expected:
        raise ArtifactError(
            f"the ONNX model takes {len(found)} inputs that are not the {len(expected)} of its signature",
            "export the model again; leave features out of 'data.columns' that the estimator does not use",
        )
    return tuple(it.name for it in found)


def _estimator(data: bytes, trusted: Sequence[str]) -> Any:  # noqa: ANN401 - any estimator
    try:
        import skops.io
    except ImportError as error:
        raise ArtifactError(
            f"a skops model needs '{error.name}', which is not installed",
            "run \"pip install 'lockgate[train]'\"",
        ) from error
    try:
        refused = sorted(set(skops.io.get_untrusted_types(data=data)) - VOUCHED - set(trusted))
        if not refused:
            return skops.io.loads(data, trusted=[*trusted, *VOUCHED])
    except Exception as error:  # A broken file fails anywhere.
        raise ArtifactError(f"the skops file cannot be loaded: {error}", "export the model again") from error
    listed = ", ".join(f"'{name}'" for name in refused)
    raise ArtifactError(
        f"the skops file holds types that are not trusted: {listed}",
        f"where you trust their code with the model's file, pass {' '.join(f'--trust {name}' for name in refused)}",
    )
