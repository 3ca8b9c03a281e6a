"""A stream of Arrow's messages → a table. Compressed ones are refused, for what they unpack to is only claimed."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from lockgate_runtime.server.refused import Refused, malformed, too_many_rows

if TYPE_CHECKING:
    from collections.abc import Callable

# Places of fields in the tables of Arrow's Message.fbs.
_HEADER = 2
_DICTIONARY_DATA = 1
_COMPRESSION = 3


def read_stream(body: bytes, refuse_schema: Callable[[Any], object], most_rows: int) -> Any:  # noqa: ANN401
    """The table of the stream, which `refuse_schema` may refuse. Raises `Refused` and Arrow's own errors."""
    import pyarrow as pa

    _refuse_compressed(body)
    batches, rows = [], 0
    with pa.ipc.open_stream(pa.BufferReader(body)) as reader:
        refuse_schema(reader.schema)
        for batch in reader:
            rows += batch.num_rows
            if rows > most_rows:
                raise too_many_rows(rows, most_rows)
            batch.validate(full=True)
            batches.append(batch)
        return pa.Table.from_batches(batches, reader.schema)


def _refuse_compressed(body: bytes) -> None:
    import pyarrow as pa

    reader = pa.ipc.MessageReader.open_stream(pa.BufferReader(body))
    try:
        for message in reader:
            if _is_compressed(message):
                raise Refused(
                    415,
                    "compressed-table",
                    "the Arrow data is compressed, which is not read: write it without, in pyarrow with "
                    "IpcWriteOptions(compression=None), or send Parquet",
                )
    except (struct.error, IndexError):
        raise malformed("the Arrow stream has a message whose description is broken") from None


def _is_compressed(message: Any) -> bool:  # noqa: ANN401 - the library has no types
    if message.type not in {"record batch", "dictionary"}:
        return False
    data = message.metadata.to_pybytes()
    table = _follow(data, _field(data, _follow(data, 0), _HEADER))
    if message.type == "dictionary":
        table = _follow(data, _field(data, table, _DICTIONARY_DATA))
    return _field(data, table, _COMPRESSION) != 0


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
