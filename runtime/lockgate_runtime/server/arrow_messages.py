"""A stream or a file of Arrow's messages → a table. What they unpack to is bounded before they are looked at.

Compressed ones are refused, for what they unpack to is only claimed.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from lockgate_runtime.server.arrow_texts import bytes_of_views
from lockgate_runtime.server.refused import Refused, malformed, too_big, too_many_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

# Places of fields in the tables of Arrow's Message.fbs and File.fbs.
_HEADER = 2
_DICTIONARY_DATA = 1
_BUFFERS, _COMPRESSION, _VIEWED_BUFFERS = 2, 3, 4
_DICTIONARIES, _BATCHES = 2, 3
_FILE_BEGIN, _FILE_END = b"ARROW1\x00\x00", b"ARROW1"
_SIZE_BYTES = 4
# Before a message's own size, but for those of old writers.
_MESSAGE_BEGIN = b"\xff\xff\xff\xff"


def read_stream(body: bytes, columns_of: Callable[[Any], list[str]], most_rows: int, most_bytes: int) -> Any:  # noqa: ANN401
    """The columns that `columns_of` names, which may refuse the schema. Raises `Refused` and Arrow's own errors."""
    import pyarrow as pa

    _refuse_unbounded(pa.ipc.MessageReader.open_stream(pa.BufferReader(body)))
    with pa.ipc.open_stream(pa.BufferReader(body)) as reader:
        names = columns_of(reader.schema)
        return _table(reader.schema, names, _checked(reader, names, most_rows, most_bytes + len(body)))


def read_file(body: bytes, columns_of: Callable[[Any], list[str]], most_rows: int, most_bytes: int) -> Any:  # noqa: ANN401
    """As `read_stream`. Only what the file's footer points at counts: what lies before it need be no stream."""
    import pyarrow as pa

    if not body.startswith(_FILE_BEGIN):
        raise malformed("the body is no Arrow file, which begins with 'ARROW1'")
    with pa.ipc.open_file(pa.BufferReader(body)) as reader:
        _refuse_unbounded(_messages_of_file(body))
        names = columns_of(reader.schema)
        batches = (reader.get_batch(index) for index in range(reader.num_record_batches))
        return _table(reader.schema, names, _checked(batches, names, most_rows, most_bytes + len(body)))


def _table(schema: Any, names: Sequence[str], batches: Iterable[Any]) -> Any:  # noqa: ANN401
    import pyarrow as pa

    return pa.Table.from_batches(list(batches), pa.schema([schema.field(name) for name in names]))


def _checked(batches: Iterable[Any], names: list[str], most_rows: int, most_bytes: int) -> Iterator[Any]:
    """The named columns. A dictionary that batches share counts for each, as does what texts share."""
    rows = size = 0
    for batch in batches:
        rows += batch.num_rows
        if rows > most_rows:
            raise too_many_rows(rows, most_rows)
        known = batch.select(names)
        known.validate()
        size += sum(column.get_total_buffer_size() for column in batch.columns)
        size += sum(bytes_of_views(column) for column in known.columns)
        if size > most_bytes:
            raise too_big("the table", most_bytes)
        # Looks at each byte of each text.
        known.validate(full=True)
        yield known


def _messages_of_file(body: bytes) -> Iterator[Any]:
    """In the order of their places. None may lie in another, or a few bytes could be read any number of times."""
    import pyarrow as pa

    data, end = pa.py_buffer(body), len(_FILE_BEGIN)
    for at, described in sorted(_blocks(body)):
        if not end <= at < len(body):
            raise malformed("the Arrow file's footer points at the same bytes twice, or out of the file")
        message = pa.ipc.read_message(data.slice(at))
        begin = len(_MESSAGE_BEGIN) if body.startswith(_MESSAGE_BEGIN, at) else 0
        if begin + _SIZE_BYTES + message.metadata.size != described:
            raise malformed("the Arrow file's footer and a message differ in how long its description is")
        end = at + described + (message.body.size if message.body is not None else 0)
        yield message


def _blocks(body: bytes) -> Iterator[tuple[int, int]]:
    """Where a message begins, and how long its description is, for each that the footer of a file points at."""
    end = len(body) - len(_FILE_END) - _SIZE_BYTES
    (size,) = struct.unpack_from("<I", body, end)
    footer = body[end - size : end]
    table = _follow(footer, 0)
    for place in (_DICTIONARIES, _BATCHES):
        at, count = _vector(footer, table, place)
        for offset, described, _ in struct.iter_unpack("<qi4xq", footer[at : at + 24 * count]):
            yield offset, described


def _refuse_unbounded(messages: Iterable[Any]) -> None:
    try:
        for message in messages:
            if message.type in {"record batch", "dictionary"}:
                _refuse_unbounded_batch(*_record_batch(message))
    except (struct.error, IndexError, EOFError):
        raise malformed("the Arrow data has a message whose description is broken") from None


def _refuse_unbounded_batch(data: bytes, table: int) -> None:
    if _field(data, table, _COMPRESSION):
        raise Refused(
            415,
            "compressed-table",
            "the Arrow data is compressed, which is not read: write it without, in pyarrow with "
            "IpcWriteOptions(compression=None), or send Parquet",
        )
    at, count = _vector(data, table, _VIEWED_BUFFERS)
    viewed = struct.unpack_from(f"<{count}q", data, at)
    # pyarrow 17 takes memory for as many as are claimed.
    if viewed and (min(viewed) < 0 or sum(viewed) > _vector(data, table, _BUFFERS)[1]):
        raise malformed("the Arrow data has a message that claims more buffers than it has")


def _record_batch(message: Any) -> tuple[bytes, int]:  # noqa: ANN401 - the library has no types
    """The description, and where the table of its record batch lies in it."""
    data = message.metadata.to_pybytes()
    table = _follow(data, _field(data, _follow(data, 0), _HEADER))
    if message.type == "dictionary":
        table = _follow(data, _field(data, table, _DICTIONARY_DATA))
    return data, table


def _vector(data: bytes, table: int, place: int) -> tuple[int, int]:
    """Where the first value of a field's vector lies, and how many there are."""
    field = _field(data, table, place)
    if not field:
        return 0, 0
    at = _follow(data, field)
    return at + _SIZE_BYTES, struct.unpack_from("<I", data, at)[0]


def _field(data: bytes, table: int, place: int) -> int:
    """Where a field of a flatbuffer's table lies; 0 where it is left out."""
    fields = table - struct.unpack_from("<i", data, table)[0]
    if fields < 0:
        raise IndexError
    if 4 + 2 * place >= struct.unpack_from("<H", data, fields)[0]:
        return 0
    offset: int = struct.unpack_from("<H", data, fields + 4 + 2 * place)[0]
    return table + offset if offset else 0


def _follow(data: bytes, at: int) -> int:
    offset: int = struct.unpack_from("<I", data, at)[0]
    return at + offset
