"""From rows to what an estimator takes: float32 for numbers, text for categories, codes for classes.

An exported model is given its inputs by the same rule.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from pandas.api import types

from lockgate.contract import Feature
from lockgate_runtime.stages.user_code import StageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lockgate.spec.model import Column, Data, Value

FeatureType: TypeAlias = Literal["number", "integer", "category", "boolean"]
_MOST_VALUES = 1000


def to_features(frame: pd.DataFrame, inputs: Sequence[Feature]) -> pd.DataFrame:
    """The input columns in their order: float32 (missing as NaN), and for categories text (missing as "")."""
    columns = {it["name"]: _to_feature(frame[it["name"]], it["type"]) for it in inputs}
    return pd.DataFrame(columns, index=frame.index)


def infer_inputs(data: Data, frame: pd.DataFrame) -> list[Feature]:
    """The features the spec declares, or else every column but target, time and group, as the rows show them.

    Raises `StageError` for a column that can be no feature, and for a category of too many values to be one.
    """
    if data.columns is not None:
        return [_declared(name, column, frame[name]) for name, column in data.columns.items()]
    left_out = (data.target, data.time, data.group)
    return [_inferred(str(name), frame[name]) for name in frame.columns if name not in left_out]


def class_labels(series: pd.Series[Any], positive: Value | None) -> list[str]:
    """The classes as text in the order of their values; of two the positive last (default: the greater)."""
    labels = _sorted_texts(series)
    if positive is None:
        return labels
    text = as_text(positive)
    if len(labels) != 2 or text not in labels:
        found = ", ".join(f"'{label}'" for label in labels[:10])
        raise StageError(
            f"'evaluate.positive' is '{text}', but the classes of '{series.name}' are {found}",
            "name one of two classes, or leave it out",
        )
    return [*(label for label in labels if label != text), text]


def encode_target(series: pd.Series[Any], classes: Sequence[str]) -> NDArray[np.int64]:
    """For each row the index of its class. Raises `StageError` for a class that is not among them."""
    codes = pd.Index(classes).get_indexer(pd.Index(texts_of(series)))
    unknown = series[codes < 0]
    if len(unknown):
        raise StageError(
            f"{len(unknown):,} rows have a '{series.name}' that training never saw, such as "
            f"'{as_text(unknown.iloc[0])}'",
            "widen the training window, or leave rows of that class out in 'data.source'",
        )
    return codes.astype(np.int64)


def as_text(value: object) -> str:
    """A category's value as text: "" where it is missing, whole numbers without a fraction."""
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, float | np.floating):
        number = float(value)
        if math.isnan(number):
            return ""
        if number.is_integer():
            return str(int(number))
    return str(value)


def texts_of(series: pd.Series[Any]) -> NDArray[np.object_]:
    """The values as `as_text` gives each."""
    if types.is_object_dtype(series.dtype):  # Its values may be equal and yet differ as text: 1 and True.
        return np.array([as_text(value) for value in series], dtype=object)
    codes, values = pd.factorize(series)
    texts = np.array([*(as_text(value) for value in values), ""], dtype=object)
    return texts[codes]  # A missing value has the code -1.


def feature_type(series: pd.Series[Any]) -> FeatureType | None:
    """What the values are, as the spec calls it; None where they can be no feature."""
    if types.is_bool_dtype(series.dtype):
        return "boolean"
    if types.is_integer_dtype(series.dtype):
        return "integer"
    if types.is_float_dtype(series.dtype):
        return "number"
    if isinstance(series.dtype, pd.CategoricalDtype):
        return "category"
    return _OBJECT_TYPES.get(types.infer_dtype(series, skipna=True))


_OBJECT_TYPES: dict[str, FeatureType] = {
    "string": "category",
    "empty": "category",
    "boolean": "boolean",
    "integer": "integer",
    "floating": "number",
    "mixed-integer-float": "number",
    "decimal": "number",
}


def _to_feature(series: pd.Series[Any], kind: FeatureType) -> pd.Series[Any]:
    if kind == "category":
        return pd.Series(texts_of(series), index=series.index, dtype=object)
    if types.is_object_dtype(series.dtype) or types.is_string_dtype(series.dtype):
        series = _to_numbers(series)
    numbers = series.to_numpy(dtype=np.float32, na_value=np.nan)
    return pd.Series(numbers, index=series.index)


def _to_numbers(series: pd.Series[Any]) -> pd.Series[Any]:
    try:
        return pd.to_numeric(series)
    except (TypeError, ValueError) as error:
        raise StageError(
            f"column '{series.name}' holds something that is not a number: {error}",
            f"declare '{series.name}' as a category in 'data.columns', or mend the rows",
        ) from error


def _sorted_texts(series: pd.Series[Any]) -> list[str]:
    values = series.dropna().drop_duplicates().tolist()
    try:
        values.sort()
    except TypeError:
        values.sort(key=lambda value: (type(value).__name__, str(value)))
    return list(dict.fromkeys(as_text(value) for value in values))


def _declared(name: str, column: Column, series: pd.Series[Any]) -> Feature:
    feature = Feature(name=name, type=column.type, nullable=column.nullable)
    if column.values is not None:
        feature["values"] = [as_text(value) for value in column.values]
    elif column.type == "category":
        values = _sorted_texts(series)
        if len(values) <= _MOST_VALUES:
            feature["values"] = values
    if column.min is not None:
        feature["min"] = column.min
    if column.max is not None:
        feature["max"] = column.max
    return feature


def _inferred(name: str, series: pd.Series[Any]) -> Feature:
    kind = feature_type(series)
    if kind is None:
        found = types.infer_dtype(series, skipna=True)
        raise StageError(
            f"column '{name}' holds values of type '{found}', which can be no feature",
            "turn it into numbers or text, or declare in 'data.columns' which columns are features",
        )
    feature = Feature(name=name, type=kind, nullable=bool(series.isna().any()))
    if kind == "category":
        feature["values"] = _few_values(name, series)
    return feature


def _few_values(name: str, series: pd.Series[Any]) -> list[str]:
    values = _sorted_texts(series)
    if len(values) > _MOST_VALUES:
        raise StageError(
            f"column '{name}' has {len(values):,} different values, more than {_MOST_VALUES:,}",
            f"declare the features in 'data.columns': with '{name}' as a category, or without it",
        )
    return values
