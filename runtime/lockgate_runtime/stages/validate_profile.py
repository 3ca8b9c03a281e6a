"""What a column holds, in a few numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pandas.api import types

from lockgate.contract import ColumnProfile
from lockgate_runtime.stages.features import feature_type

if TYPE_CHECKING:
    import pandas as pd


def profile(series: pd.Series[Any]) -> ColumnProfile:
    """The column's type, missing values, distinct values, and of numbers the range and the mean."""
    kind = _kind(series)
    result = ColumnProfile(type=kind, missing_ratio=float(series.isna().mean()), distinct=_distinct(series))
    if kind in ("number", "integer") and not series.isna().all():
        numbers = series.astype("float64")
        result["min"] = float(numbers.min())
        result["max"] = float(numbers.max())
        result["mean"] = float(numbers.mean())
    return result


def _kind(series: pd.Series[Any]) -> str:
    if types.is_datetime64_any_dtype(series.dtype):
        return "time"
    return feature_type(series) or types.infer_dtype(series, skipna=True)


def _distinct(series: pd.Series[Any]) -> int:
    try:
        return int(series.nunique())
    except TypeError:  # Lists and maps cannot be counted by value.
        return int(series.dropna().map(repr).nunique())
