from __future__ import annotations

import pytest

from lockgate.report.numbers import (
    scale_for,
    show,
    show_change,
    show_count,
    show_metric,
    show_quantity,
    show_share,
)


@pytest.mark.parametrize(
    ("value", "low", "high", "unit", "shown"),
    [
        (0.7124, 0.7034, 0.7214, "", "0.712 [0.703, 0.721]"),
        (0.0123, 0.0098, 0.0147, "", "0.0123 [0.0098, 0.0147]"),
        (101.37, 97.17, 105.57, "", "101.4 [97.2, 105.6]"),
        (1.0, 0.9871, 1.0, "", "1.000 [0.987, 1.000]"),
        (-0.25, -0.5, 0.0, "", "\N{MINUS SIGN}0.250 [\N{MINUS SIGN}0.500, 0]"),
        (0.00421, 0.00401, 0.00452, "s", "4.21 [4.01, 4.52]\u00a0ms"),
        (12_345_678.0, None, None, "bytes", "12.3\u00a0MB"),
        (0.7124, 0.7034, None, "", "0.712"),
        (None, 0.1, 0.2, "", "\N{EN DASH}"),
    ],
)
def test_a_value_and_its_interval_share_decimals_and_unit(
    value: float | None, low: float | None, high: float | None, unit: str, shown: str
) -> None:
    assert show_metric(value, low, high, unit) == shown


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (1_234_567.0, "", "1,234,567"),
        (0.0, "s", "0\u00a0s"),
        (0.000312, "s", "312\u00a0µs"),
        (90.0, "s", "90.0\u00a0s"),
        (512, "bytes", "512\u00a0B"),
        (0.00000034, "", "3.40e\N{MINUS SIGN}07"),
        (-2.5e14, "", "\N{MINUS SIGN}2.50e+14"),
    ],
)
def test_a_quantity_has_three_significant_digits_and_a_unit(value: float, unit: str, shown: str) -> None:
    assert show_quantity(value, unit) == shown


def test_a_missed_limit_is_never_shown_as_met() -> None:
    scale = scale_for((0.69962, 0.70), "", 0.69962 - 0.70)
    assert (show(0.69962, scale), show(0.70, scale)) == ("0.6996", "0.7000")


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0126, "+0.013"), (-0.0126, "\N{MINUS SIGN}0.013"), (0.0, "0"), (0.0001, "0.000")]
)
def test_a_change_has_its_sign(value: float, shown: str) -> None:
    assert show_change(value, scale_for((0.5,), "")) == shown


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (1, 3, "33.3 %"),
        (0, 5, "0.0 %"),
        (3, 178_210, "< 0.1 %"),
        (9_999, 10_000, "> 99.9 %"),
        (1, 0, "\N{EN DASH}"),
    ],
)
def test_a_share_is_never_rounded_to_none_or_all(part: float, whole: float, shown: str) -> None:
    assert show_share(part, whole) == shown


def test_counts_have_thousands_separators() -> None:
    assert (show_count(27_004), show_count(-1_000)) == ("27,004", "\N{MINUS SIGN}1,000")
