"""How many bytes a Parquet file's pages unpack to, by the headers that its reader goes by; nothing is unpacked.

The index at the file's end says so, too, but a page's own header need not agree with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Fields of the format's PageHeader, and of the headers inside of it that name an encoding.
_UNPACKED, _PACKED = 2, 3
_ENCODINGS = ((5, 2), (7, 2), (8, 4))
# Each text shares its beginning with the one before: a few bytes may mean any number.
_DELTA_BYTE_ARRAY = 7
_MOST_DEPTH = 8
_MOST_VARINT_BYTES = 10

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)


def unpacked_bytes(body: bytes, groups: Sequence[Any]) -> int:
    """Of all pages of the row groups. Raises `ValueError` where a header is broken, or a page's encoding unbounded."""
    return sum(
        size
        for group in groups
        if group.num_rows
        for index in range(group.num_columns)
        for size in _page_sizes(body, group.column(index))
    )


def _page_sizes(body: bytes, column: Any) -> Iterator[int]:  # noqa: ANN401 - the library has no types
    at = column.data_page_offset
    if column.has_dictionary_page and 0 < column.dictionary_page_offset < at:
        at = column.dictionary_page_offset
    end = at + column.total_compressed_size
    if not 0 < at <= end <= len(body):
        raise ValueError("a column lies outside of the file")
    while at < end:
        reader = _Compact(body, at)
        header = reader.struct()
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
    """A reader of Thrift's compact protocol: whole numbers and structs as they are, and all else as None."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self.at = data, at

    def struct(self, depth: int = 0) -> dict[int, Any]:
        if depth > _MOST_DEPTH:
            raise ValueError("a page's header is nested too deeply")
        found: dict[int, Any] = {}
        field = 0
        while kind := self._byte():
            field = field + (kind >> 4) if kind >> 4 else self._number()
            found[field] = self._value(kind & 0x0F, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:  # noqa: ANN401 - a number, a struct or nothing
        if kind in {_TRUE, _FALSE}:
            return None
        if kind in {_I16, _I32, _I64}:
            return self._number()
        if kind == _STRUCT:
            return self.struct(depth + 1)
        self._skip(kind)
        return None

    def _skip(self, kind: int) -> None:
        lengths = {_BYTE: 1, _DOUBLE: 8}
        if kind == _BINARY:
            length = self._varint()
            self.at += length
        elif kind in lengths:
            self.at += lengths[kind]
        else:
            raise ValueError("a page's header has a field that such headers do not have")

    def _byte(self) -> int:
        if self.at >= len(self._data):
            raise ValueError("a page's header is cut off")
        self.at += 1
        return self._data[self.at - 1]

    def _varint(self) -> int:
        value = 0
        for index in range(_MOST_VARINT_BYTES):
            byte = self._byte()
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                return value
        raise ValueError("a page's header has a number that is too long")

    def _number(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
