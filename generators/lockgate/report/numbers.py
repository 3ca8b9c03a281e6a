"""Numbers as people read them: one count of decimals within a row, units, thousands separators, a true minus sign."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

ABSENT = "\N{EN DASH}"

_MINUS = "\N{MINUS SIGN}"
_SIGNIFICANT = 3
_MOST_DECIMALS = 6
_SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
_BYTES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """How the numbers of one row are written: divided by `factor`, with `decimals`, in `unit`."""

    factor: float
    decimals: int
    unit: str


def scale_for(values: Iterable[float | None], unit: str, difference: float | None = None) -> Scale:
    """The scale that gives the largest of the values three significant digits, and three decimals around 1.

    Where `difference` is given, there are enough decimals to see it.
    """
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    factor, name = _unit(largest, unit)
    is_plain_and_large = not name and largest >= 1
    decimals = _decimals(largest / factor, _SIGNIFICANT + is_plain_and_large)
    if difference:
        decimals = max(decimals, min(_MOST_DECIMALS, _decimals(abs(difference) / factor, 1)))
    return Scale(factor=factor, decimals=0 if name == "B" else decimals, unit=name)


def _unit(largest: float, unit: str) -> tuple[float, str]:
    steps = {"s": _SECONDS, "bytes": _BYTES}.get(unit)
    if steps is None:
        return 1.0, ""
    return next((step for step in steps if largest >= step[0]), steps[0 if largest == 0.0 else -1])


def _decimals(value: float, significant: int) -> int:
    if value == 0.0:
        return 0 if significant == 1 else significant
    return min(_MOST_DECIMALS, max(0, significant - 1 - math.floor(math.log10(value))))


def show(value: float | None, scale: Scale) -> str:
    """The value with its unit, or a dash where there is none."""
    return ABSENT if value is None else _with_unit(_digits(value, scale), scale)


def show_change(value: float | None, scale: Scale) -> str:
    """The value with its sign and unit."""
    if value is None:
        return ABSENT
    return _with_unit(_signed(value, scale), scale)


def show_interval(value: float | None, low: float | None, high: float | None, scale: Scale) -> str:
    """`0.712 [0.703, 0.721]`, or the value alone where there is no interval."""
    if value is None or low is None or high is None:
        return show(value, scale)
    return _with_unit(f"{_digits(value, scale)} [{_digits(low, scale)}, {_digits(high, scale)}]", scale)


def show_change_interval(value: float | None, low: float | None, high: float | None, scale: Scale) -> str:
    """`+0.004 [+0.001, +0.009]`, or the change alone where there is no interval."""
    if value is None or low is None or high is None:
        return show_change(value, scale)
    bounds = f"{_signed(low, scale)}, {_signed(high, scale)}"
    return _with_unit(f"{_signed(value, scale)} [{bounds}]", scale)


def show_metric(value: float | None, low: float | None, high: float | None, unit: str) -> str:
    return show_interval(value, low, high, scale_for((value, low, high), unit))


def show_quantity(value: float | None, unit: str = "") -> str:
    """A number on its own: `4.21 ms`, `1.23 MB`, `0.712`."""
    return show(value, scale_for((value,), unit))


def show_count(value: int) -> str:
    return f"{value:,}".replace("-", _MINUS)


def show_share(part: float, whole: float = 1.0) -> str:
    """The part of the whole in per cent, never rounded to 0 or 100 when it is neither."""
    if whole == 0:
        return ABSENT
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "< 0.1 %"
    if 99.9 < percent < 100:
        return "> 99.9 %"
    return f"{percent:.1f} %".replace("-", _MINUS)


def show_duration(seconds: float) -> str:
    """`2 d 4 h`, `35 min`, `20 s`: in the largest unit of which there is any, and the next one."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s"))
    first = next((place for place, (count, _) in enumerate(parts) if count), len(parts) - 1)
    told = [f"{count:,} {unit}" for count, unit in parts[first : first + 2] if count]
    return " ".join(told) or "0 s"


def _digits(value: float, scale: Scale) -> str:
    scaled = value / scale.factor
    if scaled == 0:
        return "0"
    smallest = 1e-4 if scale.decimals == _MOST_DECIMALS else 0.0
    if not smallest <= abs(scaled) < 1e12:
        return f"{scaled:.2e}".replace("-", _MINUS)
    text = f"{scaled:,.{scale.decimals}f}"
    is_zero = not text.strip("-0.,")
    return text.lstrip("-") if is_zero else text.replace("-", _MINUS)


def _signed(value: float, scale: Scale) -> str:
    digits = _digits(value, scale)
    is_signed = digits.startswith(_MINUS) or not digits.strip("0.")
    return digits if is_signed else f"+{digits}"


def _with_unit(digits: str, scale: Scale) -> str:
    return f"{digits}\N{NO-BREAK SPACE}{scale.unit}" if scale.unit else digits
