"""Arrow and Parquet as clients write them."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.server.tables_written import (
    BODIES,
    RIGHT,
    TABLES,
    VIEWED,
    as_views,
    assert_right,
    blocks_of,
    errors,
    every_form,
    every_form_of_arrow,
    file_of,
    parquet_of,
    read,
    refusal,
)

from lockgate_runtime.server.tables import ARROW_FILE, PARQUET


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
def test_views_of_texts_are_read(form: str) -> None:
    assert_right(read(VIEWED, form))
    line = as_views(pa.array(["A", None, "a line that is longer than a view"]))
    assert errors({**VIEWED, "line": line}, form)[0][:2] == (2, "line")


@every_form_of_arrow
def test_dictionaries_of_views_are_read(form: str) -> None:
    line = pa.DictionaryArray.from_arrays(pa.array([0, None, 1], pa.uint8()), as_views(pa.array(["A", ""])))
    assert_right(read({**VIEWED, "line": line}, form))


@every_form
@pytest.mark.parametrize("kind", [pa.binary(), pa.binary_view()], ids=str)
def test_bytes_are_no_texts(form: str, kind: Any) -> None:
    zone = pa.array([b"in", b"out", b"in"], kind)
    assert errors({**RIGHT, "zone": zone}, form) == [
        (None, "zone", f"is of the type '{kind}', expected text")
    ]


def test_a_file_is_read_by_its_footer_alone() -> None:
    """As polars writes them: what is at byte 8 is no stream."""
    body = file_of({**RIGHT, "line": RIGHT["line"].dictionary_encode()})
    at, _, _ = struct.unpack("<qi4xq", blocks_of(body)[0])
    assert_right(TABLES.decode(body[:8] + bytes(at - 8) + body[at:], ARROW_FILE, 3))


def test_a_files_batches_are_read_in_the_order_of_its_footer() -> None:
    body = file_of(RIGHT, most_rows_of_a_batch=1)
    blocks = blocks_of(body)
    assert body.count(b"".join(blocks)) == 1
    columns = TABLES.decode(body.replace(b"".join(blocks), b"".join(reversed(blocks))), ARROW_FILE, 3)
    assert columns[1].tolist() == [7.0, 0.0, 2.5]


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


@every_form_of_arrow
@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_compressed_arrow_is_refused_with_what_to_do(form: str, compression: str) -> None:
    refused = refusal(BODIES[form](RIGHT, compression), form)
    assert (refused.status, refused.reason) == (415, "compressed-table")
    assert refused.message.endswith("IpcWriteOptions(compression=None), or send Parquet")
