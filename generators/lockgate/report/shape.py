"""JSON of unknown origin in, data of a contract's shape out, or the place where it differs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import (
    Literal,
    NotRequired,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from lockgate.report.text import clean

T = TypeVar("T")

_LARGEST = 1e300
_WORDS: Mapping[object, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


class ShapeError(ValueError):
    """What was found at which place, and what the contract expects there."""


def conform(value: object, shape: type[T]) -> T:
    """The value with only the keys that the TypedDict knows and all its text cleaned; raises ShapeError."""
    return cast("T", _conform(value, shape, ""))


def _conform(value: object, shape: object, where: str) -> object:
    if is_typeddict(shape):
        return _record(value, cast("type", shape), where)
    origin, arguments = get_origin(shape), get_args(shape)
    if origin is Literal:
        return _choice(value, arguments, where)
    if origin in (Union, UnionType):
        return _either(value, arguments, where)
    if origin is list:
        items = _expect(value, list, "a list", where)
        return [_conform(item, arguments[0], f"{where}[{index}]") for index, item in enumerate(items)]
    if origin is dict:
        entries = _expect(value, dict, "a mapping", where)
        return {clean(key): _conform(item, arguments[1], _join(where, key)) for key, item in entries.items()}
    return _scalar(value, shape, where)


def _record(value: object, shape: type, where: str) -> dict[str, object]:
    entries = _expect(value, dict, "a mapping", where)
    record: dict[str, object] = {}
    for key, hint in _hints(shape).items():
        optional = get_origin(hint) is NotRequired
        if key in entries:
            inner = get_args(hint)[0] if optional else hint
            record[key] = _conform(entries[key], inner, _join(where, key))
        elif not optional:
            raise ShapeError(f"{_at(where)}the key '{key}' is missing")
    return record


@cache
def _hints(shape: type) -> dict[str, object]:
    return get_type_hints(shape, include_extras=True)


def _choice(value: object, choices: tuple[object, ...], where: str) -> object:
    if isinstance(value, str) and value in choices:
        return value
    listed = ", ".join(f"'{choice}'" for choice in choices)
    raise ShapeError(f"{_at(where)}expected one of {listed}, found {_found(value)}")


def _either(value: object, shapes: tuple[object, ...], where: str) -> object:
    for shape in shapes:
        try:
            return _conform(value, shape, where)
        except ShapeError:
            continue
    expected = " or ".join(_WORDS.get(shape, "a mapping") for shape in shapes)
    raise ShapeError(f"{_at(where)}expected {expected}, found {_found(value)}")


def _scalar(value: object, shape: object, where: str) -> object:
    if shape is object:
        return cleaned(value)
    if shape is str and isinstance(value, str):
        return clean(value)
    if shape is float and _is_number(value):
        return float(cast("float", value))
    if shape is int and isinstance(value, int) and _is_number(value):
        return value
    if (shape is bool and isinstance(value, bool)) or (shape is type(None) and value is None):
        return value
    raise ShapeError(f"{_at(where)}expected {_WORDS[shape]}, found {_found(value)}")


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < _LARGEST and not math.isnan(value)


def cleaned(value: object) -> object:
    """The value with all the text in it made printable, and numbers that JSON has no form for as text."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list | tuple):
        return [cleaned(item) for item in value]
    if isinstance(value, dict):
        return {clean(str(key)): cleaned(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _expect(value: object, kind: type[T], word: str, where: str) -> T:
    if not isinstance(value, kind):
        raise ShapeError(f"{_at(where)}expected {word}, found {_found(value)}")
    return value


def _found(value: object) -> str:
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if isinstance(value, str):
        return f"'{clean(value)[:40]}'"
    return "null" if value is None else str(value)[:40].lower()


def _join(where: str, key: str) -> str:
    return f"{where}.{clean(key)[:60]}" if where else clean(key)[:60]


def _at(where: str) -> str:
    return f"at '{where}': " if where else ""
