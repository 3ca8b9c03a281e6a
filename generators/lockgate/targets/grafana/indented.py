"""JSON with a line for each value: what `json.dumps(indent=2)` writes, which has no fast path for that."""

from __future__ import annotations

from json import dumps
from json.encoder import encode_basestring

_NEXT = ",\n"


def indented(value: object, indent: str = "") -> str:
    """The value as text; `indent` is what its own last line begins with."""
    if isinstance(value, str):
        return encode_basestring(value)
    inner = f"{indent}  "
    if isinstance(value, dict) and value:
        lines = [f"{inner}{encode_basestring(key)}: {indented(item, inner)}" for key, item in value.items()]
        return f"{{\n{_NEXT.join(lines)}\n{indent}}}"
    if isinstance(value, list) and value:
        lines = [f"{inner}{indented(item, inner)}" for item in value]
        return f"[\n{_NEXT.join(lines)}\n{indent}]"
    return repr(value) if type(value) is int else dumps(value)
