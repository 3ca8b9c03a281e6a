"""The Open Inference Protocol, as its official client writes and reads it, and as an attacker would write it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.trained import signature_of

from lockgate.contract import Kind
from lockgate_runtime.server.columns import rules_of
from lockgate_runtime.server.engine import Columns
from lockgate_runtime.server.refused import Refused
from lockgate_runtime.server.tensors import Request, Tensors

triton: Any = pytest.importorskip("tritonclient.http", reason="needs `pip install 'tritonclient[http]'`")

TENSORS = Tensors(signature_of(), "1.2.0", rules_of(signature_of(), "refuse"))
OUTPUTS = np.array([[0.75, 0.25], [0.5, 0.5]])
ARRAYS: dict[str, Any] = {
    "line": np.array(["A", ""], dtype=object),
    "how far": np.array([2.5, 0], np.float32),
    "stops": np.array([3.0, np.nan]),
    "express": np.array([True, False]),
    "zone": np.array(["in", "out"], dtype=object),
}
TYPES = {"line": "BYTES", "how far": "FP32", "stops": "FP64", "express": "BOOL", "zone": "BYTES"}
LISTS: dict[str, Any] = {
    "line": ["A", None],
    "how far": [2.5, 0],
    "stops": [3, None],
    "express": [True, False],
    "zone": ["in", "out"],
}


def client_body(arrays: dict[str, Any], *, binary: bool, **options: Any) -> tuple[bytes, bytes | None]:
    """What tritonclient sends: the body, and the header with the length of its JSON."""
    inputs = []
    for name, array in arrays.items():
        tensor = triton.InferInput(name, list(array.shape), TYPES.get(name, "FP32"))
        inputs.append(tensor.set_data_from_numpy(array, binary_data=binary))
    body, length = triton.InferenceServerClient.generate_request_body(inputs, **options)
    return body, None if length is None else str(length).encode()


def json_body(inputs: dict[str, Any] | None = None, **more: Any) -> bytes:
    """Right but for what is changed, by tensor."""
    tensors = {
        name: {"name": name, "datatype": TYPES[name], "shape": [2], "data": data}
        for name, data in LISTS.items()
    }
    for name, change in (inputs or {}).items():
        tensors[name] = {**tensors.get(name, {"name": name, "datatype": "FP32", "shape": [2]}), **change}
    return json.dumps({"inputs": list(tensors.values()), **more}).encode()


def refusal(body: bytes, json_bytes: bytes | None = None, most_rows: int = 10) -> Refused:
    with pytest.raises(Refused) as caught:
        TENSORS.decode(body, json_bytes, most_rows)
    json.loads(caught.value.body("r-1"))
    return caught.value


def errors(body: bytes, json_bytes: bytes | None = None) -> list[tuple[int | None, str, str]]:
    refused = refusal(body, json_bytes)
    assert (refused.status, refused.reason) == (422, "wrong-column")
    return [(it.row, it.column, it.message) for it in refused.errors]


def assert_right(columns: Columns) -> None:
    np.testing.assert_equal(
        [it.tolist() for it in columns],
        [["A", ""], [2.5, 0.0], [3.0, np.nan], [1.0, 0.0], ["in", "out"]],
    )
    assert [it.dtype for it in columns] == [object, np.float32, np.float32, np.float32, object]


@pytest.mark.parametrize("width", [1, 2])
def test_the_clients_binary_tensors_become_the_models_columns(width: int) -> None:
    arrays = {name: it.reshape(-1, 1) if width == 2 else it for name, it in ARRAYS.items()}
    request = TENSORS.decode(*client_body(dict(reversed(arrays.items())), binary=True), 2)
    assert_right(request.columns)


def test_the_clients_json_tensors_become_the_models_columns() -> None:
    arrays = {name: it[:1] for name, it in ARRAYS.items()}
    request = TENSORS.decode(*client_body(arrays, binary=False, request_id="c-7"), 2)
    assert [it.tolist() for it in request.columns] == [["A"], [2.5], [3.0], [1.0], ["in"]]
    assert request.id == "c-7"


def test_json_tensors_may_be_nested_hold_nulls_and_be_left_out() -> None:
    nested = {"shape": [2, 1], "data": [[2.5], [0]]}
    assert_right(TENSORS.decode(json_body({"how far": nested}), None, 2).columns)
    found = json.loads(json_body())
    found["inputs"] = [it for it in found["inputs"] if it["name"] not in {"line", "stops"}]
    columns = TENSORS.decode(json.dumps(found).encode(), None, 2).columns
    assert columns[0].tolist() == ["", ""]
    assert np.isnan(columns[2]).all()


def test_truth_values_may_come_as_numbers_where_the_datatype_says_so() -> None:
    body = json_body({"express": {"datatype": "FP32", "data": [1, 0.0]}})
    assert TENSORS.decode(body, None, 2).columns[3].tolist() == [1.0, 0.0]


def answer(request: Request, outputs: Any = OUTPUTS, tensors: Tensors = TENSORS) -> Any:
    body, json_bytes = tensors.encode(outputs, request, "r-1")
    return triton.InferenceServerClient.parse_response_body(body, header_length=json_bytes)


def test_the_client_reads_binary_outputs() -> None:
    result = answer(TENSORS.decode(*client_body(ARRAYS, binary=True), 2))
    assert result.as_numpy("prediction").tolist() == [b"no", b"yes"]
    assert result.as_numpy("probability").tolist() == [0.25, 0.5]


def test_only_the_outputs_asked_for_come_as_they_are_asked_for() -> None:
    outputs = [
        triton.InferRequestedOutput("probability", binary_data=True),
        triton.InferRequestedOutput("prediction", binary_data=False),
    ]
    request = TENSORS.decode(*client_body(ARRAYS, binary=True, outputs=outputs, request_id="c-7"), 2)
    result = answer(request)
    assert result.get_response() == {
        "model_name": "late-bus",
        "model_version": "1.2.0",
        "id": "c-7",
        "outputs": [
            {"name": "probability", "datatype": "FP64", "shape": [2], "parameters": {"binary_data_size": 16}},
            {"name": "prediction", "datatype": "BYTES", "shape": [2], "data": ["no", "yes"]},
        ],
    }
    assert result.as_numpy("probability").tolist() == [0.25, 0.5]
    request = TENSORS.decode(json_body(outputs=[{"name": "probability"}]), None, 2)
    body, json_bytes = TENSORS.encode(OUTPUTS, request, "r-1")
    assert json_bytes is None
    assert json.loads(body)["outputs"] == [
        {"name": "probability", "datatype": "FP64", "shape": [2], "data": [0.25, 0.5]}
    ]
    assert json.loads(body)["id"] == "r-1"


@pytest.mark.parametrize(
    ("kind", "outputs", "expected"),
    [
        (
            "multiclass",
            np.array([[0.2, 0.5, 0.3]]),
            {"prediction": [b"b"], "probabilities": [[0.2, 0.5, 0.3]]},
        ),
        ("regression", np.array([1.5]), {"prediction": [1.5]}),
    ],
)
def test_other_kinds_of_models_have_their_own_outputs(
    kind: Kind, outputs: Any, expected: dict[str, Any]
) -> None:
    tensors = Tensors(signature_of(kind), "1.2.0", rules_of(signature_of(kind), "accept"))
    arrays = {name: it[:1] for name, it in ARRAYS.items()}
    result = answer(tensors.decode(*client_body(arrays, binary=True), 2), outputs, tensors)
    assert {name: result.as_numpy(name).tolist() for name in expected} == expected
    described = tensors.metadata("onnx")["outputs"]
    assert isinstance(described, list)
    assert [it["name"] for it in described] == list(expected)


def test_the_model_is_described_by_what_the_client_may_send() -> None:
    assert TENSORS.metadata("onnx") == {
        "name": "late-bus",
        "versions": ["1.2.0"],
        "platform": "onnx_onnxv1",
        "inputs": [{"name": name, "datatype": datatype, "shape": [-1]} for name, datatype in TYPES.items()],
        "outputs": [
            {"name": "prediction", "datatype": "BYTES", "shape": [-1]},
            {"name": "probability", "datatype": "FP64", "shape": [-1]},
        ],
    }


SHAPE = "has another shape than [rows] or [rows, 1]"


@pytest.mark.parametrize(
    ("name", "change", "row", "message"),
    [
        ("how far", {"datatype": "BYTES"}, None, None),
        ("how far", {"datatype": 5}, None, None),
        ("zone", {"datatype": "FP32"}, None, "has the datatype 'FP32', expected BYTES"),
        ("express", {"datatype": "INT8"}, None, "has the datatype 'INT8', expected BOOL, FP32, FP64"),
        ("how far", {"shape": [1, 2]}, None, SHAPE),
        ("how far", {"shape": []}, None, SHAPE),
        ("how far", {"shape": [-2]}, None, SHAPE),
        ("how far", {"shape": [2.0]}, None, SHAPE),
        ("how far", {"shape": [True]}, None, SHAPE),
        ("how far", {"shape": "2"}, None, SHAPE),
        ("how far", {"data": [1.0]}, None, "has 1 values, but its shape says 2"),
        (
            "how far",
            {"data": 1.0},
            None,
            "has 1.0 for data, expected a list, or 'binary_data_size' in 'parameters'",
        ),
        ("how far", {"data": [1, "x"]}, 1, "is the text 'x', expected a number"),
        ("how far", {"data": [1, [[2]]]}, 1, "is a list, expected a number"),
        ("how far", {"data": [1, -1]}, 1, "is -1, expected at least 0"),
        (
            "how far",
            {"datatype": "INT8", "data": [1, 300]},
            1,
            "is 300, which is no number of the datatype INT8",
        ),
        ("zone", {"data": ["in", "on"]}, 1, "is 'on', which training never saw, expected one of 'in', 'out'"),
        ("distance", {"data": [1, 2]}, None, "is no column of this model"),
    ],
)
def test_a_wrong_tensor_is_refused(
    name: str, change: dict[str, Any], row: int | None, message: str | None
) -> None:
    found = errors(json_body({name: change}))
    assert [(it[0], it[1]) for it in found] == [(row, name)]
    assert message is None or found[0][2] == message


@pytest.mark.parametrize(
    ("name", "array", "row", "message"),
    [
        ("how far", np.array([1, np.inf], np.float32), 1, "is no finite number"),
        ("how far", np.array([1, np.nan], np.float32), 1, "is missing, and this column always needs a value"),
        ("how far", np.array([1, -1], np.float32), 1, "is -1, expected at least 0"),
        ("stops", np.array([1, 2.5]), 1, "is 2.5, expected a whole number"),
        ("zone", np.array(["in", ""], object), 1, "is missing, and this column always needs a value"),
        ("zone", np.array([b"in", b"\xff"], object), None, "has a text that is not UTF-8"),
    ],
)
def test_wrong_bytes_of_the_client_are_refused(name: str, array: Any, row: int | None, message: str) -> None:
    assert errors(*client_body({**ARRAYS, name: array}, binary=True)) == [(row, name, message)]


def with_bytes(name: str, datatype: str, data: bytes, size: object = None) -> tuple[bytes, bytes]:
    """JSON tensors but for one, whose bytes follow."""
    found = json.loads(json_body())
    for tensor in found["inputs"]:
        if tensor["name"] == name:
            del tensor["data"]
            tensor |= {
                "datatype": datatype,
                "parameters": {"binary_data_size": len(data) if size is None else size},
            }
    text = json.dumps(found).encode()
    return text + data, str(len(text)).encode()


@pytest.mark.parametrize(
    ("name", "datatype", "data", "message"),
    [
        ("how far", "FP32", b"\0" * 7, "has 7 bytes, expected 8 for 2 of FP32"),
        ("how far", "FP64", b"\0" * 8, "has 8 bytes, expected 16 for 2 of FP64"),
        ("express", "BOOL", b"\1\2", "has a byte that is neither 0 nor 1, which is no truth value"),
        ("zone", "BYTES", b"\2\0\0\0in", "has 6 bytes, too few for 2 texts"),
        ("zone", "BYTES", b"\2\0\0\0in\2\0", "ends within a text's length"),
        ("zone", "BYTES", b"\2\0\0\0in\xff\xff\xff\xff", "has a text of 4294967295 bytes, but 0 are left"),
        ("zone", "BYTES", b"\2\0\0\0in\2\0\0\0inx", "has 1 bytes after its last text"),
    ],
)
def test_bytes_that_do_not_fit_the_shape_are_refused(
    name: str, datatype: str, data: bytes, message: str
) -> None:
    assert errors(*with_bytes(name, datatype, data)) == [(None, name, message)]


@pytest.mark.parametrize(
    ("size", "status", "message"),
    [
        (9, 400, "tensor 'how far' is said to have 9 bytes, but 8 are left in the body"),
        (
            2**63,
            400,
            "tensor 'how far' is said to have 9223372036854775808 bytes, but 8 are left in the body",
        ),
        (7, 400, "1 bytes follow the last tensor"),
        (-1, 422, "the 'binary_data_size' of tensor 'how far' is -1, expected a number of bytes"),
        (True, 422, "the 'binary_data_size' of tensor 'how far' is true, expected a number of bytes"),
        ("8", 422, "the 'binary_data_size' of tensor 'how far' is the text '8', expected a number of bytes"),
    ],
)
def test_sizes_that_are_not_there_are_refused(size: object, status: int, message: str) -> None:
    refused = refusal(*with_bytes("how far", "FP32", b"\0" * 8, size))
    assert (refused.status, refused.message) == (status, message)


@pytest.mark.parametrize("header", [b"", b"-1", b"1e3", b"99999", b"9" * 5000, "²".encode(), b"0x10"])
def test_a_length_of_the_json_that_is_none_is_malformed(header: bytes) -> None:
    refused = refusal(json_body(), header)
    assert (refused.status, refused.reason) == (400, "malformed-body")
    assert refused.message.startswith("'Inference-Header-Content-Length' is ")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[]", "the body is a list, expected an object with 'inputs'"),
        (b"{}", "'inputs' is no list of tensors, expected one for each column"),
        (b'{"inputs":[5]}', "'inputs' has an entry that is no object with a 'name'"),
        (json_body(id=5), "'id' is 5, expected text"),
        (json_body(parameters=[]), "the 'parameters' of the request are a list, expected an object"),
        (json_body(outputs=[{"name": "probabilities"}]), None),
        (json_body(outputs=["prediction"]), None),
        (json_body(outputs=[{"name": "prediction"}] * 2), "'outputs' names an output twice"),
        (json_body(outputs=[{"name": "prediction"}] * 99), None),
        (
            json_body({"zone": {"shape": [3], "data": ["in"] * 3}}),
            "tensor 'line' has 2 rows, but 'zone' has 3",
        ),
        (json_body({"zone": {"shape": [2**64]}}), f"tensor 'line' has 2 rows, but 'zone' has {2**64}"),
        (
            json_body({"zone": {"parameters": {"shared_memory_region": "x"}}}),
            "tensor 'zone' is in shared memory, which is not offered: send it in the body",
        ),
        (
            json_body({"zone": {"parameters": {"binary_data_size": 0}}}),
            "tensor 'zone' has both 'data' and 'binary_data_size'",
        ),
    ],
)
def test_another_form_is_refused(body: bytes, message: str | None) -> None:
    refused = refusal(body)
    assert (refused.status, refused.reason) == (422, "wrong-body")
    assert message is None or refused.message == message


def test_an_enormous_shape_allocates_nothing() -> None:
    change = {"shape": [2**62], "data": []}
    refused = refusal(json_body(dict.fromkeys(LISTS, change)))
    assert (refused.status, refused.reason) == (413, "too-many-rows")


def test_columns_that_are_missing_are_all_told() -> None:
    found = json.loads(json_body())
    body = json.dumps({"inputs": found["inputs"][:1]}).encode()
    message = "is missing, and this model needs it"
    assert errors(body) == [(None, name, message) for name in ("how far", "express", "zone")]


def test_an_id_of_half_a_character_is_still_answered() -> None:
    request = TENSORS.decode(json_body(id="a\ud800"), None, 2)
    assert json.loads(TENSORS.encode(OUTPUTS, request, "r-1")[0])["id"] == "a?"


@given(data=st.data())
def test_a_request_with_other_bytes_is_read_or_refused(data: st.DataObject) -> None:
    body, header = client_body(ARRAYS, binary=True)
    changed = bytearray(body)
    places = st.integers(0, len(body) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=4)):
        changed[place] = data.draw(st.integers(0, 255))
    length = data.draw(st.just(header) | places.map(lambda it: str(it).encode()))
    try:
        request = TENSORS.decode(bytes(changed[: data.draw(st.just(len(body)) | places)]), length, 100)
    except Refused as refused:
        assert refused.status in {400, 413, 422}  # noqa: PT017 - either of two ends is right
    else:
        assert len({len(it) for it in request.columns}) == 1
