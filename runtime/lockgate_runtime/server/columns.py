"""What a column may hold, by the model's signature: one judgement for single values and for whole arrays."""

from __future__ import annotations

import math
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from lockgate_runtime.server.json_documents import kind_of
from lockgate_runtime.server.refused import MOST_ERRORS, ColumnError, printable, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from lockgate.contract import Feature, Signature

UnknownCategories: TypeAlias = Literal["accept", "refuse"]
GREATEST = float(np.finfo(np.float32).max)
_ALWAYS_NEEDED = "is missing, and this column always needs a value"
_NO_ANSWER = "and the model has no answer"
_MOST_LISTED = 10
_EXACT = 2.0**53
_LONGEST_GUESSED = 40
_MOST_GUESSED = 200


class Declared(NamedTuple):
    """What the signature and the options allow, whether or not the model has an answer to it."""

    nullable: bool
    known: frozenset[str] | None


class Rule(NamedTuple):
    """One column. `least` and `most` bound numbers; `known` are the categories allowed, None where all are.

    `nullable` and `known` leave out what the model has no answer to; `declared` has it.
    """

    name: str
    type: Literal["number", "integer", "category", "boolean"]
    nullable: bool
    least: float
    most: float
    known: frozenset[str] | None
    declared: Declared


class Gaps(NamedTuple):
    """What the model has no answer to: categories besides those in `known`, by column, and `missing` values."""

    known: Mapping[str, frozenset[str]] = MappingProxyType({})
    missing: frozenset[str] = frozenset()


NO_GAPS = Gaps()


def rules_of(
    signature: Signature, unknown_categories: UnknownCategories, gaps: Gaps = NO_GAPS
) -> tuple[Rule, ...]:
    """In the order of the signature's inputs. What the model has no answer to is refused, whatever else is allowed."""
    return tuple(_rule(it, unknown_categories, gaps) for it in signature["inputs"])


def _rule(feature: Feature, unknown_categories: UnknownCategories, gaps: Gaps) -> Rule:
    name = feature["name"]
    values = frozenset(feature.get("values", ())) - {""}
    known = values if values and unknown_categories == "refuse" else None
    return Rule(
        name=name,
        type=feature["type"],
        nullable=feature["nullable"] and name not in gaps.missing,
        least=max(feature.get("min", -GREATEST), -GREATEST),
        most=min(feature.get("max", GREATEST), GREATEST),
        known=gaps.known.get(name, known),
        declared=Declared(feature["nullable"], known),
    )


def fault(rule: Rule, value: object) -> str | None:
    """What is wrong with the JSON value in that column; None where nothing is."""
    if _is_missing(rule, value):
        if rule.nullable:
            return None
        return f"is missing, {_NO_ANSWER} without it" if rule.declared.nullable else _ALWAYS_NEEDED
    if rule.type == "category":
        return _text_fault(rule, value)
    if rule.type == "boolean":
        return None if isinstance(value, bool) else f"is {kind_of(value)}, expected true or false"
    return _number_fault(rule, value)


def _is_missing(rule: Rule, value: object) -> bool:
    return value is None or (rule.type == "category" and value == "")


def column_error(row: int, rule: Rule, value: object, message: str) -> ColumnError:
    """Of a value with a fault."""
    if _is_missing(rule, value):
        return ColumnError(row, rule.name, message, unanswered=rule.declared.nullable)
    unanswered = (
        rule.known is not None
        and isinstance(value, str)
        and value not in rule.known
        and _is_declared(rule, value)
        and _is_unicode(value)
    )
    return ColumnError(row, rule.name, message, unanswered=unanswered)


def missing_column(rule: Rule) -> ColumnError:
    """Of a column that is missing as a whole and may not be."""
    message = (
        f"is missing, {_NO_ANSWER} without it"
        if rule.declared.nullable
        else "is missing, and this model needs it"
    )
    return ColumnError(None, rule.name, message, unanswered=rule.declared.nullable)


def _text_fault(rule: Rule, value: object) -> str | None:
    if not isinstance(value, str):
        return f"is {kind_of(value)}, expected text"
    if not value.isascii() and not _is_unicode(value):
        return f"is {quoted(value)}, which is half of a character and no Unicode text"
    if rule.known is None or value in rule.known:
        return None
    if _is_declared(rule, value):
        return f"is {quoted(value)}, {_NO_ANSWER} to it{_expected(value, rule.known)}"
    return f"is {quoted(value)}, which training never saw{_expected(value, rule.known)}"


def _is_declared(rule: Rule, text: str) -> bool:
    return rule.declared.known is None or text in rule.declared.known


def _number_fault(rule: Rule, value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"is {kind_of(value)}, expected a number"
    number = _as_float(value) if rule.type == "number" else value
    if isinstance(number, float) and not math.isfinite(number):
        return "is no finite number"
    if rule.type == "integer" and number != math.floor(number):
        return f"is {kind_of(value)}, expected a whole number"
    if number < rule.least:
        return f"is {kind_of(value)}, expected at least {rule.least:.15g}"
    return f"is {kind_of(value)}, expected at most {rule.most:.15g}" if number > rule.most else None


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # An integer may be greater than any float.
        return math.inf


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _expected(text: str, known: Collection[str]) -> str:
    if len(known) <= _MOST_LISTED:
        return f", expected one of {', '.join(quoted(it) for it in sorted(known))}"
    return guess(text, known)


def guess(text: str, names: Collection[str]) -> str:
    """What may have been meant, as the end of a sentence; "" where nothing is close, or looking would take long."""
    if len(text) > _LONGEST_GUESSED or len(names) > _MOST_GUESSED:
        return ""
    close = get_close_matches(text, sorted(names), n=1)
    return f": did you mean {quoted(close[0])}?" if close else ""


def unknown_column(name: str, rules: Sequence[Rule], row: int | None = None) -> ColumnError:
    """The model has no such column."""
    return ColumnError(
        row, printable(name), f"is no column of this model{guess(name, [it.name for it in rules])}"
    )


def number_column(rule: Rule, values: NDArray[Any], errors: list[ColumnError]) -> NDArray[np.float32]:
    """Numbers or truth values, as the model takes them; NaN is a missing value. What is wrong goes to `errors`.

    Limits are compared in the precision that the values came in, as a limit may have no 32 bits of its own.
    """
    if _is_within(rule, values):
        return values.astype(np.float32)
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)
    with np.errstate(all="ignore"):
        wrong = _beyond(rule, values) | (missing & (not rule.nullable))
        column = values.astype(np.float32)
    _add(rule, values, wrong, errors)
    return column


def _as_written(value: float) -> float | None:
    """As JSON would have it: an integer's column with missing values comes as floats."""
    if math.isnan(value):
        return None
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


def _is_within(rule: Rule, values: NDArray[Any]) -> bool:
    """Whether all is as it should be, and nothing is missing; quickly, and rather no than yes."""
    if values.dtype.kind == "b":
        return True
    if rule.type == "boolean" or (rule.type == "integer" and values.dtype.kind == "f"):
        return False
    least, most = _limits(rule, values)
    return bool(values.min() >= least and values.max() <= most)


def _limits(rule: Rule, values: NDArray[Any]) -> tuple[Any, Any]:
    kind = values.dtype.type if values.dtype.kind == "f" else np.float64
    return kind(rule.least), kind(rule.most)


def _beyond(rule: Rule, values: NDArray[Any]) -> NDArray[np.bool_]:
    if values.dtype.kind == "b":
        return np.zeros(len(values), bool)
    if rule.type == "boolean":
        odd: NDArray[np.bool_] = ~(np.equal(values, 0) | np.equal(values, 1) | np.isnan(values))
        return odd
    least, most = _limits(rule, values)
    beyond: NDArray[np.bool_] = np.less(values, least) | np.greater(values, most)
    if rule.type == "integer" and values.dtype.kind == "f":
        beyond |= (values != np.floor(values)) & ~np.isnan(values)
    return beyond


def text_column(rule: Rule, values: Sequence[Any], errors: list[ColumnError]) -> NDArray[np.object_]:
    """Unicode texts as the model takes them; None is a missing value. What is wrong goes to `errors`."""
    column = np.empty(len(values), object)
    column[:] = ["" if value is None else value for value in values]
    distinct = set(column)
    faulty = distinct - rule.known - {""} if rule.known is not None else set()
    if "" in distinct and not rule.nullable:
        faulty.add("")
    if faulty:
        _add(rule, column, np.array([value in faulty for value in column]), errors)
    return column


def _add(rule: Rule, values: NDArray[Any], wrong: NDArray[np.bool_], errors: list[ColumnError]) -> None:
    room = MOST_ERRORS - len(errors)
    for row in np.flatnonzero(wrong)[: max(room, 0)].tolist():
        value = values[row].item() if isinstance(values[row], np.generic) else values[row]
        if isinstance(value, float):
            value = _as_written(value)
        message = fault(rule, value)
        errors.append(column_error(row, rule, value, message or "is beyond the column's limits"))
