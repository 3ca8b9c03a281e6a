"""A block of Lockgate's in a file of the team's: bytes in, bytes out. What stands around it is never changed."""

from __future__ import annotations

import re

from lockgate.targets.file import BLOCK_BEGIN, BLOCK_END, BLOCK_PATHS
from lockgate.tuples import NamedTuple

UNPAIRED = "the two marker lines of Lockgate's block are not there once each, in their order"
_BEGIN, _END = (
    re.compile(rb"(?m)^" + re.escape(line.encode()) + rb"\r?$") for line in (BLOCK_BEGIN, BLOCK_END)
)


class Parts(NamedTuple):
    """A file in three: the middle one, from marker line to marker line with its end, is Lockgate's."""

    before: bytes
    block: bytes
    after: bytes


def is_shared(path: str) -> bool:
    """Whether only a block of the file is generated."""
    return path in BLOCK_PATHS


def split(data: bytes) -> Parts | None:
    """The file around its block, which is empty at the end where there is none yet; None for unpaired marker lines."""
    begins, ends = ([it.span() for it in form.finditer(data)] for form in (_BEGIN, _END))
    if not begins and not ends:
        return Parts(before=data, block=b"", after=b"")
    if len(begins) != 1 or len(ends) != 1 or ends[0][0] < begins[0][1]:
        return None
    start, stop = begins[0][0], ends[0][1]
    stop += data[stop : stop + 1] == b"\n"
    return Parts(before=data[:start], block=data[start:stop], after=data[stop:])


def with_block(data: bytes, block: bytes) -> bytes:
    """The file with the block in its place, or at its end, where it overrides what is above it.

    A block takes whole lines: a last line before it that has no end gets one. Unpaired marker lines stay as they are.
    """
    parts = split(data)
    if parts is None:
        return data
    is_open = parts.before and not parts.block and not parts.before.endswith(b"\n")
    return parts.before + (b"\n" if is_open else b"") + block + parts.after


def without_block(data: bytes) -> bytes:
    """What is the team's."""
    parts = split(data)
    return data if parts is None else parts.before + parts.after
