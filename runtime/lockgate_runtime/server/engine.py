"""The model itself: columns in, probabilities (n, k) or values (n) out. Nothing is unpickled."""

from __future__ import annotations

import math
import struct
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from lockgate.contract.vouched import VOUCHED
from lockgate_runtime.server.artifact import Artifact, ArtifactError, read_model
from lockgate_runtime.server.trial import varied

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from lockgate.contract import Signature
    from lockgate_runtime.server.onnx_rows import RowModel
    from lockgate_runtime.server.rows import Row

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
    return _row_engine(engine, data, artifact) or engine


class OnnxEngine:
    """One session of ONNX Runtime on one thread: more cores are used by more workers.

    Text is handed over as arrays of objects. ONNX Runtime copies it in each call: an `OrtValue` cannot hold text that
    comes from Python, arrays of fixed width ("U", "S") take as long, and lists longer.
    """

    def __init__(self, data: bytes, signature: Signature) -> None:
        session = _session(data)
        self._names = _input_names(session, signature)
        self._outputs = [_output_name(session)]
        self._width = len(signature["classes"])
        self._run = _bare_run(session)

    def run(self, columns: Columns) -> Outputs:
        feed = {name: column[:, None] for name, column in zip(self._names, columns, strict=True)}
        return _checked(self._run(self._outputs, feed, None)[0], len(columns[0]), self._width)


class RowEngine:
    """A session whose model takes whole rows of numbers: a single row goes through it in half the time."""

    def __init__(self, model: RowModel, signature: Signature) -> None:
        session = _session(model.data)
        self.order = model.order
        """Which of the signature's inputs is at each place of a row."""
        self._input, self._outputs = model.input, [_output_name(session)]
        self._run = _bare_run(session)
        self._width = len(signature["classes"])
        self._texts = [(place, codes) for place, codes in enumerate(model.codes) if codes is not None]

    def run(self, columns: Columns) -> Outputs:
        rows, count = [columns[place] for place in self.order], len(columns[0])
        for place, codes in self._texts:
            rows[place] = np.fromiter(map(codes.__getitem__, rows[place].tolist()), np.float32, count)
        return self._of(np.array(rows, np.float32).T)

    def run_rows(self, rows: Sequence[Row]) -> Outputs:
        """The outputs for rows whose values are in `order`: the same as for their columns, to the last bit."""
        values, width = list(chain.from_iterable(rows)), len(self.order)
        for place, codes in self._texts:
            for at in range(place, len(values), width):
                values[at] = codes[values[at]]
        return self._of(np.ndarray((len(rows), width), np.float32, _packed(values)))

    def _of(self, numbers: NDArray[np.float32]) -> Outputs:
        outputs = self._run(self._outputs, {self._input: numbers}, None)[0]
        return _checked(outputs, len(numbers), self._width)


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
        return _checked(np.asarray(found), len(frame), self._width)


def _packed(values: Sequence[float | None]) -> bytes:
    """As 32 bits each; None, a missing value, as NaN. For few values it is faster than an array's own conversion."""
    try:
        return struct.pack(f"{len(values)}f", *values)
    except struct.error:
        return struct.pack(f"{len(values)}f", *[math.nan if it is None else it for it in values])


def _row_engine(engine: OnnxEngine, data: bytes, artifact: Artifact) -> RowEngine | None:
    """None where the model cannot be brought into that form, or answers otherwise in it."""
    from lockgate_runtime.server.onnx_rows import to_rows

    model = to_rows(data, lambda part, feed: list(_session(part).run(None, feed)))
    if model is None:
        return None
    found = RowEngine(model, artifact.signature)
    return found if _agree(found, engine, varied(artifact.signature, artifact.reference)) else None


def _agree(one: Engine, other: Engine, columns: Columns) -> bool:
    """Whether they answer alike, to the last bit, and fail for the same rows."""
    first, second, rows = _answer(one, columns), _answer(other, columns), range(len(columns[0]))
    if first is not None and second is not None:
        return np.array_equal(first, second, equal_nan=True)
    if len(rows) == 1:
        return first is second
    return all(_agree(one, other, tuple(it[row : row + 1] for it in columns)) for row in rows)


def _answer(engine: Engine, columns: Columns) -> Outputs | None:
    try:
        return engine.run(columns)
    except Exception:  # noqa: BLE001 - a model may raise anything
        return None


def _session(data: bytes) -> Any:  # noqa: ANN401 - the library has no types
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # What goes wrong is raised.
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # The library raises types of its own that share no base.
        raise ArtifactError(f"ONNX Runtime refuses the model: {error}", "export the model again") from error


def _bare_run(session: Any) -> Callable[..., list[Any]]:  # noqa: ANN401 - the library has no types
    """Of the class below: the one around it looks for the inputs' names at each run."""
    run: Callable[..., list[Any]] = getattr(session, "_sess", session).run
    return run


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


def _output_name(session: Any) -> str:  # noqa: ANN401 - the library has no types
    names = [str(it.name) for it in session.get_outputs()]
    if len(names) != 1:
        raise ArtifactError(
            f"the ONNX model has {len(names)} outputs, expected one", "export the model again"
        )
    return names[0]


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


def _checked(outputs: Outputs, rows: int, width: int) -> Outputs:
    if not width:
        outputs = outputs.ravel()
    expected = (rows, width) if width else (rows,)
    if outputs.shape != expected:
        raise RuntimeError(f"the model's outputs have the shape {outputs.shape}, expected {expected}")
    return outputs
