"""The text of a plain scalar as a value, by YAML 1.2's core schema; refuses what readers disagree about."""

from __future__ import annotations

import math
import re
from typing import TypeAlias

from lockgate.yaml.nodes import Span, YamlError

Value: TypeAlias = str | int | float | bool | None

MAX_DIGITS = 18
"""More do not fit the 64-bit integers of the programs that read what Lockgate writes."""

_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_SPECIAL_FLOATS = {
    **{sign + word: math.copysign(math.inf, -1 if sign == "-" else 1)
       for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")},
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}  # fmt: skip
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?", re.DOTALL
)  # what YAML 1.1 takes for a timestamp
_NUMBER_STARTS = frozenset("0123456789+-.")


def resolve(text: str, span: Span) -> Value:
    """The value that `text` stands for without quotes; YamlError where it is ambiguous or too large."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if _INTEGER.fullmatch(text):
        return _integer(text, span)
    if _FLOAT.fullmatch(text):
        return _float(text, span)
    if _DATE.fullmatch(text):
        message = f"found the bare date {clipped(text)}, which DVC and others do not take for text"
        raise YamlError("yaml-ambiguous", message, span, f'write it in quotes: "{text}"')
    return _SPECIAL_FLOATS.get(text, text)


def clipped(text: str, width: int = 40) -> str:
    """The text in quotes for a message, its middle left out where it is long."""
    return f"'{text}'" if len(text) <= width else f"'{text[: width - 9]}…{text[-8:]}'"


def _integer(text: str, span: Span) -> int:
    if _LEADING_ZERO.fullmatch(text):
        message = f"found {clipped(text)}, which some YAML readers take for octal and others for decimal"
        raise YamlError("yaml-ambiguous", message, span, "quote it or write it without the leading zero")
    if len(text) <= MAX_DIGITS + 2:
        number = int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        if abs(number) < 10**MAX_DIGITS:
            return number
    message = f"found the number {clipped(text)}, which has more than {MAX_DIGITS} digits"
    raise YamlError("yaml-number", message, span, "quote it if it is a name, else write a smaller number")


def _float(text: str, span: Span) -> float:
    number = float(text)
    if math.isinf(number):
        message = f"found {clipped(text)}, a number too large for a 64-bit float"
        raise YamlError("yaml-number", message, span, "quote it if it is a name, else write a smaller number")
    return number
