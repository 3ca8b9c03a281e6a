"""Arrow and Parquet → the model's columns. Rows and unpacked bytes are bounded before anything is unpacked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from lockgate_runtime.server.arrow_texts import is_text, texts_of
from lockgate_runtime.server.columns import Rule, missing_column, number_column, text_column, unknown_column
from lockgate_runtime.server.refused import (
    MOST_ERRORS,
    ColumnError,
    malformed,
    printable,
    quoted,
    too_big,
    too_many_rows,
    wrong_body,
    wrong_columns,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from lockgate_runtime.server.engine import Columns

ARROW_STREAM = "application/vnd.apache.arrow.stream"
ARROW_FILE = "application/vnd.apache.arrow.file"
PARQUET = "application/vnd.apache.parquet"
_NAMES = {ARROW_STREAM: "Arrow stream", ARROW_FILE: "Arrow file", PARQUET: "Parquet file"}
MOST_BYTES = 64 * 1024 * 1024
# What pandas writes of an index that has no name.
_INDEX = re.compile(r"__index_level_\d{1,3}__").fullmatch


class Tables:
    """Of one model; `rules` are in the order of the signature's inputs, `most_bytes` bounds a table unpacked."""

    def __init__(self, rules: Sequence[Rule], most_bytes: int = MOST_BYTES) -> None:
        self._rules, self._most_bytes = tuple(rules), most_bytes
        self._readers: Mapping[str, Callable[[bytes, int], Any]] = {
            ARROW_STREAM: self._arrow_stream,
            ARROW_FILE: self._arrow_file,
            PARQUET: self._parquet,
        }

    def reads(self, media_type: str) -> bool:
        return media_type in self._readers

    def decode(self, body: bytes, media_type: str, most_rows: int) -> Columns:
        """The columns of a body of a type that this `reads`. Raises `Refused`."""
        import pyarrow as pa

        try:
            table = self._readers[media_type](body, most_rows)
        except (pa.ArrowException, OSError, ValueError, OverflowError, KeyError) as error:
            reason = printable(" ".join(str(error).split()))
            raise malformed(f"the body is no {_NAMES[media_type]} that can be read: {reason}") from None
        if not table.num_rows:
            raise wrong_body("the table has no rows, expected at least one")
        return self._columns(table)

    def _arrow_stream(self, body: bytes, most_rows: int) -> Any:  # noqa: ANN401 - the library has no types
        from lockgate_runtime.server.arrow_messages import read_stream

        return read_stream(body, self._refuse_schema, most_rows, self._most_bytes)

    def _arrow_file(self, body: bytes, most_rows: int) -> Any:  # noqa: ANN401 - the library has no types
        from lockgate_runtime.server.arrow_messages import read_file

        return read_file(body, self._refuse_schema, most_rows, self._most_bytes)

    def _parquet(self, body: bytes, most_rows: int) -> Any:  # noqa: ANN401 - the library has no types
        import pyarrow as pa
        import pyarrow.parquet as pq

        from lockgate_runtime.server.parquet_pages import row_groups, unpacked_bytes

        file = pq.ParquetFile(pa.BufferReader(body))
        known = self._refuse_schema(file.schema_arrow)
        groups = row_groups(body)
        rows = max(file.metadata.num_rows, sum(group.rows for group in groups))
        if rows > most_rows:
            raise too_many_rows(rows, most_rows)
        if unpacked_bytes(body, groups) > self._most_bytes:
            raise too_big("the Parquet file", self._most_bytes)
        # As dictionaries: a text that many rows share is then unpacked once.
        texts = [rule.name for rule in self._rules if rule.type == "category" and rule.name in known]
        file = pq.ParquetFile(pa.BufferReader(body), metadata=file.metadata, read_dictionary=texts)
        table = file.read(columns=known, use_threads=False)
        table.validate(full=True)
        return table

    def _refuse_schema(self, schema: Any) -> list[str]:  # noqa: ANN401 - the library has no types
        """Before any row is read, as a list may hold any number of values in one; returns the columns to be read."""
        given: list[str] = [name for name in schema.names if not _INDEX(name)]
        if len(set(given)) < len(given):
            raise wrong_body("the table has two columns of one name")
        known = {rule.name for rule in self._rules}
        unknown = [name for name in given if name not in known]
        errors = [unknown_column(name, self._rules) for name in unknown[:MOST_ERRORS]]
        errors.extend(
            missing_column(rule) for rule in self._rules if not rule.nullable and rule.name not in given
        )
        errors.extend(_type_errors(schema, [rule for rule in self._rules if rule.name in given]))
        if errors:
            raise wrong_columns(errors)
        return given

    def _columns(self, table: Any) -> Columns:  # noqa: ANN401 - the library has no types
        errors: list[ColumnError] = []
        columns: list[NDArray[Any]] = []
        room = self._most_bytes
        for rule in self._rules:
            if rule.name not in table.column_names:
                columns.append(_missing(rule, table.num_rows))
                continue
            values = table.column(rule.name).combine_chunks()
            if rule.type == "category":
                texts, size = texts_of(values, room)
                room -= size
                columns.append(text_column(rule, texts, errors))
            else:
                columns.append(number_column(rule, _numbers(values), errors))
            if room < 0:
                raise too_big("the table", self._most_bytes)
            if len(errors) >= MOST_ERRORS:
                break
        if errors:
            raise wrong_columns(errors)
        return tuple(columns)


def _type_errors(schema: Any, rules: Sequence[Rule]) -> Iterator[ColumnError]:  # noqa: ANN401 - the library has no types
    for rule in rules:
        kind = schema.field(rule.name).type
        expected = _expected(rule, kind)
        if expected is not None:
            yield ColumnError(None, rule.name, f"is of the type {quoted(str(kind))}, expected {expected}")


def _missing(rule: Rule, count: int) -> NDArray[Any]:
    return np.full(count, "", object) if rule.type == "category" else np.full(count, np.nan, np.float32)


def _expected(rule: Rule, kind: Any) -> str | None:  # noqa: ANN401 - the library has no types
    """What the column's type should be; None where it is that."""
    from pyarrow import types

    if types.is_null(kind):
        return None
    if rule.type == "category":
        return None if is_text(kind) else "text"
    if rule.type == "boolean":
        return None if types.is_boolean(kind) else "truth values"
    return None if types.is_integer(kind) or types.is_floating(kind) else "numbers"


def _numbers(values: Any) -> NDArray[Any]:  # noqa: ANN401 - the library has no types
    """NaN where one is missing."""
    import pyarrow as pa

    if pa.types.is_null(values.type) or (pa.types.is_boolean(values.type) and values.null_count):
        values = values.cast(pa.float32())
    if pa.types.is_float16(values.type):  # Its limits may be beyond what it holds.
        values = values.cast(pa.float32())
    found: NDArray[Any] = values.to_numpy(zero_copy_only=False)
    return found
