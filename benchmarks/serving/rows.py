"""Rows of the holdout, each in the words of every server, and what the exported estimator says of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

Row: TypeAlias = Mapping[str, Any]
Body: TypeAlias = Callable[[Row], bytes]


class Holdout(NamedTuple):
    """`texts` are the columns that are categories."""

    rows: tuple[Row, ...]
    texts: frozenset[str]
    table: pa.Table


def read(artifacts: Path, count: int) -> Holdout:
    """Rows with no value missing, from all over the holdout: not every server can be told that one is."""
    signature = json.loads((artifacts / "model" / "signature.json").read_bytes())
    names = [it["name"] for it in signature["inputs"]]
    texts = frozenset(it["name"] for it in signature["inputs"] if it["type"] == "category")
    table = pq.read_table(artifacts / "holdout.parquet", columns=names).combine_chunks()
    whole = table.filter(_whole(table))
    table = whole.take(pa.array(range(0, len(whole), max(1, len(whole) // count))[:count]))
    return Holdout(tuple(table.to_pylist()), texts, table)


def _whole(table: pa.Table) -> pa.ChunkedArray:
    found = None
    for column in table.columns:
        there = pc.is_valid(column)
        if pa.types.is_floating(column.type):
            there = pc.and_(there, pc.fill_null(pc.is_finite(column), fill_value=False))
        found = there if found is None else pc.and_(found, there)
    return found


def as_rows(row: Row) -> bytes:
    return _json({"rows": [row]})


def as_object(row: Row) -> bytes:
    return _json(row)


def as_argument(row: Row) -> bytes:
    return _json({"row": row})


def as_split(row: Row) -> bytes:
    return _json({"dataframe_split": {"columns": list(row), "data": [list(row.values())]}})


def as_instance(row: Row) -> bytes:
    return _json({"instances": [{name: [value] for name, value in row.items()}]})


def as_tensors(row: Row) -> bytes:
    """The Open Inference Protocol, a tensor for each column, put together to a frame."""
    inputs = [_tensor(name, value) for name, value in row.items()]
    return _json(
        {"parameters": {"content_type": "pd"}, "inputs": inputs, "outputs": [{"name": "predict_proba"}]}
    )


def as_columns(rows: Sequence[Row]) -> bytes:
    return _json({"columns": {name: [row[name] for row in rows] for name in rows[0]}})


def as_stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    found: bytes = sink.getvalue().to_pybytes()
    return found


def _tensor(name: str, value: object) -> dict[str, object]:
    text = isinstance(value, str)
    told = {"parameters": {"content_type": "str"}} if text else {}
    return {"name": name, "datatype": "BYTES" if text else "FP64", "shape": [1, 1], "data": [value], **told}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
