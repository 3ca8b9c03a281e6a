"""JSON of rows or of columns → rows, each value held to the model's signature; and rows → the model's columns.

A decoder compiled for the signature reads what is right. Only what it refuses is read again, slowly, for every error.
"""

from __future__ import annotations

import math
from itertools import chain, islice
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import msgspec
import numpy as np
from msgspec.structs import astuple

from lockgate_runtime.server.columns import (
    NO_GAPS,
    Gaps,
    Rule,
    UnknownCategories,
    column_error,
    fault,
    missing_column,
    rules_of,
    unknown_column,
)
from lockgate_runtime.server.json_documents import kind_of, parse
from lockgate_runtime.server.refused import (
    MOST_ERRORS,
    ColumnError,
    quoted,
    too_many_rows,
    wrong_body,
    wrong_columns,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lockgate.contract import Signature
    from lockgate_runtime.server.engine import Columns

Row: TypeAlias = "tuple[Any, ...]"
"""Values that were judged, in the order that `Inputs` is told; missing ones are None."""

_INT64 = 2**63
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)
_EXPECTED = "expected an object with 'rows', a list of objects, or 'columns', lists by name"


class Inputs:
    """What a model takes in; `unknown_categories` are passed on to it, or refused, as what falls in its `gaps` is.

    A row has at each place the input of the signature that `order` names; by default they are in the signature's order.
    """

    def __init__(
        self,
        signature: Signature,
        unknown_categories: UnknownCategories,
        gaps: Gaps = NO_GAPS,
        order: Sequence[int] | None = None,
    ) -> None:
        self.rules = rules_of(signature, unknown_categories, gaps)
        self._order = order = range(len(self.rules)) if order is None else order
        self._ordered = tuple(self.rules[place] for place in order)
        is_text = [rule.type == "category" for rule in self._ordered]
        self._numbers = [place for place, text in enumerate(is_text) if not text]
        self._texts = [place for place, text in enumerate(is_text) if text]
        self._nullable_texts = [place for place in self._texts if self._ordered[place].nullable]
        found = [*self._numbers, *self._texts]
        self._places = [found.index(order.index(place)) for place in range(len(found))]
        """Where, among numbers and then texts, each of the signature's inputs is."""
        self._quotes = 2 * (len(found) + len(self._texts))
        """Around a row's names and texts, if it has all of them."""
        self._decode_rows = _rows_decoder(self._ordered)
        self._decode_columns = _columns_decoder(self._ordered)

    def decode(self, body: bytes, most_rows: int) -> list[Row]:
        """The rows of `{"rows": [{…}]}` or of `{"columns": {…}}`. Raises `Refused`."""
        try:
            rows = list(map(astuple, self._decode_rows(body).rows))
        except _UNREADABLE:
            return self._decode_others(body, most_rows)
        count = len(rows)
        if count > most_rows:
            raise too_many_rows(count, most_rows)
        # With every column there, a name that is given twice, or an escaped quote, makes for more quotes than these.
        quotes = 2 + count * self._quotes
        if self._nullable_texts:
            quotes -= 2 * self._count_missing(rows)
        if body.count(b'"') != quotes or not count:
            return self.decode_slowly(body, most_rows)
        return rows

    def columns(self, rows: Sequence[Row]) -> Columns:
        """The rows as the model takes them."""
        values = tuple(zip(*rows, strict=True))
        found: list[Any] = []
        if self._numbers:
            numbers = chain.from_iterable([values[place] for place in self._numbers])
            flat = np.fromiter(numbers, np.float32, len(rows) * len(self._numbers))
            found.extend(flat.reshape(len(self._numbers), -1))
        for place in self._texts:
            column = np.empty(len(rows), object)
            column[:] = values[place]
            if place in self._nullable_texts:
                column[np.array([value is None for value in values[place]])] = ""
            found.append(column)
        return tuple([found[place] for place in self._places])

    def decode_slowly(self, body: bytes, most_rows: int) -> list[Row]:
        """As `decode`, by a reader that finds every error, and reads what the fast one has no rules for."""
        found = parse(body)
        if not isinstance(found, dict):
            raise wrong_body(f"the body is {kind_of(found)}, {_EXPECTED}")
        if len(found) != 1 or not found.keys() <= {"rows", "columns"}:
            names = ", ".join(quoted(name) for name in list(found)[:5])
            raise wrong_body(f"the body has {names or 'nothing'}, {_EXPECTED}")
        if "rows" in found:
            rows = _read_rows(found["rows"], self.rules, most_rows)
        else:
            rows = _read_columns(found["columns"], self.rules, most_rows)
        return [tuple([row[place] for place in self._order]) for row in rows]

    def _decode_others(self, body: bytes, most_rows: int) -> list[Row]:
        try:
            columns = self._decode_columns(body)
        except _UNREADABLE:
            return self.decode_slowly(body, most_rows)
        lengths = {len(column) for column in columns}
        if max(lengths) > most_rows:
            raise too_many_rows(max(lengths), most_rows)
        rows = list(zip(*columns, strict=False))
        if (
            len(lengths) != 1
            or body.count(b'"')
            != 2 + 2 * (len(columns) + len(rows) * len(self._texts) - self._count_missing(rows))
            or not rows
        ):
            return self.decode_slowly(body, most_rows)
        return rows

    def _count_missing(self, rows: Sequence[Row]) -> int:
        """How many texts of the rows are missing."""
        return sum(row[place] is None for row in rows for place in self._nullable_texts)


def _rows_decoder(rules: Sequence[Rule]) -> Callable[[bytes], Any]:
    row = _struct("Row", {rule.name: _type(rule) for rule in rules})
    if row is None:
        return _nothing
    body = msgspec.defstruct("Rows", [("rows", list[row])], forbid_unknown_fields=True, gc=False)  # type: ignore[valid-type]
    return msgspec.json.Decoder(body).decode


def _columns_decoder(rules: Sequence[Rule]) -> Callable[[bytes], Row]:
    columns = _struct("Columns", {rule.name: _list_of(_type(rule)) for rule in rules})
    if columns is None:
        return _nothing
    body = msgspec.defstruct("Body", [("columns", columns)], forbid_unknown_fields=True, gc=False)
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(body).decode
    return lambda data: astuple(decode(data).columns)


def _struct(name: str, types: Mapping[str, Any]) -> Any | None:  # noqa: ANN401 - a class made here
    """A class whose fields are all needed; None where it cannot have fields that are so called in JSON."""
    fields = [(f"c{place}", type_) for place, type_ in enumerate(types.values())]
    names = {f"c{place}": column for place, column in enumerate(types)}
    try:
        return msgspec.defstruct(name, fields, rename=names, forbid_unknown_fields=True, gc=False)
    except ValueError:
        return None


def _list_of(type_: Any) -> Any:  # noqa: ANN401 - types made here
    return list[type_]


def _nothing(data: bytes) -> Any:  # noqa: ANN401 - never returns
    raise ValueError(data)


def _type(rule: Rule) -> Any:  # noqa: ANN401 - a type made here
    """What the decoder accepts is accepted by `fault`, too; it need not be the other way round."""
    kind = _KINDS[rule.type](rule)
    return kind | None if rule.nullable else kind


def _number(rule: Rule) -> Any:  # noqa: ANN401 - a type made here
    return Annotated[float, msgspec.Meta(ge=rule.least, le=rule.most)]


def _integer(rule: Rule) -> Any:  # noqa: ANN401 - a type made here
    least, most = max(math.ceil(rule.least), -_INT64), min(math.floor(rule.most), _INT64 - 1)
    if least > most:
        least, most = 1, 0  # Whatever may be in the column, the decoder has no numbers for it.
    return Annotated[int, msgspec.Meta(ge=least, le=most)]


def _category(rule: Rule) -> Any:  # noqa: ANN401 - a type made here
    if rule.known:
        return Literal[tuple(sorted(rule.known))]
    return Annotated[str, msgspec.Meta(min_length=0 if rule.nullable else 1)]


def _boolean(rule: Rule) -> Any:  # noqa: ANN401 - a type made here
    del rule
    return bool


_KINDS: Mapping[str, Callable[[Rule], Any]] = {
    "number": _number,
    "integer": _integer,
    "category": _category,
    "boolean": _boolean,
}


def _read_rows(rows: object, rules: Sequence[Rule], most_rows: int) -> list[Row]:
    if not isinstance(rows, list) or not rows:
        raise wrong_body(f"'rows' is {kind_of(rows) if rows != [] else 'empty'}, expected a list of objects")
    if len(rows) > most_rows:
        raise too_many_rows(len(rows), most_rows)
    errors: list[ColumnError] = []
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            raise wrong_body(
                f"row {index} is {kind_of(row)}, expected an object with a value for each column"
            )
        errors.extend(_row_errors(index, row, rules))
        if len(errors) >= MOST_ERRORS:
            break
    if errors:
        raise wrong_columns(errors)
    return [tuple([row.get(rule.name) for rule in rules]) for row in rows]


def _row_errors(index: int, row: Mapping[str, object], rules: Sequence[Rule]) -> Iterator[ColumnError]:
    for rule in rules:
        message = fault(rule, row.get(rule.name))
        if message is not None:
            yield column_error(index, rule, row.get(rule.name), message)
    # At most as many as can be told: guessing what was meant takes time.
    names = {rule.name for rule in rules}
    unknown = [name for name in row if name not in names]
    for name in unknown[:MOST_ERRORS]:
        yield unknown_column(name, rules, index)


def _read_columns(columns: object, rules: Sequence[Rule], most_rows: int) -> list[Row]:
    if not isinstance(columns, dict):
        raise wrong_body(f"'columns' is {kind_of(columns)}, expected an object with a list for each column")
    names = {rule.name for rule in rules}
    errors = [unknown_column(name, rules) for name in [it for it in columns if it not in names][:MOST_ERRORS]]
    errors.extend(_shape_errors(columns, rules))
    if errors:
        raise wrong_columns(errors)
    given = {name: values for name, values in columns.items() if values is not None}
    count = _one_length(given)
    if count > most_rows:
        raise too_many_rows(count, most_rows)
    found = [given.get(rule.name) or [None] * count for rule in rules]
    for rule, values in zip(rules, found, strict=True):
        errors.extend(islice(_value_errors(rule, values), MOST_ERRORS - len(errors)))
        if len(errors) >= MOST_ERRORS:
            break
    if errors:
        raise wrong_columns(errors)
    return list(zip(*found, strict=True))


def _value_errors(rule: Rule, values: Sequence[object]) -> Iterator[ColumnError]:
    for row, value in enumerate(values):
        message = fault(rule, value)
        if message is not None:
            yield column_error(row, rule, value, message)


def _shape_errors(columns: Mapping[str, object], rules: Sequence[Rule]) -> Iterator[ColumnError]:
    for rule in rules:
        values = columns.get(rule.name)
        if values is None and not rule.nullable:
            yield missing_column(rule)
        elif values is not None and not isinstance(values, list):
            yield ColumnError(
                None, rule.name, f"is {kind_of(values)}, expected a list with a value for each row"
            )


def _one_length(columns: Mapping[str, Sequence[object]]) -> int:
    lengths = {name: len(values) for name, values in columns.items()}
    if not any(lengths.values()):
        raise wrong_body("'columns' holds no rows, expected at least one")
    longest, shortest = max(lengths, key=lengths.__getitem__), min(lengths, key=lengths.__getitem__)
    if lengths[longest] != lengths[shortest]:
        raise wrong_body(
            f"the columns differ in length: {quoted(longest)} has {lengths[longest]} values, "
            f"{quoted(shortest)} has {lengths[shortest]}"
        )
    return lengths[longest]
