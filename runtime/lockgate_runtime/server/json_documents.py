"""Bytes of a body → what their JSON says. What JSON's readers disagree about is refused: names given twice, NaN."""

from __future__ import annotations

import json
import math
from typing import Any

from lockgate_runtime.server.refused import malformed, printable, quoted

_MOST_DIGITS = 400


def parse(body: bytes) -> Any:  # noqa: ANN401 - what JSON holds is known to its reader only
    """What the body says; numbers beyond 64-bit floats come as infinities. Raises `Refused` with 400."""
    try:
        return json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
        )
    except UnicodeDecodeError as error:
        raise malformed(f"the body is not UTF-8: byte {error.start} cannot be read") from None
    except json.JSONDecodeError as error:
        raise malformed(f"the body is not JSON: {_reason(error)}") from None
    except RecursionError:
        raise malformed("the body's JSON is nested too deeply") from None


def kind_of(value: object) -> str:
    """What a JSON value is, for people."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {quoted(value)}"
    if isinstance(value, int | float):
        return printable(repr(value))
    return "a list" if isinstance(value, list) else "an object"


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            raise malformed(f"the body's JSON has the name {quoted(name)} twice in one object")
        names.add(name)
    raise AssertionError


def _constant(text: str) -> object:
    raise malformed(f"the body is not JSON: it has no '{text}'; a missing value is null")


def _integer(text: str) -> int | float:
    return int(text) if len(text) <= _MOST_DIGITS else math.inf


def _reason(error: json.JSONDecodeError) -> str:
    return f"{error.msg.lower()} at line {error.lineno}, column {error.colno}"
