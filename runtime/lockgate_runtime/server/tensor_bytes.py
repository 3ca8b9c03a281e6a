"""The bytes of the binary tensor data extension: little-endian, row by row; a text is its length, then UTF-8."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

NUMBERS: Mapping[str, str] = {
    "BOOL": "<u1",
    "INT8": "<i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "FP32": "<f4",
    "FP64": "<f8",
}
_LENGTH = Struct("<I")


class WrongBytes(ValueError):  # noqa: N818 - a fact about a tensor
    """What is wrong with a tensor's bytes, as the end of a sentence about it."""


def numbers_from(data: memoryview, datatype: str, count: int) -> NDArray[Any]:
    """The tensor's values; truth values come as such. Raises `WrongBytes`."""
    kind = np.dtype(NUMBERS[datatype])
    if len(data) != count * kind.itemsize:
        raise WrongBytes(f"has {len(data)} bytes, expected {count * kind.itemsize} for {count} of {datatype}")
    values = np.frombuffer(data, kind)
    if datatype != "BOOL":
        return values
    if values.max(initial=0) > 1:
        raise WrongBytes("has a byte that is neither 0 nor 1, which is no truth value")
    return values.view(np.bool_)


def texts_from(data: memoryview, count: int) -> list[str]:
    """The tensor's texts. Raises `WrongBytes`."""
    if len(data) < count * _LENGTH.size:
        raise WrongBytes(f"has {len(data)} bytes, too few for {count} texts")
    try:
        texts = list(_texts(data, count))
    except UnicodeDecodeError:
        raise WrongBytes("has a text that is not UTF-8") from None
    return texts


def texts_to(texts: Sequence[str]) -> bytes:
    encoded = [text.encode() for text in texts]
    return b"".join(part for text in encoded for part in (_LENGTH.pack(len(text)), text))


def within(datatype: str, value: object) -> str | None:
    """What is wrong with a number of JSON in a tensor of whole numbers; None where nothing is."""
    kind = np.dtype(NUMBERS[datatype]) if datatype in NUMBERS else None
    if kind is None or kind.kind not in "iu" or datatype == "BOOL" or not isinstance(value, int | float):
        return None
    limits = np.iinfo(kind)
    is_one = value == int(value) and limits.min <= value <= limits.max
    return None if is_one else f"is {value!r}, which is no number of the datatype {datatype}"


def _texts(data: memoryview, count: int) -> Iterator[str]:
    at, end = 0, len(data)
    for _ in range(count):
        if end - at < _LENGTH.size:
            raise WrongBytes("ends within a text's length")
        start = at + _LENGTH.size
        at = start + _LENGTH.unpack_from(data, at)[0]
        if at > end:
            raise WrongBytes(f"has a text of {at - start} bytes, but {end - start} are left")
        yield str(data[start:at], "utf-8")
    if at != end:
        raise WrongBytes(f"has {end - at} bytes after its last text")
