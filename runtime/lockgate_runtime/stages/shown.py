"""Numbers as people read them."""

from __future__ import annotations


def shown(value: float | None, unit: str, digits: int = 4) -> str:
    """A metric's value with so many digits; "s" as ms below a second, "bytes" as kB, MB or GB from a thousand on."""
    if value is None:
        return "undefined"
    if unit == "s":
        return f"{number(value * 1000, 3)} ms" if abs(value) < 1 else f"{number(value, 3)} s"
    if unit == "bytes":
        return _bytes(value, digits)
    return number(value, digits)


def number(value: float, digits: int = 4) -> str:
    """The value with so many digits; with all of its whole part's where they are more: `123,457`, not `1.235e+05`."""
    return f"{value:,.0f}" if abs(value) >= 10**digits - 0.5 else f"{value:.{digits}g}"


def _bytes(value: float, digits: int) -> str:
    for size, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if abs(value) >= size:
            return f"{value / size:.{digits}g} {name}"
    return f"{value:.{digits}g} bytes"
