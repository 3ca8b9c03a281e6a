"""Validate: rows held to the spec's columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lockgate.contract import Validation
from lockgate.spec.model import Column, Model, Spec
from lockgate_runtime.stages import validate
from lockgate_runtime.stages.files import write_frame
from lockgate_runtime.stages.user_code import StageError

Validate = Callable[..., tuple[pd.DataFrame, Validation]]
MakeColumn = Callable[..., Column]


@pytest.fixture
def run(tmp_path: Path, make_model: Callable[..., Model], make_spec: Callable[[Model], Spec]) -> Validate:
    """Validate the rows with the data section so changed; the valid rows, and the evidence."""

    def run(
        rows: dict[str, Any], task: str = "classification", **data: object
    ) -> tuple[pd.DataFrame, Validation]:
        folder = tmp_path / "artifacts" / "late-bus"
        model = make_model(task=task, data={"time": None, "split": "random", **data})
        write_frame(folder / "raw.parquet", pd.DataFrame(rows))
        validate.run(make_spec(model), model, tmp_path)
        return pd.read_parquet(folder / "valid.parquet"), json.loads(
            (folder / "validation.json").read_bytes()
        )

    return run


def test_rows_that_break_a_column_are_left_out_and_shown(run: Validate, make_column: MakeColumn) -> None:
    columns = {
        "line": make_column(type="category", values=("A", "B")),
        "distance": make_column(min=0, max=100),
    }
    rows = {
        "distance": [1.0, -2.0, 300.0, None, 5.0, -7.0],
        "secret": ["s"] * 6,
        "line": ["A", "C", "B", "A", "B", "A"],
        "late": [True, False, True, False, True, False],
    }
    valid, evidence = run(rows, columns=columns)
    assert valid.to_dict("list") == {"distance": [1.0, 5.0], "line": ["A", "B"], "late": [True, True]}
    assert evidence == {
        "rows": 6,
        "invalid_rows": 4,
        "checks": [
            {
                "column": "distance",
                "check": "at least 0",
                "failed_rows": 2,
                "examples": [{"row": 1, "value": -2.0}, {"row": 5, "value": -7.0}],
            },
            {
                "column": "distance",
                "check": "at most 100",
                "failed_rows": 1,
                "examples": [{"row": 2, "value": 300.0}],
            },
            {
                "column": "distance",
                "check": "present",
                "failed_rows": 1,
                "examples": [{"row": 3, "value": None}],
            },
            {
                "column": "line",
                "check": "one of 2 values",
                "failed_rows": 1,
                "examples": [{"row": 1, "value": "C"}],
            },
        ],
        "dropped_columns": ["secret"],
        "columns": {
            "distance": {
                "type": "number",
                "missing_ratio": 1 / 6,
                "distinct": 5,
                "min": -7.0,
                "max": 300.0,
                "mean": 59.4,
            },
            "line": {"type": "category", "missing_ratio": 0.0, "distinct": 3},
            "late": {"type": "boolean", "missing_ratio": 0.0, "distinct": 2},
        },
    }


@pytest.mark.parametrize(
    ("kind", "values", "valid", "check", "bad"),
    [
        ("number", ["1.5", "2", "abc"], [1.5, 2.0], "a finite number", ["abc"]),
        ("number", [1.0, 2.0, 1e39, float("inf")], [1.0, 2.0], "a finite number", [1e39, "inf"]),
        ("number", pd.to_datetime(["2024-01-01"] * 2), None, "a finite number", None),
        ("integer", [1.0, 2.0, 2.5], [1, 2], "a whole number", [2.5]),
        ("boolean", ["True", "false", "maybe"], [True, False], "true or false", ["maybe"]),
        ("boolean", [1, 0, 2], [True, False], "true or false", [2]),
        ("category", [3.0, 4.5], ["3", "4.5"], None, None),
        ("category", [["a"], ["b", "c"]], None, "one value, not a list", None),
        ("number", [["a"], ["b", "c"]], None, "a finite number", None),
        ("boolean", [{"a": 1}, {"a": 2}], None, "true or false", None),
        ("category", ["x", "x" * 500, ""], ["x", "x" * 500], "present", [""]),
    ],
)
def test_values_are_brought_to_their_type(
    run: Validate,
    make_column: MakeColumn,
    kind: str,
    values: Sequence[object],
    valid: list[object] | None,
    check: str,
    bad: list[object],
) -> None:
    rows = {"x": values, "late": [True] * len(values)}
    columns = {"x": make_column(type=kind)}
    if valid is None:
        with pytest.raises(
            StageError, match=f"all 2 rows are invalid:\n  'x' is not {check} in 2 rows, such as"
        ):
            run(rows, columns=columns)
        return
    frame, evidence = run(rows, columns=columns)
    assert frame["x"].tolist() == valid
    found = [(it["check"], [example["value"] for example in it["examples"]]) for it in evidence["checks"]]
    assert found == ([(check, bad)] if check else [])


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("number", [1.5, None], [1.5, None]),
        ("integer", [1.0, None], [1.0, None]),
        ("boolean", [True, None], [True, None]),
        ("category", ["a", None, ""], ["a", None, None]),
    ],
)
def test_missing_values_of_a_nullable_column_are_valid(
    run: Validate, make_column: MakeColumn, kind: str, values: list[Any], expected: list[Any]
) -> None:
    rows = {"x": values, "late": [True] * len(values)}
    frame, evidence = run(rows, columns={"x": make_column(type=kind, nullable=True, min=None)})
    assert frame["x"].astype(object).where(frame["x"].notna(), None).tolist() == expected
    assert evidence["checks"] == []


def test_examples_are_five_at_most_and_clipped(run: Validate, make_column: MakeColumn) -> None:
    rows = {"x": ["1", *(f"{number}" + "x" * 300 for number in range(9))], "late": [True] * 10}
    _, evidence = run(rows, columns={"x": make_column()})
    (check,) = evidence["checks"]
    assert (check["failed_rows"], len(check["examples"])) == (9, 5)
    assert check["examples"][0] == {"row": 1, "value": "0" + "x" * 198 + "…"}


def test_row_that_breaks_two_columns_counts_once(run: Validate, make_column: MakeColumn) -> None:
    columns = {"x": make_column(min=0), "y": make_column(min=0)}
    _, evidence = run({"x": [-1, 1], "y": [-1, 1], "late": [True, True]}, columns=columns)
    assert evidence["invalid_rows"] == 1
    assert [check["column"] for check in evidence["checks"]] == ["x", "y"]


def test_repeated_rows_are_kept(run: Validate) -> None:
    frame, _ = run({"x": [1, 1, 1], "late": [True, True, True]})
    assert len(frame) == 3


def test_without_columns_all_are_kept_and_only_the_target_is_checked(run: Validate) -> None:
    rows = {"x": [1.0, None, 3.0], "tags": [["a"], ["b"], ["a"]], "late": ["yes", "no", None]}
    frame, evidence = run(rows)
    assert list(frame.columns) == ["x", "tags", "late"]
    assert frame["late"].tolist() == ["yes", "no"]
    assert evidence["checks"] == [
        {"column": "late", "check": "present", "failed_rows": 1, "examples": [{"row": 2, "value": None}]}
    ]
    assert evidence["columns"]["tags"]["distinct"] == 2


def test_empty_text_is_a_missing_target(run: Validate) -> None:
    frame, evidence = run({"x": [1, 2, 3], "late": ["yes", "", "no"]})
    assert frame["late"].tolist() == ["yes", "no"]
    assert evidence["checks"][0]["examples"] == [{"row": 1, "value": ""}]


def test_target_of_a_regression_has_to_be_a_number(run: Validate) -> None:
    frame, evidence = run({"x": [1, 2, 3], "late": ["5", "much", "7.5"]}, task="regression")
    assert frame["late"].tolist() == [5.0, 7.5]
    assert evidence["checks"][0]["check"] == "a finite number"


def test_times_are_read_and_those_that_are_none_are_shown(run: Validate) -> None:
    rows = {
        "at": ["2024-01-01", "2024-01-01T05:00:00", "01/02/2024", None],
        "x": range(4),
        "late": [True] * 4,
    }
    frame, evidence = run(rows, time="at", split="time")
    assert frame["at"].tolist() == [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-01T05:00")]
    assert [(check["check"], check["examples"][0]["row"]) for check in evidence["checks"]] == [
        ("a time in ISO 8601", 2),
        ("present", 3),
    ]


def test_times_of_different_offsets_become_utc(run: Validate) -> None:
    frame, _ = run(
        {"at": ["2024-01-01T00:00+02:00", "2024-01-01T00:00-05:00"], "late": [True] * 2}, time="at"
    )
    assert [time.isoformat() for time in frame["at"]] == [
        "2023-12-31T22:00:00+00:00",
        "2024-01-01T05:00:00+00:00",
    ]


def test_numbers_are_no_times(run: Validate) -> None:
    with pytest.raises(StageError, match="time column 'at' holds numbers, expected dates or times"):
        run({"at": [2012, 2013], "late": [True, False]}, time="at")


def test_missing_columns_are_all_told_with_suggestions(run: Validate, make_column: MakeColumn) -> None:
    columns = {"distance": make_column(), "line": make_column(), "x": make_column()}
    with pytest.raises(StageError) as raised:
        run({"distanse": [1], "x": [1], "late": [True]}, columns=columns)
    assert raised.value.message == (
        "the data lacks 2 of the spec's columns: 'distance' (did you mean 'distanse'?), 'line'"
    )


def test_all_rows_invalid_is_a_failure_that_leaves_its_evidence(
    run: Validate, make_column: MakeColumn, tmp_path: Path
) -> None:
    with pytest.raises(StageError) as raised:
        run({"x": [-1, -2], "late": [True, True]}, columns={"x": make_column(min=0)})
    assert raised.value.message == (
        "all 2 rows are invalid:\n  'x' is not at least 0 in 2 rows, such as row 0: -1"
    )
    evidence = json.loads((tmp_path / "artifacts" / "late-bus" / "validation.json").read_bytes())
    assert evidence["invalid_rows"] == 2
