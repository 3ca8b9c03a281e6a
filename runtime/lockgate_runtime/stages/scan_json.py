"""Findings of a model's JSON files."""

from __future__ import annotations

import json

_MOST_BYTES = 64_000_000


def json_findings(data: bytes) -> list[str]:
    """What is wrong with the file: too big, or not a JSON object."""
    if len(data) > _MOST_BYTES:
        return [f"has {len(data):,} bytes, expected at most {_MOST_BYTES:,}"]
    found = json.loads(data)
    return [] if isinstance(found, dict) else [f"holds a JSON {type(found).__name__}, expected an object"]
