"""Durations, sizes and dates of the spec as numbers. Takes only what the schema's patterns allow."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal

_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}
_SECONDS |= {"d": Decimal(86400), "w": Decimal(604800)}
_BYTES = {"B": Decimal(1), "kB": Decimal(1000), "MB": Decimal(1000**2), "GB": Decimal(1000**3)}
_MEMORY = {"Ki": Decimal(1024), "Mi": Decimal(1024**2), "Gi": Decimal(1024**3)}
_CPU = {"": Decimal(1), "m": Decimal("0.001")}
_QUANTITY = re.compile(r"([0-9.]+)([A-Za-z]*)\Z")


def seconds(duration: str) -> float:
    """A duration such as `5ms` or `30d` in seconds."""
    return float(_scaled(duration, _SECONDS))


def days(duration: str) -> int:
    """A whole number of days from `30d` or `4w`."""
    return int(_scaled(duration, _SECONDS) / _SECONDS["d"])


def cpu_cores(quantity: str) -> Decimal:
    """CPU in Kubernetes' notation, in cores."""
    return _scaled(quantity, _CPU)


def memory_bytes(quantity: str) -> int:
    """Memory in Kubernetes' notation, in bytes."""
    return int(_scaled(quantity, _MEMORY))


def limit(value: float | str) -> tuple[float, Literal["", "s", "bytes"]]:
    """A gate's limit and its unit: seconds for a duration, bytes for a size, none for a bare number."""
    if not isinstance(value, str):
        return float(value), ""
    unit = _split(value)[1]
    if unit in _BYTES:
        return float(_scaled(value, _BYTES)), "bytes"
    return seconds(value), "s"


def _scaled(quantity: str, units: dict[str, Decimal]) -> Decimal:
    number, unit = _split(quantity)
    return number * units[unit]


def _split(quantity: str) -> tuple[Decimal, str]:
    found = _QUANTITY.match(quantity)
    assert found, quantity
    return Decimal(found[1]), found[2]
