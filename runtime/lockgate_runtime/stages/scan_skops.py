"""Findings of a skops file: a zip of a schema and of arrays without objects, of trusted types only."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

import numpy as np

from lockgate_runtime.stages import skops_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ARRAY = re.compile(r"[0-9]{1,20}\.npy")
_MOST_BYTES = 4_000_000_000
_MOST_MEMBERS = 100_000


def skops_findings(data: bytes, trusted: Sequence[str]) -> list[str]:
    """What is wrong with the file, in the order found; its types are read only where its members are in order."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        findings = [*_shape_findings(archive.infolist())] or [*_array_findings(archive)]
    if findings:
        return findings
    refused = skops_model.untrusted_types(data, trusted)
    return [f"holds the type '{name}', which 'export.trusted' does not name" for name in refused]


def _shape_findings(members: Sequence[zipfile.ZipInfo]) -> Iterator[str]:
    if len(members) > _MOST_MEMBERS or sum(it.file_size for it in members) > _MOST_BYTES:
        yield f"unpacks to more than {_MOST_MEMBERS:,} members or {_MOST_BYTES:,} bytes"
        return
    names = [it.filename for it in members]
    for name in sorted({name for name in names if names.count(name) > 1} if _repeated(names) else ()):
        yield f"holds '{name[:200]}' more than once"
    for member in members:
        if member.filename != skops_model.SCHEMA_MEMBER and not _ARRAY.fullmatch(member.filename):
            yield f"holds '{member.filename[:200]}', expected '{skops_model.SCHEMA_MEMBER}' and '0.npy', '1.npy', …"
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
            yield f"'{member.filename[:200]}' is compressed or encrypted, expected stored as it is"


def _repeated(names: Sequence[str]) -> bool:
    return len(set(names)) < len(names)


def _array_findings(archive: zipfile.ZipFile) -> Iterator[str]:
    """An array of objects is a pickle inside; only headers are read."""
    for name in archive.namelist():
        if name == skops_model.SCHEMA_MEMBER:
            continue
        with archive.open(name) as stream:
            version = np.lib.format.read_magic(stream)
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            if read(stream)[2].hasobject:
                yield f"'{name}' is an array of Python objects, which is a pickle"
