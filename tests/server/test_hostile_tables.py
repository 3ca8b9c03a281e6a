"""Arrow and Parquet as an attacker would write them: small bodies that unpack to much, and broken ones."""

from __future__ import annotations

import struct
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.tables_written import (
    BODIES,
    RIGHT,
    TABLES,
    TWENTY_TIMES,
    VIEWED,
    as_views,
    assert_right,
    blocks_of,
    errors,
    every_form,
    every_form_of_arrow,
    file_of,
    growing_dictionaries,
    parquet_of,
    refusal,
    views_of_one_text,
)
from tests.server.trained import signature_of

from lockgate_runtime.server.columns import rules_of
from lockgate_runtime.server.parquet_pages import row_groups, unpacked_bytes
from lockgate_runtime.server.refused import Refused
from lockgate_runtime.server.tables import ARROW_FILE, ARROW_STREAM, PARQUET, Tables


@pytest.mark.parametrize("offset", ["of the other", "in the other", "before the file", "after the file"])
def test_a_footer_that_points_at_the_same_bytes_twice_or_out_of_the_file_is_refused(offset: str) -> None:
    body = file_of(RIGHT, most_rows_of_a_batch=2)
    first, second = blocks_of(body)
    at, described, size = struct.unpack("<qi4xq", first)
    places = {
        "of the other": at,
        "in the other": at + described,
        "before the file": -8,
        "after the file": 1 << 40,
    }
    wrong = struct.pack("<qi4xq", places[offset], described, size)
    refused = refusal(body.replace(first + second, first + wrong), ARROW_FILE)
    assert (refused.status, refused.message) == (
        400,
        "the Arrow file's footer points at the same bytes twice, or out of the file",
    )


def test_a_footer_that_tells_another_length_than_its_message_is_refused() -> None:
    body = file_of(RIGHT)
    at, described, size = struct.unpack("<qi4xq", blocks_of(body)[0])
    wrong = struct.pack("<qi4xq", at, described + 8, size)
    refused = refusal(body.replace(blocks_of(body)[0], wrong), ARROW_FILE)
    assert refused.message.endswith("a message differ in how long its description is")


@every_form_of_arrow
def test_views_of_one_long_text_count_for_each(form: str) -> None:
    body = BODIES[form]({**TWENTY_TIMES, "line": views_of_one_text(b"x" * 50_000, 60)})
    assert len(body) < 70_000
    refused = refusal(body, form)
    assert (refused.status, refused.reason) == (413, "too-big-unpacked")


@every_form_of_arrow
def test_views_in_a_dictionary_count_though_no_row_has_them(form: str) -> None:
    """Where batches come with their own dictionaries, all texts of these are compared."""
    views = views_of_one_text(b"x" * 50_000, 60)
    line = pa.DictionaryArray.from_arrays(pa.array([None] * 3, pa.int8()), views)
    body = BODIES[form]({**RIGHT, "line": line})
    assert len(body) < 70_000
    refused = refusal(body, form)
    assert (refused.status, refused.reason) == (413, "too-big-unpacked")


@pytest.mark.parametrize("deltas", [False, True])
def test_a_dictionary_counts_for_each_batch_that_has_it(deltas: bool) -> None:
    sink, options = pa.BufferOutputStream(), pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    batches = [
        pa.RecordBatch.from_pydict({**{name: it[:1] for name, it in RIGHT.items()}, "line": line})
        for line in growing_dictionaries("x" * 50_000, 60, deltas)
    ]
    with pa.ipc.new_stream(sink, batches[0].schema, options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)
    refused = refusal(bytes(sink.getvalue()), ARROW_STREAM)
    assert (refused.status, refused.reason) == (413, "too-big-unpacked")


@every_form_of_arrow
def test_arrow_that_claims_more_buffers_than_it_has_is_refused(form: str) -> None:
    line = as_views(pa.array(["a line that is longer than a view"] * 3))
    body, one = BODIES[form]({**RIGHT, "line": line}), struct.pack("<Iq", 1, 1)
    assert body.count(one) == 1
    refused = refusal(body.replace(one, struct.pack("<Iq", 1, 1 << 30)), form)
    assert refused.message == "the Arrow data has a message that claims more buffers than it has"


@every_form
def test_one_long_text_that_many_rows_share_is_counted_for_each(form: str) -> None:
    line = pa.DictionaryArray.from_arrays(pa.array([0] * 60, pa.int8()), pa.array(["x" * 50_000]))
    body = BODIES[form]({**TWENTY_TIMES, "line": line})
    assert len(body) < 70_000
    refused = refusal(body, form)
    assert (refused.status, refused.reason) == (413, "too-big-unpacked")


@pytest.mark.parametrize("compression", ["zstd", "gzip", "snappy"])
def test_parquet_that_unpacks_to_much_is_refused_before_it_does(compression: str) -> None:
    line = pa.array(["x" * 50_000 + str(row) for row in range(60)])
    columns = {**TWENTY_TIMES, "line": line}
    body = parquet_of(columns, compression=compression)
    refused = refusal(body)
    assert (refused.status, refused.reason) == (413, "too-big-unpacked")


def test_a_page_counts_with_what_its_own_header_claims() -> None:
    body = parquet_of(RIGHT, compression="none", use_dictionary=False)
    metadata = pq.ParquetFile(pa.BufferReader(body)).metadata
    pages = unpacked_bytes(body, row_groups(body))
    tables = Tables(rules_of(signature_of(), "refuse"), pages)
    assert_right(tables.decode(body, PARQUET, 3))
    place = (
        metadata.row_group(0).column(1).data_page_offset + 3
    )  # After the fields 'type', and the mark of the unpacked size.
    assert body[place - 3 : place] == b"\x15\x00\x15"
    changed = body[:place] + bytes([body[place] + 2]) + body[place + 1 :]
    with pytest.raises(Refused) as caught:
        tables.decode(changed, PARQUET, 3)
    assert (
        caught.value.message
        == f"the Parquet file unpacks to more than {pages} bytes: send fewer rows at once"
    )


def test_an_index_at_odds_with_itself_is_refused_and_does_not_end_the_process() -> None:
    body = parquet_of(RIGHT)
    nullable, never_null = b"\x25\x02\x18\x07how far", b"\x25\x00\x18\x07how far"
    assert body.count(nullable) == 1
    refused = refusal(body.replace(nullable, never_null))
    assert (refused.status, refused.reason) == (400, "malformed-body")


def test_the_places_of_columns_are_those_that_pyarrow_tells() -> None:
    body = parquet_of(TWENTY_TIMES, row_group_size=25)
    metadata = pq.ParquetFile(pa.BufferReader(body)).metadata
    groups = [metadata.row_group(index) for index in range(3)]
    expected = [[_place(group.column(index)) for index in range(5)] for group in groups]
    assert [list(group.columns) for group in row_groups(body)] == expected
    assert [group.rows for group in row_groups(body)] == [25, 25, 10]


def _place(column: Any) -> tuple[int, int]:
    at = column.dictionary_page_offset or column.data_page_offset
    return at, at + column.total_compressed_size


def test_pages_that_two_columns_share_are_not_read() -> None:
    body = parquet_of(RIGHT)
    with pytest.raises(ValueError, match="two columns lie at the same place"):
        unpacked_bytes(body, row_groups(body) * 2)


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


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (ARROW_STREAM, "the body is no Arrow stream that can be read: "),
        (ARROW_FILE, "the body is no Arrow file that can be read: "),
        (PARQUET, "the body is no Parquet file that can be read: "),
    ],
)
def test_what_is_cut_off_is_told_by_what_it_should_be(form: str, expected: str) -> None:
    refused = refusal(BODIES[form](RIGHT)[:-100], form)
    assert (refused.status, refused.message[: len(expected)]) == (400, expected)


@every_form
@given(data=st.data())
def test_a_table_with_other_bytes_is_read_or_refused(form: str, data: st.DataObject) -> None:
    body = bytearray(BODIES[form](data.draw(st.sampled_from([RIGHT, VIEWED]))))
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
