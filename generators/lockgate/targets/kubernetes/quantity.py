"""Kubernetes' quantities, `500m` or `1Gi`, as exact numbers."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

_FORM = re.compile(
    r"(?P<number>[+-]?([0-9]{1,30}([.][0-9]{0,30})?|[.][0-9]{1,30}))"
    r"(?P<unit>[eE][+-]?[0-9]{1,2}|[KMGTPE]i|[numkMGTPE])?"
)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


def quantity(value: object) -> Decimal | None:
    """In cores or bytes; None where the value is no quantity."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return _quantity(str(value))


@lru_cache(maxsize=1024)
def _quantity(text: str) -> Decimal | None:
    match = _FORM.fullmatch(text)
    return None if match is None else Decimal(match["number"]) * _scale(match["unit"] or "")


def _scale(unit: str) -> Decimal:
    if unit in _BINARY:
        return Decimal(1024) ** _BINARY[unit]
    return Decimal(10) ** (_DECIMAL[unit] if unit in _DECIMAL else int(unit[1:] or 0))
