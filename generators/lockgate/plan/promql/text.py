"""An expression → PromQL, such that no label's value gets out of its quotes. ValueError where a name cannot be one."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import assert_never

from lockgate.plan.promql.nodes import (
    Absent,
    Aggregate,
    Binary,
    Expression,
    HistogramQuantile,
    Ln,
    Matcher,
    Number,
    On,
    Selector,
    Window,
)

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
# RE2 takes a backslash before any of these for the character itself.
_SPECIAL_IN_PATTERNS = re.compile(r"[\\.+*?()|\[\]{}^$]")


def text(expression: Expression) -> str:  # noqa: PLR0911 - one for each kind of node
    """The expression on one line; operands that are operations themselves are in parentheses."""
    match expression:
        case Selector():
            return _selector(expression)
        case Window(function, selector, seconds):
            return f"{function}({_selector(selector)}[{duration(seconds)}])"
        case Number(value):
            return number(value)
        case Ln(operand):
            return f"ln({text(operand)})"
        case Absent(selector):
            return f"absent({_selector(selector)})"
        case Aggregate(reduction, operand, by):
            labels = f" by ({_labels(by)}) " if by else ""
            return f"{reduction}{labels}({text(operand)})"
        case HistogramQuantile(quantile, operand):
            return f"histogram_quantile({number(quantile)}, {text(operand)})"
        case Binary(left, operator, right, on):
            return f"{_operand(left)} {operator}{_on(on)} {_operand(right)}"
        case _:
            assert_never(expression)


def number(value: Decimal) -> str:
    """Without an exponent and without zeros that say nothing."""
    if not value.is_finite():
        raise ValueError(f"{value} is no number that is written into an expression")
    written = f"{value:f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def duration(seconds: int) -> str:
    """In the largest unit that is exact: 3600 is `1h`."""
    if seconds <= 0:
        raise ValueError(f"a window of {seconds} seconds holds nothing")
    return next(f"{seconds // length}{unit}" for unit, length in _UNITS if seconds % length == 0)


def pattern_of(value: str) -> str:
    """The regular expression that matches just this text."""
    return _SPECIAL_IN_PATTERNS.sub(r"\\\g<0>", value)


def quoted(value: str) -> str:
    """A string of PromQL, whose escapes are those of Go."""
    if value.isprintable() and '"' not in value and "\\" not in value:  # nearly all
        return f'"{value}"'
    value.encode()  # half a surrogate pair is no text
    return '"' + "".join(_escaped(character) for character in value) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _selector(selector: Selector) -> str:
    matchers = ", ".join(_matcher(matcher) for matcher in selector.matchers)
    return _checked(_METRIC, selector.metric) + (f"{{{matchers}}}" if matchers else "")


def _matcher(matcher: Matcher) -> str:
    return f"{_checked(_LABEL, matcher.label)}{matcher.operator}{quoted(matcher.value)}"


def _on(on: On | None) -> str:
    if on is None:
        return ""
    # Without its own parentheses, group_left takes those of the operand that follows.
    return f" on ({_labels(on.labels)})" + (" group_left ()" if on.one_right else "")


def _operand(expression: Expression) -> str:
    written = text(expression)
    return f"({written})" if isinstance(expression, Binary) else written


def _labels(labels: tuple[str, ...]) -> str:
    return ", ".join(_checked(_LABEL, label) for label in labels)


def _checked(grammar: re.Pattern[str], name: str) -> str:
    if not grammar.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a metric or label")
    return name
