"""Predictions as rows of a Parquet file: the schema, and a file's bytes."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lockgate_runtime.server.answers import labels_of
from lockgate_runtime.server.log_storage import PredictionLogError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    import pyarrow as pa
    from numpy.typing import NDArray

    from lockgate.contract import Signature
    from lockgate_runtime.server.engine import Columns, Outputs


class Logged(NamedTuple):
    """Rows of a request from its row `first` on: kept columns by their place in the signature's inputs, and outputs."""

    request_id: str
    time: datetime
    first: int
    columns: Columns
    outputs: Outputs


class PredictionRows:
    """A model's rows without the columns that are left out; inputs are named `input_…`, which no other column is."""

    def __init__(self, signature: Signature, version: str, left_out: Collection[str]) -> None:
        """Raises `PredictionLogError` for a column to leave out that is none: a slip would log what must not be."""
        names = [it["name"] for it in signature["inputs"]]
        for name in left_out:
            if name not in names:
                raise PredictionLogError(
                    f"column '{name}' is to be left out of the log of predictions, but the model has no such input",
                    _similar(name, names),
                )
        self._signature, self._version = signature, version
        self.kept = [place for place, it in enumerate(signature["inputs"]) if it["name"] not in left_out]

    def parquet(self, logged: Sequence[Logged]) -> bytes:
        """A file of these requests' rows."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        sink = pa.BufferOutputStream()
        pq.write_table(self.table(logged), sink, compression="zstd")
        data: bytes = sink.getvalue().to_pybytes()
        return data

    def table(self, logged: Sequence[Logged]) -> pa.Table:
        """Their rows; a missing value is null, whether number or category."""
        import pyarrow as pa

        lengths = [len(it.outputs) for it in logged]
        columns = {
            "id": pa.array(np.repeat([it.request_id for it in logged], lengths).tolist(), pa.string()),
            "time": pa.array([it.time for it in logged], pa.timestamp("us", "UTC")).take(_repeated(lengths)),
            "model": pa.repeat(pa.scalar(self._signature["model"]), sum(lengths)),
            "version": pa.repeat(pa.scalar(self._version), sum(lengths)),
            "row": pa.array(
                np.concatenate([it.first + np.arange(len(it.outputs)) for it in logged]), pa.int32()
            ),
        }
        for kept, place in enumerate(self.kept):
            values = np.concatenate([it.columns[kept] for it in logged])
            feature = self._signature["inputs"][place]
            columns[f"input_{feature['name']}"] = _input(values, feature["type"])
        return pa.table(
            {**columns, **self._predictions(np.concatenate([it.outputs for it in logged], dtype=np.float64))}
        )

    def _predictions(self, outputs: NDArray[np.float64]) -> dict[str, pa.Array]:
        import pyarrow as pa

        signature = self._signature
        if signature["kind"] == "regression":
            return {"prediction": pa.array(outputs, pa.float64())}
        labels = pa.array(labels_of(outputs, signature), pa.string())
        if signature["kind"] == "binary":
            return {"prediction": labels, "probability": pa.array(np.ascontiguousarray(outputs[:, 1]))}
        return {
            "prediction": labels,
            "probability": pa.array(outputs.max(axis=1)),
            "probabilities": pa.array(outputs.tolist(), pa.list_(pa.float64())),
        }


def _similar(name: str, names: Sequence[str]) -> str:
    listed = ", ".join(f"'{it}'" for it in names[:10])
    close = get_close_matches(name, names, n=1)
    return f"did you mean '{close[0]}'?" if close else f"its inputs are {listed}"


def _input(values: NDArray[Any], kind: str) -> pa.Array:
    import pyarrow as pa

    if kind != "category":
        return pa.array(values.astype(np.float32), from_pandas=True)
    return pa.array([_text(value) for value in values.tolist()], pa.string())


def _text(value: str) -> str | None:
    """Without lone surrogates, which have no UTF-8."""
    return value.encode(errors="replace").decode() or None


def _repeated(lengths: Sequence[int]) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(lengths)), lengths)
