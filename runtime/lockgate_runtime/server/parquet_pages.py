"""How many bytes a Parquet file's pages unpack to, by the headers that its reader goes by; nothing is unpacked.

The index at the file's end says so, too, but a page's own header need not agree with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Fields of the format's FileMetaData, RowGroup, ColumnChunk, ColumnMetaData.
_GROUPS = 4
_COLUMNS, _ROWS = 1, 3
_COLUMN = 3
_SIZE, _DATA_PAGE, _DICTIONARY_PAGE = 7, 9, 11
# Fields of PageHeader, and of the headers inside of it that name an encoding.
_UNPACKED, _PACKED = 2, 3
_ENCODINGS = ((5, 2), (7, 2), (8, 4))
# Each text shares its beginning with the one before: a few bytes may mean any number.
_DELTA_BYTE_ARRAY = 7
# The index's length, and a mark.
_TAIL_BYTES = 8
_MOST_DEPTH = 8
_MOST_VARINT_BYTES = 10
# Some hundred columns in a thousand pages each.
_MOST_VALUES = 1_000_000

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_BITS = {_I16: 16, _I32: 32, _I64: 64}
# The lists of an index and the types of their values, by the fields that lead there.
_LISTS = {
    (2,): _STRUCT,
    (4,): _STRUCT,
    (5,): _STRUCT,
    (7,): _STRUCT,
    (4, 1): _STRUCT,
    (4, 4): _STRUCT,
    (4, 1, 3, 2): _I32,
    (4, 1, 3, 3): _BINARY,
    (4, 1, 3, 8): _STRUCT,
    (4, 1, 3, 13): _STRUCT,
    (4, 1, 3, 16, 2): _I64,
    (4, 1, 3, 16, 3): _I64,
    (4, 1, 3, 17, 2): _I32,
}


class RowGroup(NamedTuple):
    """Its number of rows, and where in the file its columns begin and end."""

    rows: int
    columns: tuple[tuple[int, int], ...]


def row_groups(body: bytes) -> list[RowGroup]:
    """By the index of a file that pyarrow has opened.

    pyarrow would tell, too, but where what a column's part says is at odds with the rest, it ends the process.
    """
    end = len(body) - _TAIL_BYTES
    index = _Compact(body[:end], _I64, _LISTS)
    found = index.struct(end - int.from_bytes(body[end : end + 4], "little"))
    return [
        RowGroup(group[_ROWS], tuple(_place(column[_COLUMN]) for column in group[_COLUMNS]))
        for group in found[_GROUPS]
    ]


def _place(column: dict[int, Any]) -> tuple[int, int]:
    at: int = column[_DATA_PAGE]
    if 0 < column.get(_DICTIONARY_PAGE, 0) < at:
        at = column[_DICTIONARY_PAGE]
    return at, at + column[_SIZE]


def unpacked_bytes(body: bytes, groups: Sequence[RowGroup]) -> int:
    """Of all pages of the row groups. Raises `ValueError` where a header is broken, or a page's encoding unbounded."""
    reader, last, size = _Compact(body, _I32, {}), 0, 0
    for at, end in sorted(place for group in groups if group.rows for place in group.columns):
        if not 0 < at <= end <= len(body):
            raise ValueError("a column lies outside of the file")
        if at < last:
            raise ValueError("two columns lie at the same place")
        size += sum(_page_sizes(reader, at, end))
        last = end
    return size


def _page_sizes(reader: _Compact, at: int, end: int) -> Iterator[int]:
    while at < end:
        header = reader.struct(at)
        packed, unpacked = header.get(_PACKED), header.get(_UNPACKED)
        if not isinstance(packed, int) or not isinstance(unpacked, int) or packed < 0 or unpacked < 0:
            raise ValueError("a page does not tell its size")
        if any(_encoding(header, *place) == _DELTA_BYTE_ARRAY for place in _ENCODINGS):
            raise ValueError(
                "the encoding DELTA_BYTE_ARRAY is not read: write texts plain or as a dictionary"
            )
        yield unpacked
        at = reader.at + packed


def _encoding(header: dict[int, Any], place: int, field: int) -> object:
    inner = header.get(place)
    return inner.get(field) if isinstance(inner, dict) else None


class _Compact:
    """A reader of Thrift's compact protocol: structs, lists, numbers of the one type `numbers`; no other values.

    What pyarrow may read otherwise is refused: fields that come twice, numbers too big, lists that `lists` has not so.
    """

    def __init__(self, data: bytes, numbers: int, lists: Mapping[tuple[int, ...], int]) -> None:
        self._data, self._numbers, self._lists = data, numbers, lists
        self.at, self._left = 0, _MOST_VALUES

    def struct(self, at: int) -> dict[int, Any]:
        """That which lies there; `at` is then behind it."""
        self.at = at
        return self._struct(())

    def _struct(self, path: tuple[int, ...]) -> dict[int, Any]:
        seen, found = set(), {}
        field = 0
        while kind := self._byte():
            field = field + (kind >> 4) if kind >> 4 else self._number(_I16)
            if field in seen or field >> 15:
                raise ValueError("the file is described by a field that comes twice, or has no number")
            seen.add(field)
            value = self._value(kind & 0x0F, (*path, field))
            if value is not None:
                found[field] = value
        return found

    def _value(self, kind: int, path: tuple[int, ...]) -> Any:  # noqa: ANN401 - a number, a struct, a list or nothing
        self._left -= 1
        if len(path) > _MOST_DEPTH or self._left < 0:
            raise ValueError(
                "the file is described by too many values, or by ones that are nested too deeply"
            )
        if kind in _BITS:
            number = self._number(kind)
            return number if kind == self._numbers else None
        if kind == _STRUCT:
            return self._struct(path)
        if kind == _LIST:
            return self._list(path)
        self._skip(kind)
        return None

    def _list(self, path: tuple[int, ...]) -> list[Any]:
        head = self._byte()
        count = head >> 4 if head >> 4 < 0x0F else self._varint(31)
        if self._lists.get(path) != head & 0x0F:
            raise ValueError("the file is described by a list that the format does not have")
        return [self._value(head & 0x0F, path) for _ in range(count)]

    def _skip(self, kind: int) -> None:
        lengths = {_TRUE: 0, _FALSE: 0, _BYTE: 1, _DOUBLE: 8}
        if kind == _BINARY:
            length = self._varint(31)
            self.at += length
        elif kind in lengths:
            self.at += lengths[kind]
        else:
            raise ValueError("the file is described by a field that the format does not have")

    def _byte(self) -> int:
        if self.at >= len(self._data):
            raise ValueError("a page's header or the file's index is cut off")
        self.at += 1
        return self._data[self.at - 1]

    def _varint(self, bits: int) -> int:
        value = 0
        for index in range(_MOST_VARINT_BYTES):
            byte = self._byte()
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                break
        if byte >= 0x80 or value >> bits:
            raise ValueError("a page's header or the file's index has a number that is too long")
        return value

    def _number(self, kind: int) -> int:
        value = self._varint(_BITS[kind])
        return (value >> 1) ^ -(value & 1)
