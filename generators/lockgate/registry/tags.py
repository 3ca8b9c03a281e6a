"""The annotated tag of a release: its name in GTO's grammar, its object, and what its message vouches for. Pure.

The object is made of the record alone, so a tag that was deleted comes back as it was.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime

_TAGGER = "Lockgate <noreply@lockgate.dev>"
_SHA256 = re.compile(r"(?m)^record-sha256: ([0-9a-f]{64})$")


def tag_name(model: str, version: str) -> str:
    return f"{model}@v{version}"


def tag_object(model: str, version: str, commit: str, released: str, record_sha256: str) -> bytes:
    """What `git mktag` reads. `released` is ISO 8601 in UTC."""
    seconds = int(datetime.fromisoformat(released).timestamp())
    return (
        f"object {commit}\n"
        "type commit\n"
        f"tag {tag_name(model, version)}\n"
        f"tagger {_TAGGER} {seconds} +0000\n"
        "\n"
        f"{model} {version}\n"
        "\n"
        f"record: registry/{model}/{version}.yaml\n"
        f"record-sha256: {record_sha256}\n"
    ).encode()


def object_name(tag: bytes, length: int) -> str:
    """What Git calls the object: SHA-1, or SHA-256 where names have 64 digits."""
    content = b"tag %d\0%s" % (len(tag), tag)
    digest = hashlib.sha256(content) if length == 64 else hashlib.sha1(content, usedforsecurity=False)
    return digest.hexdigest()


def vouched_sha256(message: str) -> str | None:
    """The hash of the record that a tag's message names; None where it is no tag of ours."""
    found = _SHA256.search(message)
    return found[1] if found else None
