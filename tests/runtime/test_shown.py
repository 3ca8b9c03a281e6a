"""Numbers as people read them: with few digits, and without powers of ten where the number is no small one."""

from __future__ import annotations

import math

import pytest

from lockgate_runtime.stages.shown import number, shown


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.71234, "", "0.7123"),
        (662.44, "", "662.4"),
        (9999.4, "", "9999"),
        (123456.7, "", "123,457"),
        (-123456.7, "", "-123,457"),
        (0.000312, "s", "0.312 ms"),
        (0.27, "s", "270 ms"),
        (0.9996, "s", "1,000 ms"),
        (1234.5, "s", "1,234 s"),
        (1234.5, "bytes", "1.234 kB"),
        (None, "s", "undefined"),
    ],
)
def test_a_number_is_shown_as_people_write_it(value: float | None, unit: str, text: str) -> None:
    assert shown(value, unit) == text


@pytest.mark.parametrize(("value", "text"), [(math.inf, "inf"), (-math.inf, "-inf"), (math.nan, "nan")])
def test_what_is_no_number_is_shown_all_the_same(value: float, text: str) -> None:
    assert number(value) == text
