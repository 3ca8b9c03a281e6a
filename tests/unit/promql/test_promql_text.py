"""Expressions come out as PromQL that means the same, whatever text stands in a label."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.promtool import check_expressions, needs_promtool
from tests.spec.specs import HOSTILE

from lockgate.plan.promql import (
    Aggregate,
    Binary,
    Expression,
    Matcher,
    Number,
    On,
    Selector,
    Window,
    duration,
    equals,
    number,
    pattern_of,
    quoted,
    text,
)

UP = Selector("up")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (UP, "up"),
        (Selector("up", equals({"job": "a", "pod": "b"})), 'up{job="a", pod="b"}'),
        (Window("increase", UP, 5400), "increase(up[90m])"),
        (Aggregate("sum", UP, ("bin", "le")), "sum by (bin, le) (up)"),
        (Binary(Binary(UP, "-", UP), "*", UP), "(up - up) * up"),
        (Binary(UP, "-", Binary(UP, "-", UP)), "up - (up - up)"),
        (Binary(UP, "/", Aggregate("sum", UP), On((), one_right=True)), "up / on () group_left () sum(up)"),
        (Binary(UP, "and", Binary(UP, ">", Number(Decimal("1E+2"))), On(("bin",))), "up and on (bin) (up > 100)"),
    ],
)  # fmt: skip
def test_an_expression_is_written_with_the_parentheses_that_it_needs(
    expression: Expression, expected: str
) -> None:
    assert text(expression) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0.0144", "0.0144"), ("1E-7", "0.0000001"), ("14.400", "14.4"), ("100", "100"), ("-0.5", "-0.5")],
)
def test_a_number_has_no_exponent_and_no_idle_zeros(value: str, expected: str) -> None:
    assert number(Decimal(value)) == expected


@pytest.mark.parametrize(("seconds", "expected"), [(90, "90s"), (300, "5m"), (3600, "1h"), (259200, "3d")])
def test_a_window_is_in_the_largest_exact_unit(seconds: int, expected: str) -> None:
    assert duration(seconds) == expected


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_what_is_no_number_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        number(Decimal(value))


@pytest.mark.parametrize(
    "selector",
    [
        Selector("up{} or vector(1)"),
        Selector("up", (Matcher('a="b"} or up{c', "=", ""),)),
        Selector("up\n"),
        Selector("up", (Matcher("a:b", "=", ""),)),
    ],
)
def test_a_name_that_is_none_is_refused(selector: Selector) -> None:
    with pytest.raises(ValueError, match="no name"):
        text(selector)


@given(st.one_of(HOSTILE, st.text(st.characters(codec="utf-8"))))
def test_a_quoted_text_has_no_quote_and_no_line_break_of_its_own(value: str) -> None:
    written = quoted(value)
    assert written.isprintable()
    inside = written[1:-1].replace("\\\\", "").replace('\\"', "")
    assert '"' not in inside


def test_half_a_character_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        quoted("\ud800")


@needs_promtool
def test_no_label_gets_out_of_its_quotes(tmp_path: Path) -> None:
    found: list[str] = []

    @given(st.one_of(HOSTILE, st.text(st.characters(codec="utf-8"))))
    def collect(value: str) -> None:
        matchers = (Matcher("a", "=", value), Matcher("b", "=~", pattern_of(value)))
        found.append(text(Selector("up", matchers)))

    collect()
    assert check_expressions(found, tmp_path) == ""
