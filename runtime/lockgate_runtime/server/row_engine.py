"""The engine of models whose inputs could be brought together: whole rows of numbers go in."""

from __future__ import annotations

import math
import struct
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from lockgate_runtime.server.onnx_session import bare_run, bound_run, checked, open_session, output_name
from lockgate_runtime.server.trial import varied

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from lockgate.contract import Signature
    from lockgate_runtime.server.artifact import Artifact
    from lockgate_runtime.server.engine import Columns, Engine, Outputs
    from lockgate_runtime.server.onnx_rows import RowModel
    from lockgate_runtime.server.rows import Row


def row_engine(exported: Engine, data: bytes, artifact: Artifact) -> RowEngine | None:
    """None where the model cannot be brought into that form, or answers otherwise in it than as it was exported."""
    from lockgate_runtime.server.onnx_rows import to_rows

    model = to_rows(data, lambda part, feed: list(open_session(part).run(None, feed)))
    if model is None:
        return None
    engine = RowEngine(model, artifact.signature)
    columns = varied(artifact.signature, artifact.reference)
    same = all(_agree(engine, exported, columns, row) for row in range(len(columns[0])))
    return engine if same else None


class RowEngine:
    """A session that takes rows; a single one goes through it in half the time that its columns took."""

    def __init__(self, model: RowModel, signature: Signature) -> None:
        session = open_session(model.data)
        self.order = model.order
        """Which of the signature's inputs is at each place of a row."""
        self._input, self._outputs = model.input, [output_name(session)]
        self._run = bare_run(session)
        self._width = len(signature["classes"])
        self._texts = [(place, codes) for place, codes in enumerate(model.codes) if codes is not None]
        self._one = _OneRow(session, model, self._outputs[0], self._width)

    def run(self, columns: Columns) -> Outputs:
        """The outputs for n rows in columns."""
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
        if len(rows) == 1:
            return self._one.run(values)
        return self._of(np.ndarray((len(rows), width), np.float32, _packed(values)))

    def _of(self, numbers: NDArray[np.float32]) -> Outputs:
        outputs = self._run(self._outputs, {self._input: numbers}, None)[0]
        return checked(outputs, len(numbers), self._width)


class _OneRow:
    """Memory for one row and for its outputs that is bound to a session, so that nothing is handed over in a run."""

    def __init__(self, session: Any, model: RowModel, output: str, width: int) -> None:  # noqa: ANN401 - the library has no types
        self._row = np.zeros(len(model.order), np.float32)
        self._outputs = np.zeros((1, width) if width else 1, np.float32)
        binding = session.io_binding()
        for bind, name, memory in (
            (binding.bind_input, model.input, self._row),
            (binding.bind_output, output, self._outputs),
        ):
            bind(name, "cpu", 0, np.float32, (1, memory.size), memory.ctypes.data)
        self._pack: Callable[..., None] = struct.Struct(f"{len(model.order)}f").pack_into
        self._run = bound_run(session, binding)

    def run(self, values: Sequence[float | None]) -> Outputs:
        try:
            self._pack(self._row, 0, *values)
        except struct.error:
            self._pack(self._row, 0, *_with_nan(values))
        self._run()
        return self._outputs.copy()


def _packed(values: Sequence[float | None]) -> bytes:
    """As 32 bits each; for few values it is faster than an array's own conversion."""
    try:
        return struct.pack(f"{len(values)}f", *values)
    except struct.error:
        return struct.pack(f"{len(values)}f", *_with_nan(values))


def _with_nan(values: Sequence[float | None]) -> list[float]:
    """For those that are missing."""
    return [math.nan if it is None else it for it in values]


def _agree(engine: RowEngine, exported: Engine, columns: Columns, row: int) -> bool:
    """Whether both answer a row of the columns alike, to the last bit, or both fail for it."""
    one = tuple(it[row : row + 1] for it in columns)
    values = tuple(one[place].item() for place in engine.order)
    expected = _answer(lambda: exported.run(one))
    return all(
        _is_same(_answer(answer), expected)
        for answer in (lambda: engine.run(one), lambda: engine.run_rows([values]))
    )


def _answer(ask: Callable[[], Outputs]) -> Outputs | None:
    try:
        return ask()
    except Exception:  # noqa: BLE001 - a model may raise anything
        return None


def _is_same(one: Outputs | None, other: Outputs | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other, equal_nan=True)
