"""What estimators and exported models are given, and what the artifact files look like."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lockgate.contract import Feature
from lockgate.spec.model import Column, Data, Model, Value
from lockgate_runtime.stages.features import (
    FeatureType,
    class_labels,
    encode_target,
    infer_inputs,
    to_features,
)
from lockgate_runtime.stages.files import read_frame, read_json, write_frame, write_json
from lockgate_runtime.stages.user_code import StageError


def feature(name: str, kind: FeatureType) -> Feature:
    return Feature(name=name, type=kind, nullable=True)


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, 2], "integer", [1.0, 2.0]),
        ([1.5, None], "number", [1.5, math.nan]),
        ([True, False], "boolean", [1.0, 0.0]),
        (pd.array([True, None], dtype="boolean"), "boolean", [1.0, math.nan]),
        (pd.array([7, None], dtype="Int64"), "integer", [7.0, math.nan]),
        (["1.5", None], "number", [1.5, math.nan]),
        ([Decimal("1.5"), None], "number", [1.5, math.nan]),
    ],
)
def test_numbers_become_32_bit_floats(
    values: Iterable[object], kind: FeatureType, expected: list[float]
) -> None:
    column = to_features(pd.DataFrame({"x": values}), [feature("x", kind)])["x"]
    assert column.dtype == np.float32
    np.testing.assert_array_equal(column.to_numpy(), np.array(expected, dtype=np.float32))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["b", None, ""], ["b", "", ""]),
        ([3.0, 4.5, None], ["3", "4.5", ""]),
        ([3, 4], ["3", "4"]),
        ([True, False], ["True", "False"]),
        (pd.Series([1, True, None], dtype=object), ["1", "True", ""]),
        (pd.array([3, None], dtype="Int64"), ["3", ""]),
        (pd.Categorical(["a", None, "b"]), ["a", "", "b"]),
        (pd.Series([np.float32("nan"), np.float32(2)], dtype=object), ["", "2"]),
    ],
)
def test_categories_become_text(values: Iterable[object], expected: list[str]) -> None:
    column = to_features(pd.DataFrame({"x": values}), [feature("x", "category")])["x"]
    assert column.dtype == object
    assert column.tolist() == expected


def test_features_come_in_the_order_of_the_inputs_and_keep_the_index() -> None:
    frame = pd.DataFrame({"a": [1], "b": ["x"], "c": [2]}, index=[9])
    features = to_features(frame, [feature("c", "integer"), feature("b", "category")])
    assert list(features.columns) == ["c", "b"]
    assert list(features.index) == [9]


def test_text_in_a_number_column_is_told() -> None:
    with pytest.raises(StageError, match=r"column 'x' holds something that is not a number: .*abc"):
        to_features(pd.DataFrame({"x": ["abc"]}), [feature("x", "number")])


@pytest.fixture
def make_data(make_model: Callable[..., Model]) -> Callable[..., Data]:
    def make(**changes: object) -> Data:
        return make_model(data=changes).data

    return make


def test_declared_inputs_keep_the_order_of_the_spec(
    make_data: Callable[..., Data], make_column: Callable[..., Column]
) -> None:
    columns = {
        "b": make_column(type="category", nullable=True),
        "a": make_column(type="integer", min=0, max=9),
        "c": make_column(type="category", values=(3, True, "x")),
    }
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["z", None, "y"], "c": ["x", "x", "3"], "late": [0, 1, 0]})
    assert infer_inputs(make_data(columns=columns), frame) == [
        {"name": "b", "type": "category", "nullable": True, "values": ["y", "z"]},
        {"name": "a", "type": "integer", "nullable": False, "min": 0, "max": 9},
        {"name": "c", "type": "category", "nullable": False, "values": ["3", "True", "x"]},
    ]


def test_undeclared_inputs_are_all_but_target_time_and_group(make_data: Callable[..., Data]) -> None:
    frame = pd.DataFrame(
        {
            "departure": pd.to_datetime(["2024-01-01", "2024-01-02"]),
            "bus": [1, 2],
            "late": [True, False],
            "distance": [1.5, None],
            "stops": [3, 4],
            "line": ["B", "A"],
            "express": [True, False],
        }
    )
    assert infer_inputs(make_data(group="bus"), frame) == [
        {"name": "distance", "type": "number", "nullable": True},
        {"name": "stops", "type": "integer", "nullable": False},
        {"name": "line", "type": "category", "nullable": False, "values": ["A", "B"]},
        {"name": "express", "type": "boolean", "nullable": False},
    ]


def test_column_that_can_be_no_feature_is_told(make_data: Callable[..., Data]) -> None:
    frame = pd.DataFrame({"seen": [date(2024, 1, 1)], "late": [True]})
    with pytest.raises(
        StageError, match="column 'seen' holds values of type 'date', which can be no feature"
    ):
        infer_inputs(make_data(), frame)


def test_category_of_very_many_values_has_to_be_declared(
    make_data: Callable[..., Data], make_column: Callable[..., Column]
) -> None:
    frame = pd.DataFrame({"ticket": [f"t{number}" for number in range(1001)], "late": True})
    with pytest.raises(StageError, match="column 'ticket' has 1,001 different values, more than 1,000"):
        infer_inputs(make_data(), frame)
    declared = make_data(columns={"ticket": make_column(type="category")})
    assert infer_inputs(declared, frame) == [{"name": "ticket", "type": "category", "nullable": False}]


@pytest.mark.parametrize(
    ("values", "positive", "expected"),
    [
        ([True, False, True], None, ["False", "True"]),
        (["yes", "no"], None, ["no", "yes"]),
        (["yes", "no"], "no", ["yes", "no"]),
        ([True, False], False, ["True", "False"]),
        ([10, 9, 1], None, ["1", "9", "10"]),
        ([1.0, 0.0], 1, ["0", "1"]),
    ],
)
def test_classes_are_in_the_order_of_their_values_and_the_positive_last(
    values: list[object], positive: Value, expected: list[str]
) -> None:
    assert class_labels(pd.Series(values), positive) == expected


def test_positive_class_has_to_be_one_of_two() -> None:
    with pytest.raises(StageError) as raised:
        class_labels(pd.Series(["a", "b"], name="late"), "c")
    assert raised.value.message == "'evaluate.positive' is 'c', but the classes of 'late' are 'a', 'b'"


def test_target_becomes_the_index_of_its_class() -> None:
    codes = encode_target(pd.Series([1.0, 0.0, 1.0]), ["1", "0"])
    assert codes.dtype == np.int64
    assert codes.tolist() == [0, 1, 0]


def test_class_that_training_never_saw_is_told() -> None:
    with pytest.raises(StageError) as raised:
        encode_target(pd.Series(["a", "c", "c"], name="kind"), ["a", "b"])
    assert raised.value.message == "2 rows have a 'kind' that training never saw, such as 'c'"


def test_json_is_sorted_and_has_null_for_what_is_no_number(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.json"
    write_json(path, {"b": [math.nan, -math.inf, np.float32(0.5)], "a": {"ü": np.int64(3)}, "c": "\ud800"})
    assert path.read_bytes().decode() == (
        '{\n  "a": {\n    "ü": 3\n  },\n  "b": [\n    null,\n    null,\n    0.5\n  ],\n  "c": "\\ud800"\n}\n'
    )
    assert read_json(path) == json.loads(path.read_bytes())
    assert [it.name for it in path.parent.iterdir()] == ["x.json"]


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"a": 1})
    with pytest.raises(TypeError):
        write_json(tmp_path / "x.json", {"a": object()})
    with pytest.raises(StageError, match="the rows cannot be written as Parquet"):
        write_frame(tmp_path / "x.parquet", pd.DataFrame({"a": [1, "b"]}))
    assert [(it.name, read_json(it)) for it in tmp_path.iterdir()] == [("x.json", {"a": 1})]


def test_frame_comes_back_without_its_index(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.5, None], "b": ["x", None]}, index=[7, 8])
    write_frame(tmp_path / "x.parquet", frame)
    pd.testing.assert_frame_equal(read_frame(tmp_path / "x.parquet"), frame.reset_index(drop=True))


@pytest.mark.parametrize(("read", "what"), [(read_json, "JSON"), (read_frame, "Parquet")])
def test_missing_and_broken_files_are_told(tmp_path: Path, read: Callable[[Path], Any], what: str) -> None:
    with pytest.raises(StageError, match="x' does not exist"):
        read(tmp_path / "x")
    (tmp_path / "x").write_bytes(b"\x00{")
    with pytest.raises(StageError, match=f"x' is not {what}: "):
        read(tmp_path / "x")
