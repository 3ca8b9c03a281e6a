"""SHA256SUMS of an exported model, as `sha256sum -c` reads it: hashes by name → text, text → hashes, where they differ.

The SHA-256 of the text stands for all files of the model at once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping

_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9_][A-Za-z0-9._-]{0,99})")


def sums_of(hashes: Mapping[str, str]) -> bytes:
    """The text for SHA-256 in hexadecimal by name, sorted by name."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(hashes.items())).encode()


def hashes_in(sums: bytes) -> dict[str, str] | None:
    """SHA-256 in hexadecimal by name; None where the text is not what `sums_of` writes."""
    lines = (_LINE.fullmatch(line) for line in sums.decode("ascii", errors="replace").splitlines())
    hashes = {match[2]: match[1] for match in lines if match}
    return hashes if hashes and sums_of(hashes) == sums else None


def artifact_sha256(sums: bytes) -> str:
    """The hash of the artifact: of the bytes of its SHA256SUMS, in hexadecimal."""
    return hashlib.sha256(sums).hexdigest()


def differences(listed: Mapping[str, str], found: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the list, given the files' true hashes: a clause for each name."""
    for name in sorted({*listed, *found}):
        if name not in found:
            yield f"lists '{name}', which is not there"
        elif name not in listed:
            yield f"does not list '{name}'"
        elif listed[name] != found[name]:
            yield f"lists '{name}' with {listed[name][:12]}…, but the file has {found[name][:12]}…"
