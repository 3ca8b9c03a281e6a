"""Arrow and Parquet as clients write them, and as an attacker would: small bodies that unpack to much."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.trained import signature_of

from lockgate_runtime.server.columns import rules_of
from lockgate_runtime.server.engine import Columns
from lockgate_runtime.server.parquet_pages import unpacked_bytes
from lockgate_runtime.server.refused import Refused
from lockgate_runtime.server.tables import ARROW_FILE, ARROW_STREAM, PARQUET, Tables

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


def file_of(columns: dict[str, Any]) -> bytes:
    table, sink = pa.table(columns), pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def parquet_of(columns: dict[str, Any], **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, **options)
    return bytes(sink.getvalue())


BODIES = {ARROW_STREAM: stream_of, ARROW_FILE: file_of, PARQUET: parquet_of}
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


@every_form
def test_a_table_becomes_the_models_columns(form: str) -> None:
    assert_right(read(RIGHT, form))


@every_form
def test_dictionaries_and_other_widths_of_numbers_are_read(form: str) -> None:
    other = {
        **RIGHT,
        "line": RIGHT["line"].dictionary_encode(),
        "how far": RIGHT["how far"].cast(pa.float16()),
        "stops": RIGHT["stops"].cast(pa.uint8()),
        "zone": RIGHT["zone"].cast(pa.large_string()),
    }
    assert_right(read(dict(reversed(other.items())), form))


@every_form
def test_a_nullable_column_may_be_left_out_or_be_all_null(form: str) -> None:
    columns = read(
        {**{name: RIGHT[name] for name in ("how far", "express", "zone")}, "stops": pa.nulls(3)}, form
    )
    assert columns[0].tolist() == ["", "", ""]
    assert np.isnan(columns[2]).all()


def test_what_pandas_writes_of_an_index_is_left_out() -> None:
    assert_right(read({**RIGHT, "__index_level_0__": pa.array([5, 6, 7])}))


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "brotli", "lz4"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_parquet_is_read_however_compressed(compression: str, version: str) -> None:
    body = parquet_of(RIGHT, compression=compression, data_page_version=version, row_group_size=2)
    assert_right(TABLES.decode(body, PARQUET, 3))


@every_form
@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("how far", ["1"] * 3, (None, "how far", "is of the type 'string', expected numbers")),
        ("how far", [True] * 3, (None, "how far", "is of the type 'bool', expected numbers")),
        ("express", [1, 0, 1], (None, "express", "is of the type 'int64', expected truth values")),
        ("zone", [1, 2, 3], (None, "zone", "is of the type 'int64', expected text")),
        ("how far", [1.0, None, 1.0], (1, "how far", "is missing, and this column always needs a value")),
        ("how far", [1.0, np.inf, 1.0], (1, "how far", "is no finite number")),
        ("how far", [1.0, 1e39, 1.0], (1, "how far", "is 1e+39, expected at most 3.40282346638529e+38")),
        ("stops", [1, 41, None], (1, "stops", "is 41, expected at most 40")),
        ("stops", [1.0, 2.5, None], (1, "stops", "is 2.5, expected a whole number")),
        ("zone", ["in", None, "in"], (1, "zone", "is missing, and this column always needs a value")),
        (
            "zone",
            ["in", "on", "in"],
            (1, "zone", "is 'on', which training never saw, expected one of 'in', 'out'"),
        ),
    ],
)
def test_a_wrong_column_is_refused(
    form: str, column: str, values: list[Any], expected: tuple[int | None, str, str]
) -> None:
    assert errors({**RIGHT, column: pa.array(values)}, form) == [expected]


@every_form
def test_unknown_and_missing_columns_are_told_before_any_row_is_read(form: str) -> None:
    assert errors({"how_far": RIGHT["how far"], "zone": RIGHT["zone"]}, form) == [
        (None, "how_far", "is no column of this model: did you mean 'how far'?"),
        (None, "how far", "is missing, and this model needs it"),
        (None, "express", "is missing, and this model needs it"),
    ]


@every_form
def test_too_many_rows_and_none_at_all_are_refused(form: str) -> None:
    refused = refusal(BODIES[form](RIGHT), form, most_rows=2)
    assert (refused.status, refused.reason) == (413, "too-many-rows")
    empty = {name: values.slice(0, 0) for name, values in RIGHT.items()}
    assert refusal(BODIES[form](empty), form).message == "the table has no rows, expected at least one"


def test_compressed_arrow_is_refused_with_what_to_do() -> None:
    for compression in ("lz4", "zstd"):
        refused = refusal(stream_of(RIGHT, compression), ARROW_STREAM)
        assert (refused.status, refused.reason) == (415, "compressed-table")
        assert refused.message.endswith("IpcWriteOptions(compression=None), or send Parquet")


@every_form
def test_one_long_text_that_many_rows_share_is_counted_for_each(form: str) -> None:
    line = pa.DictionaryArray.from_arrays(pa.array([0] * 60, pa.int8()), pa.array(["x" * 50_000]))
    body = BODIES[form]({**{name: pa.concat_arrays([it] * 20) for name, it in RIGHT.items()}, "line": line})
    assert len(body) < 70_000
    refused = refusal(body, form)
    assert (refused.status, refused.reason) == (413, "too-big-unpacked")


@pytest.mark.parametrize("compression", ["zstd", "gzip", "snappy"])
def test_parquet_that_unpacks_to_much_is_refused_before_it_does(compression: str) -> None:
    line = pa.array(["x" * 50_000 + str(row) for row in range(60)])
    columns = {**{name: pa.concat_arrays([it] * 20) for name, it in RIGHT.items()}, "line": line}
    body = parquet_of(columns, compression=compression)
    refused = refusal(body)
    assert (refused.status, refused.reason) == (413, "too-big-unpacked")


def test_a_page_counts_with_what_its_own_header_claims() -> None:
    body = parquet_of(RIGHT, compression="none", use_dictionary=False)
    metadata = pq.ParquetFile(pa.BufferReader(body)).metadata.row_group(0)
    pages = unpacked_bytes(body, [metadata])
    tables = Tables(rules_of(signature_of(), "refuse"), pages)
    assert_right(tables.decode(body, PARQUET, 3))
    place = (
        metadata.column(1).data_page_offset + 3
    )  # After the fields 'type', and the mark of the unpacked size.
    assert body[place - 3 : place] == b"\x15\x00\x15"
    changed = body[:place] + bytes([body[place] + 2]) + body[place + 1 :]
    with pytest.raises(Refused) as caught:
        tables.decode(changed, PARQUET, 3)
    assert (
        caught.value.message
        == f"the Parquet file unpacks to more than {pages} bytes: send fewer rows at once"
    )


def test_texts_that_share_their_beginnings_are_not_read() -> None:
    body = parquet_of(RIGHT, use_dictionary=False, column_encoding={"zone": "DELTA_BYTE_ARRAY"})
    assert "DELTA_BYTE_ARRAY" in refusal(body).message


def test_lists_are_refused_before_they_are_read() -> None:
    assert errors({**RIGHT, "how far": pa.array([[1.0]] * 3)}) == [
        (None, "how far", "is of the type 'list<element: double>', expected numbers")
    ]


@every_form
def test_what_is_no_table_is_malformed(form: str) -> None:
    for body in (b"", b"{}", b"PAR1PAR1", b"ARROW1\x00\x00", b"\xff" * 100):
        assert refusal(body, form).status in {400, 422}


@every_form
@given(data=st.data())
def test_a_table_with_other_bytes_is_read_or_refused(form: str, data: st.DataObject) -> None:
    body = bytearray(BODIES[form](RIGHT))
    places = st.integers(0, len(body) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=4)):
        body[place] = data.draw(st.integers(0, 255))
    end = data.draw(st.just(len(body)) | places)
    try:
        columns = TABLES.decode(bytes(body[:end]), form, 100)
    except Refused as refused:
        assert refused.status in {400, 413, 415, 422}  # noqa: PT017 - either of two ends is right
    else:
        assert len({len(it) for it in columns}) == 1
