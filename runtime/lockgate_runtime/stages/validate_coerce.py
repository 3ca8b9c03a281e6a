"""Values brought to the type that the spec declares; what cannot be is set missing and marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from pandas.api import types

from lockgate_runtime.stages.features import texts_of
from lockgate_runtime.stages.user_code import StageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CoercedType: TypeAlias = Literal["number", "integer", "category", "boolean", "time", "any"]
_GREATEST = float(np.finfo(np.float32).max)
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True, kw_only=True, slots=True)
class Coerced:
    """The values after coercion; `failed` marks, row by row, those that were there and are not of the type."""

    values: pd.Series[Any]
    failed: pd.Series[bool]
    expected: str


def coerce(series: pd.Series[Any], kind: CoercedType) -> Coerced:
    """The column as that type. Raises `StageError` for a time column of plain numbers."""
    values, expected = _COERCIONS[kind](series if kind == "any" else _scalars(series))
    failed = values.isna() & ~_is_missing(series)
    return Coerced(values=values, failed=failed, expected=expected)


def _scalars(series: pd.Series[Any]) -> pd.Series[Any]:
    """Without lists and maps, which are a value of none of the types."""
    if not types.is_object_dtype(series.dtype):
        return series
    return series.map(lambda value: None if np.ndim(value) or isinstance(value, dict) else value)


def _is_missing(series: pd.Series[Any]) -> pd.Series[bool]:
    """An empty text is a missing value, as it is to an exported model."""
    if types.is_object_dtype(series.dtype) or types.is_string_dtype(series.dtype):
        return series.isna() | series.map(lambda value: isinstance(value, str) and value == "").astype(bool)
    return series.isna()


def _number(series: pd.Series[Any]) -> tuple[pd.Series[Any], str]:
    # What 32 bits cannot hold would reach the estimator as infinity.
    numbers = _to_numbers(series)
    return numbers.where(numbers.abs() <= _GREATEST), "a finite number"


def _integer(series: pd.Series[Any]) -> tuple[pd.Series[Any], str]:
    numbers, _ = _number(series)
    whole = numbers.where(numbers == np.floor(numbers))
    return (whole if whole.isna().any() else whole.astype(np.int64)), "a whole number"


def _to_numbers(series: pd.Series[Any]) -> pd.Series[Any]:
    if types.is_datetime64_any_dtype(series.dtype) or types.is_timedelta64_dtype(series.dtype):
        return pd.Series(np.nan, index=series.index)
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(object)
    numbers = pd.to_numeric(series, errors="coerce")
    return pd.Series(numbers.to_numpy(dtype=np.float64, na_value=np.nan), index=series.index)


def _boolean(series: pd.Series[Any]) -> tuple[pd.Series[Any], str]:
    if types.is_bool_dtype(series.dtype) and not series.isna().any():
        return series.astype(bool), "true or false"
    texts = pd.Series(texts_of(series), index=series.index)
    values = texts.str.lower().map(_BOOLEANS).astype("boolean")
    return (values if values.isna().any() else values.astype(bool)), "true or false"


def _category(series: pd.Series[Any]) -> tuple[pd.Series[Any], str]:
    texts = pd.Series(texts_of(series), index=series.index, dtype="str")
    return texts.replace("", None), "one value, not a list"


def _time(series: pd.Series[Any]) -> tuple[pd.Series[Any], str]:
    expected = "a time in ISO 8601"
    if types.is_datetime64_any_dtype(series.dtype):
        return series, expected
    if types.is_numeric_dtype(series.dtype):
        raise StageError(
            f"time column '{series.name}' holds numbers, expected dates or times",
            "turn it into times in 'data.source', for example with 'pandas.to_datetime(…, unit=\"s\")'",
        )
    try:
        return pd.to_datetime(series, errors="coerce", format="ISO8601"), expected
    except ValueError:  # Times of different offsets have no column type but UTC.
        return pd.to_datetime(series, errors="coerce", format="ISO8601", utc=True), expected


def _any(series: pd.Series[Any]) -> tuple[pd.Series[Any], str]:
    return series.where(~_is_missing(series)), "a value"


_COERCIONS: Mapping[CoercedType, Callable[[pd.Series[Any]], tuple[pd.Series[Any], str]]] = {
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "category": _category,
    "time": _time,
    "any": _any,
}
