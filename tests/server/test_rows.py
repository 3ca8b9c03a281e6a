"""JSON bodies, right, wrong and hostile: what is read of them, and the whole refusal where something is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.trained import INPUTS, signature_of

from lockgate.contract import Feature
from lockgate_runtime.server.refused import Refused
from lockgate_runtime.server.rows import Inputs, Row

RIGHT: dict[str, Any] = {"line": "A", "how far": 2.5, "stops": 3, "express": True, "zone": "in"}
OPEN, CLOSED = Inputs(signature_of(), "accept"), Inputs(signature_of(), "refuse")
MISSING = "is missing, and this column always needs a value"
FORM = "expected an object with 'rows', a list of objects, or 'columns', lists by name"


def body_of(*rows: object) -> bytes:
    return json.dumps({"rows": rows}).encode()


def refusal(body: bytes, inputs: Inputs = OPEN, most_rows: int = 100) -> Refused:
    with pytest.raises(Refused) as caught:
        inputs.decode(body, most_rows)
    json.loads(caught.value.body("r-1"))
    return caught.value


def errors(body: bytes, inputs: Inputs = OPEN) -> list[tuple[int | None, str, str]]:
    refused = refusal(body, inputs)
    assert (refused.status, refused.reason) == (422, "wrong-column")
    return [(it.row, it.column, it.message) for it in refused.errors]


def lists_of(inputs: Inputs, rows: list[Row]) -> list[list[Any]]:
    return [column.tolist() for column in inputs.columns(rows)]


def test_rows_become_columns_in_the_order_of_the_signature() -> None:
    rows = OPEN.decode(
        body_of(RIGHT, {**RIGHT, "line": None, "stops": None, "express": False, "how far": 7}), 2
    )
    columns = OPEN.columns(rows)
    assert [it.dtype for it in columns] == [object, np.float32, np.float32, np.float32, object]
    assert [it.tolist() for it in (*columns[:2], *columns[3:])] == [
        ["A", ""],
        [2.5, 7.0],
        [1.0, 0.0],
        ["in", "in"],
    ]
    assert columns[2][0] == 3
    assert np.isnan(columns[2][1])


def test_a_nullable_column_may_be_left_out() -> None:
    row = {name: value for name, value in RIGHT.items() if name not in {"line", "stops"}}
    columns = OPEN.columns(OPEN.decode(body_of(row), 1))
    assert columns[0].tolist() == [""]
    assert np.isnan(columns[2]).all()


def test_columns_are_read_as_rows_are() -> None:
    body = json.dumps({"columns": {name: [value, value] for name, value in RIGHT.items()}}).encode()
    assert OPEN.decode(body, 2) == OPEN.decode(body_of(RIGHT, RIGHT), 2)
    few = {name: [value] for name, value in RIGHT.items() if name not in {"line", "stops"}}
    rows = OPEN.decode(json.dumps({"columns": few}).encode(), 1)
    assert OPEN.columns(rows)[0].tolist() == [""]


def test_a_whole_number_may_be_written_with_a_point() -> None:
    assert lists_of(OPEN, OPEN.decode(body_of({**RIGHT, "stops": 3.0}), 1)) == lists_of(
        OPEN, OPEN.decode(body_of(RIGHT), 1)
    )


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("how far", "2.5", "is the text '2.5', expected a number"),
        ("how far", True, "is true, expected a number"),
        ("how far", None, MISSING),
        ("how far", [1], "is a list, expected a number"),
        ("how far", -0.5, "is -0.5, expected at least 0"),
        ("how far", 1e39, "is 1e+39, expected at most 3.40282346638529e+38"),
        ("how far", 10**400, "is no finite number"),
        ("stops", 2.5, "is 2.5, expected a whole number"),
        ("stops", 41, "is 41, expected at most 40"),
        ("stops", 2**70, "is 1180591620717411303424, expected at most 40"),
        ("stops", False, "is false, expected a number"),
        ("express", 1, "is 1, expected true or false"),
        ("express", "true", "is the text 'true', expected true or false"),
        ("zone", "", MISSING),
        ("zone", 5, "is 5, expected text"),
        ("zone", {"a": 1}, "is an object, expected text"),
        ("zone", "\ud800", "is '\\ud800', which is half of a character and no Unicode text"),
    ],
)
def test_a_wrong_value_is_refused_with_its_column_and_row(column: str, value: object, message: str) -> None:
    assert errors(body_of(RIGHT, {**RIGHT, column: value})) == [(1, column, message)]
    columns = {name: [right, value if name == column else right] for name, right in RIGHT.items()}
    assert errors(json.dumps({"columns": columns}).encode()) == [(1, column, message)]


def test_numbers_beyond_64_bits_are_no_finite_numbers() -> None:
    body = body_of(RIGHT).replace(b"2.5", b"1e400")
    assert errors(body) == [(0, "how far", "is no finite number")]


def test_an_unknown_category_is_passed_on_or_refused() -> None:
    body = body_of({**RIGHT, "zone": "inn"})
    assert OPEN.columns(OPEN.decode(body, 1))[4].tolist() == ["inn"]
    message = "is 'inn', which training never saw, expected one of 'in', 'out'"
    assert errors(body, CLOSED) == [(0, "zone", message)]


def test_of_many_categories_the_closest_is_told() -> None:
    values = [f"stop-{index}" for index in range(50)]
    signature = signature_of()
    signature["inputs"] = [Feature(name="stop", type="category", nullable=False, values=values)]
    inputs = Inputs(signature, "refuse")
    message = "is 'stop_7', which training never saw: did you mean 'stop-7'?"
    assert errors(body_of({"stop": "stop_7"}), inputs) == [(0, "stop", message)]


def test_all_wrong_columns_are_told_at_once() -> None:
    row = {"line": 1, "how_far": 2.5, "stops": -1, "express": None, "zone": "in"}
    assert errors(body_of(row)) == [
        (0, "line", "is 1, expected text"),
        (0, "how far", MISSING),
        (0, "stops", "is -1, expected at least 0"),
        (0, "express", MISSING),
        (0, "how_far", "is no column of this model: did you mean 'how far'?"),
    ]


def test_no_more_than_twenty_are_told() -> None:
    assert len(errors(body_of(*[{**RIGHT, "stops": -1}] * 60))) == 20
    unknown = {f"x{index}" * 30: 1 for index in range(5000)}
    assert len(errors(body_of({**RIGHT, **unknown}))) == 20


def test_a_hostile_name_is_told_in_printable_characters() -> None:
    name = "\u202e\n\x1b[31m" + "x" * 300
    assert errors(body_of({**RIGHT, name: 1})) == [
        (0, "\\u202e\\n\\x1b[31m" + "x" * 53 + "…", "is no column of this model")
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the body is not JSON: expecting value at line 1, column 1"),
        (b'{"rows":[', "the body is not JSON: expecting value at line 1, column 10"),
        (b'{"rows":[{}]} x', "the body is not JSON: extra data at line 1, column 15"),
        (b'{"rows":[{"stops":NaN}]}', "the body is not JSON: it has no 'NaN'; a missing value is null"),
        (
            b'{"rows":[{"stops":-Infinity}]}',
            "the body is not JSON: it has no '-Infinity'; a missing value is null",
        ),
        (b'\xff{"rows":[]}', "the body is not UTF-8: byte 0 cannot be read"),
        (b'{"rows":[{"stops":1,"stops":1}]}', "the body's JSON has the name 'stops' twice in one object"),
        (b'{"rows":' + b"[" * 100_000, "the body's JSON is nested too deeply"),
        (b'{"a":' * 100_000, "the body's JSON is nested too deeply"),
    ],
)
def test_a_body_that_is_no_json_is_malformed(body: bytes, message: str) -> None:
    refused = refusal(body)
    assert (refused.status, refused.reason, refused.message, refused.errors) == (
        400,
        "malformed-body",
        message,
        (),
    )


@pytest.mark.parametrize("twice", [b'"zone":"in","zone":"in"', b'"zone":"in","zon\\u0065":"out"'])
def test_a_column_that_is_given_twice_is_malformed_though_all_else_is_right(twice: bytes) -> None:
    body = body_of(RIGHT).replace(b'"zone": "in"', twice)
    assert refusal(body).message == "the body's JSON has the name 'zone' twice in one object"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[]", f"the body is a list, {FORM}"),
        (b"null", f"the body is null, {FORM}"),
        (b"{}", f"the body has nothing, {FORM}"),
        (b'{"row":[]}', f"the body has 'row', {FORM}"),
        (b'{"rows":[],"columns":{}}', f"the body has 'rows', 'columns', {FORM}"),
        (b'{"rows":[]}', "'rows' is empty, expected a list of objects"),
        (b'{"rows":{}}', "'rows' is an object, expected a list of objects"),
        (b'{"rows":[5]}', "row 0 is 5, expected an object with a value for each column"),
        (b'{"columns":[]}', "'columns' is a list, expected an object with a list for each column"),
    ],
)
def test_another_form_is_refused(body: bytes, message: str) -> None:
    refused = refusal(body)
    assert (refused.status, refused.reason, refused.message) == (422, "wrong-body", message)


def test_columns_of_different_lengths_are_refused() -> None:
    columns = {name: [value] for name, value in RIGHT.items()} | {"zone": ["in", "in"]}
    message = "the columns differ in length: 'zone' has 2 values, 'line' has 1"
    assert refusal(json.dumps({"columns": columns}).encode()).message == message


def test_columns_without_rows_are_refused() -> None:
    body = json.dumps({"columns": {name: [] for name in RIGHT}}).encode()
    assert refusal(body).message == "'columns' holds no rows, expected at least one"


@pytest.mark.parametrize("wrong", [{}, {"zone": 1}])
def test_too_many_rows_are_refused_right_or_wrong(wrong: dict[str, object]) -> None:
    refused = refusal(body_of(*[{**RIGHT, **wrong}] * 4), most_rows=3)
    message = "4 rows in one request, expected at most 3: send fewer at once"
    assert (refused.status, refused.reason, refused.message) == (413, "too-many-rows", message)


def test_names_that_the_fast_reader_cannot_have_are_read_all_the_same() -> None:
    signature = signature_of()
    signature["inputs"] = [Feature(name='a"\\b', type="number", nullable=False)]
    inputs = Inputs(signature, "accept")
    assert inputs.columns(inputs.decode(body_of({'a"\\b': 1}), 1))[0].tolist() == [1.0]


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["A", "in", "out", "", "Ä\0", '"', "é\\"])
    | st.lists(st.integers(), max_size=1)
)
LIKELY = st.fixed_dictionaries(
    {
        "how far": st.floats(0, 1e30) | st.integers(0, 100),
        "express": st.booleans(),
        "zone": st.sampled_from(["in", "out", 'i"n']),
    },
    optional={
        "line": st.none() | st.sampled_from(["A", "", "new"]),
        "stops": st.none() | st.integers(-1, 41) | st.just(3.0),
    },
)
ROWS = st.lists(
    LIKELY | st.dictionaries(st.sampled_from([*RIGHT, "other"]), SCALARS, max_size=6), min_size=1, max_size=3
)


@given(rows=ROWS, ascii_only=st.booleans(), known_only=st.booleans())
def test_the_fast_reader_accepts_what_the_slow_one_accepts(
    rows: list[dict[str, Any]], ascii_only: bool, known_only: bool
) -> None:
    inputs = CLOSED if known_only else OPEN
    body = json.dumps({"rows": rows}, ensure_ascii=ascii_only).encode()
    expected = outcome(inputs, inputs.decode_slowly, body)
    np.testing.assert_equal(outcome(inputs, inputs.decode, body), expected)
    if "columns" in expected:
        columns = {it["name"]: [row.get(it["name"]) for row in rows] for it in INPUTS}
        body = json.dumps({"columns": columns}).encode()
        np.testing.assert_equal(outcome(inputs, inputs.decode, body), expected)


def outcome(inputs: Inputs, decode: Callable[[bytes, int], list[Row]], body: bytes) -> dict[str, Any]:
    try:
        return {"columns": lists_of(inputs, decode(body, 3))}
    except Refused as refused:
        return {"refused": (refused.status, refused.message, refused.errors)}


@given(st.binary(max_size=60) | st.text('{}[]":,rowscolumn1e-+. \\u0', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    refused = refusal(body)
    assert refused.status in {400, 422}
