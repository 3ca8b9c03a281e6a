"""Tables of the small model's columns as bodies, and what the server makes of them."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.server.trained import signature_of

from lockgate_runtime.server.columns import rules_of
from lockgate_runtime.server.engine import Columns
from lockgate_runtime.server.refused import Refused
from lockgate_runtime.server.tables import ARROW_FILE, ARROW_STREAM, PARQUET, Tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_BYTES = 1_000_000
TABLES = Tables(rules_of(signature_of(), "refuse"), MOST_BYTES)
RIGHT: dict[str, Any] = {
    "line": pa.array(["A", None, ""]),
    "how far": pa.array([2.5, 0.0, 7.0]),
    "stops": pa.array([3, None, 40]),
    "express": pa.array([True, False, True]),
    "zone": pa.array(["in", "out", "in"]),
}


def stream_of(columns: dict[str, Any], compression: str | None = None) -> bytes:
    table, sink = pa.table(columns), pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def file_of(
    columns: dict[str, Any], compression: str | None = None, most_rows_of_a_batch: int | None = None
) -> bytes:
    table, sink = pa.table(columns), pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table, most_rows_of_a_batch)
    return bytes(sink.getvalue())


def blocks_of(file: bytes) -> list[bytes]:
    """The messages after the schema, as the footer points at them."""
    at, blocks = 8, []
    for message in pa.ipc.MessageReader.open_stream(pa.BufferReader(file[8:])):
        described, size = 8 + message.metadata.size, message.body.size if message.body else 0
        blocks.append(struct.pack("<qi4xq", at, described, size))
        at += described + size
    return blocks[1:]


def parquet_of(columns: dict[str, Any], **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, **options)
    return bytes(sink.getvalue())


def as_views(texts: Any) -> Any:
    return texts.cast(pa.string_view())


def views_of_one_text(text: bytes, count: int) -> Any:
    view = struct.pack("<i4sii", len(text), text[:4], 0, 0)
    return pa.Array.from_buffers(
        pa.string_view(), count, [None, pa.py_buffer(view * count), pa.py_buffer(text)]
    )


def growing_dictionaries(text: str, count: int, deltas: bool) -> Iterator[Any]:
    for row in range(count):
        texts = [text, *(str(it) for it in range(row if deltas else 0))]
        yield pa.DictionaryArray.from_arrays(pa.array([None], pa.int8()), pa.array(texts))


VIEWED = {**RIGHT, "line": as_views(RIGHT["line"]), "zone": as_views(RIGHT["zone"])}
TWENTY_TIMES = {name: pa.concat_arrays([values] * 20) for name, values in RIGHT.items()}
BODIES: dict[str, Callable[..., bytes]] = {ARROW_STREAM: stream_of, ARROW_FILE: file_of, PARQUET: parquet_of}
every_form_of_arrow = pytest.mark.parametrize(
    "form", [ARROW_STREAM, ARROW_FILE], ids=lambda it: it.rpartition(".")[2]
)
every_form = pytest.mark.parametrize("form", BODIES, ids=lambda it: it.rpartition(".")[2])


def read(columns: dict[str, Any], form: str = PARQUET) -> Columns:
    return TABLES.decode(BODIES[form](columns), form, 100)


def refusal(body: bytes, form: str = PARQUET, most_rows: int = 100) -> Refused:
    with pytest.raises(Refused) as caught:
        TABLES.decode(body, form, most_rows)
    json.loads(caught.value.body("r-1"))
    return caught.value


def errors(columns: dict[str, Any], form: str = PARQUET) -> list[tuple[int | None, str, str]]:
    refused = refusal(BODIES[form](columns), form)
    assert (refused.status, refused.reason) == (422, "wrong-column")
    return [(it.row, it.column, it.message) for it in refused.errors]


def assert_right(columns: Columns) -> None:
    np.testing.assert_equal(
        [it.tolist() for it in columns],
        [["A", "", ""], [2.5, 0.0, 7.0], [3.0, np.nan, 40.0], [1.0, 0.0, 1.0], ["in", "out", "in"]],
    )
    assert [it.dtype for it in columns] == [object, np.float32, np.float32, np.float32, object]
