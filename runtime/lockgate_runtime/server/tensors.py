"""The Open Inference Protocol: a request of tensors, one a column, → the model's columns; and its outputs → the answer.

Tensors are in the JSON, or behind it as bytes (the binary tensor data extension). Nothing that a request claims of its
sizes is believed before it is held against the bytes that are there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from lockgate_runtime.server.answers import labels_of
from lockgate_runtime.server.columns import (
    Rule,
    column_error,
    fault,
    guess,
    missing_column,
    number_column,
    text_column,
    unknown_column,
)
from lockgate_runtime.server.json_documents import kind_of, parse
from lockgate_runtime.server.refused import (
    MOST_ERRORS,
    ColumnError,
    malformed,
    no_number,
    printable,
    quoted,
    too_many_rows,
    wrong_body,
    wrong_columns,
)
from lockgate_runtime.server.tensor_bytes import (
    NUMBERS,
    WrongBytes,
    numbers_from,
    texts_from,
    texts_to,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lockgate.contract import Signature
    from lockgate_runtime.server.engine import Columns, Outputs

EXTENSIONS = ("binary_tensor_data",)
_MOST_DIGITS = 19
_ALLOWED: Mapping[str, frozenset[str]] = {
    "number": frozenset(NUMBERS) - {"BOOL"},
    "integer": frozenset(NUMBERS) - {"BOOL"},
    "boolean": frozenset({"BOOL", "FP32", "FP64"}),
    "category": frozenset({"BYTES"}),
}
# What has a missing value needs a type that has one.
_SHOWN = {"number": "FP32", "integer": "INT64", "boolean": "BOOL", "category": "BYTES"}
_SHOWN_NULLABLE = {**_SHOWN, "integer": "FP64", "boolean": "FP32"}
_PLATFORMS = {"onnx": "onnx_onnxv1", "skops": "sklearn_skops"}


class Wanted(NamedTuple):
    """An output that the answer is to have."""

    name: str
    binary: bool


class Request(NamedTuple):
    """`id` is the caller's own, None where none is given."""

    columns: Columns
    wanted: tuple[Wanted, ...]
    id: str | None


class _Tensor(NamedTuple):
    """An input as it was described; `data` is JSON's list, or else the bytes."""

    rule: Rule
    datatype: str
    rows: int
    data: list[Any] | memoryview


class Tensors:
    """Of one model in one version; `rules` are in the order of the signature's inputs."""

    def __init__(self, signature: Signature, version: str, rules: Sequence[Rule]) -> None:
        self._signature, self._version = signature, version
        self._rules = {rule.name: rule for rule in rules}
        self._shapes = _output_shapes(signature)

    def metadata(self, model_format: str) -> dict[str, object]:
        """The protocol's description of the model."""
        return {
            "name": self._signature["model"],
            "versions": [self._version],
            "platform": _PLATFORMS[model_format],
            "inputs": [
                {"name": it.name, "datatype": _datatype(it), "shape": [-1]} for it in self._rules.values()
            ],
            "outputs": [
                {"name": name, "datatype": datatype, "shape": list(shape)}
                for name, (datatype, shape) in self._shapes.items()
            ],
        }

    def decode(self, body: bytes, json_bytes: bytes | None, most_rows: int) -> Request:
        """`json_bytes` is the header `Inference-Header-Content-Length` as it came, if it came. Raises `Refused`."""
        length = _json_length(json_bytes, len(body))
        found = parse(body[:length])
        if not isinstance(found, dict):
            raise wrong_body(f"the body is {kind_of(found)}, expected an object with 'inputs'")
        wanted = self._wanted(found)
        tensors = self._tensors(found.get("inputs"), memoryview(body)[length:], most_rows)
        return Request(self._columns(tensors), wanted, _id(found.get("id")))

    def encode(self, outputs: Outputs, request: Request, request_id: str) -> tuple[bytes, int | None]:
        """The answer's body, and the length of its JSON where bytes follow it. Raises `Refused` for NaN."""
        finite = np.isfinite(outputs).reshape(len(outputs), -1).all(axis=1)
        if not finite.all():
            raise no_number(int(finite.argmin()))
        described, binaries = [], []
        for wanted in request.wanted:
            datatype, shape = self._shapes[wanted.name]
            tensor = {"name": wanted.name, "datatype": datatype, "shape": [len(outputs), *shape[1:]]}
            values = self._values(wanted.name, outputs)
            if wanted.binary:
                data = texts_to(values) if datatype == "BYTES" else np.asarray(values, "<f8").tobytes()
                binaries.append(data)
                described.append({**tensor, "parameters": {"binary_data_size": len(data)}})
            else:
                flat = values if isinstance(values, list) else values.ravel().tolist()
                described.append({**tensor, "data": flat})
        head = {
            "model_name": self._signature["model"],
            "model_version": self._version,
            "id": request_id if request.id is None else request.id,
            "outputs": described,
        }
        text = msgspec.json.encode(head)
        return b"".join((text, *binaries)), len(text) if binaries else None

    def _values(self, name: str, outputs: Outputs) -> Any:  # noqa: ANN401 - texts, or an array
        if name == "probability":
            return outputs[:, 1]
        if name == "probabilities" or self._signature["kind"] == "regression":
            return outputs
        return labels_of(outputs, self._signature)

    def _wanted(self, request: Mapping[str, Any]) -> tuple[Wanted, ...]:
        """All outputs where none is named."""
        all_binary = _parameters(request).get("binary_data_output") is True
        outputs = request.get("outputs")
        if outputs is None or outputs == []:
            return tuple(Wanted(name, all_binary) for name in self._shapes)
        if not isinstance(outputs, list) or len(outputs) > len(self._shapes):
            raise wrong_body(
                f"'outputs' is no list of at most {len(self._shapes)} objects, one for each output"
            )
        found = tuple(self._wanted_one(output, all_binary) for output in outputs)
        if len({it.name for it in found}) < len(found):
            raise wrong_body("'outputs' names an output twice")
        return found

    def _wanted_one(self, output: object, all_binary: bool) -> Wanted:  # noqa: FBT001 - handed on
        name = output.get("name") if isinstance(output, dict) else None
        if not isinstance(output, dict) or not isinstance(name, str) or name not in self._shapes:
            given = f"names {quoted(name)}" if isinstance(name, str) else "has an entry without a name"
            close = guess(name, self._shapes) if isinstance(name, str) else ""
            raise wrong_body(f"'outputs' {given}, expected {' or '.join(map(quoted, self._shapes))}{close}")
        binary = _parameters(output).get("binary_data", all_binary)
        return Wanted(name, binary is True)

    def _tensors(self, inputs: object, rest: memoryview, most_rows: int) -> dict[str, _Tensor]:
        if not isinstance(inputs, list) or not inputs:
            raise wrong_body("'inputs' is no list of tensors, expected one for each column")
        errors: list[ColumnError] = []
        found: dict[str, _Tensor] = {}
        at = 0
        for described in inputs:
            name = described.get("name") if isinstance(described, dict) else None
            if not isinstance(name, str):
                raise wrong_body("'inputs' has an entry that is no object with a 'name'")
            if name in found:
                raise wrong_body(f"'inputs' has the tensor {quoted(name)} twice")
            size = _binary_size(described, len(rest) - at)
            data = described.get("data") if size is None else rest[at : at + size]
            at += size or 0
            if name not in self._rules:
                errors.append(unknown_column(name, tuple(self._rules.values())))
            elif len(errors) < MOST_ERRORS:
                self._add(found, described, data, errors)
            if len(errors) >= MOST_ERRORS:
                raise wrong_columns(errors)
        if at != len(rest):
            raise malformed(f"{len(rest) - at} bytes follow the last tensor")
        named = {it["name"] for it in inputs}
        errors.extend(
            missing_column(rule)
            for rule in self._rules.values()
            if not rule.nullable and rule.name not in named
        )
        if errors:
            raise wrong_columns(errors)
        _refuse_lengths(found, most_rows)
        return found

    def _add(
        self,
        found: dict[str, _Tensor],
        described: Mapping[str, Any],
        data: object,
        errors: list[ColumnError],
    ) -> None:
        rule = self._rules[described["name"]]
        datatype, rows = described.get("datatype"), _rows(described.get("shape"))
        if not isinstance(datatype, str) or datatype not in _ALLOWED[rule.type]:
            given = quoted(datatype) if isinstance(datatype, str) else "no text"
            expected = ", ".join(sorted(_ALLOWED[rule.type]))
            errors.append(ColumnError(None, rule.name, f"has the datatype {given}, expected {expected}"))
        elif rows is None:
            errors.append(ColumnError(None, rule.name, "has another shape than [rows] or [rows, 1]"))
        elif not isinstance(data, list | memoryview):
            message = f"has {kind_of(data)} for data, expected a list, or 'binary_data_size' in 'parameters'"
            errors.append(ColumnError(None, rule.name, message))
        else:
            found[rule.name] = _Tensor(rule, datatype, rows, data)

    def _columns(self, tensors: Mapping[str, _Tensor]) -> Columns:
        count = next(iter(tensors.values())).rows
        errors: list[ColumnError] = []
        columns: list[Any] = []
        for rule in self._rules.values():
            tensor = tensors.get(rule.name)
            columns.append(_missing(rule, count) if tensor is None else _column(tensor, errors))
            if len(errors) >= MOST_ERRORS:
                break
        if errors:
            raise wrong_columns(errors)
        return tuple(columns)


def _output_shapes(signature: Signature) -> dict[str, tuple[str, tuple[int, ...]]]:
    if signature["kind"] == "regression":
        return {"prediction": ("FP64", (-1,))}
    if signature["kind"] == "binary":
        return {"prediction": ("BYTES", (-1,)), "probability": ("FP64", (-1,))}
    return {"prediction": ("BYTES", (-1,)), "probabilities": ("FP64", (-1, len(signature["classes"])))}


def _datatype(rule: Rule) -> str:
    return (_SHOWN_NULLABLE if rule.nullable else _SHOWN)[rule.type]


def _json_length(header: bytes | None, body_bytes: int) -> int:
    if header is None:
        return body_bytes
    text = header.strip()
    if not text.isdigit() or len(text) > _MOST_DIGITS or int(text) > body_bytes:
        raise malformed(
            f"'Inference-Header-Content-Length' is {quoted(header.decode('latin-1'))}, expected the length of the "
            f"JSON in a body of {body_bytes} bytes"
        )
    return int(text)


def _id(found: object) -> str | None:
    if found is None:
        return None
    if not isinstance(found, str):
        raise wrong_body(f"'id' is {kind_of(found)}, expected text")
    # JSON may hold halves of characters, which no answer can.
    return found.encode(errors="replace").decode()


def _parameters(described: Mapping[str, Any]) -> Mapping[str, Any]:
    parameters = described.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise wrong_body(
            f"the 'parameters' of {_name(described)} are {kind_of(parameters)}, expected an object"
        )
    if "shared_memory_region" in parameters:
        raise wrong_body(f"{_name(described)} is in shared memory, which is not offered: send it in the body")
    return parameters


def _binary_size(described: Mapping[str, Any], room: int) -> int | None:
    size = _parameters(described).get("binary_data_size")
    if size is None:
        return None
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise wrong_body(
            f"the 'binary_data_size' of {_name(described)} is {kind_of(size)}, expected a number of bytes"
        )
    if "data" in described:
        raise wrong_body(f"{_name(described)} has both 'data' and 'binary_data_size'")
    if size > room:
        raise malformed(
            f"{_name(described)} is said to have {printable(str(size))} bytes, but {room} are left in the body"
        )
    return size


def _name(described: Mapping[str, Any]) -> str:
    name = described.get("name")
    return f"tensor {quoted(name)}" if isinstance(name, str) else "the request"


def _rows(shape: object) -> int | None:
    """None where the shape is no column's."""
    if not isinstance(shape, list) or len(shape) not in {1, 2} or (len(shape) == 2 and shape[1] != 1):
        return None
    rows = shape[0]
    is_count = isinstance(rows, int) and not isinstance(rows, bool) and rows > 0 and shape[-1] is not True
    return rows if is_count else None


def _refuse_lengths(tensors: Mapping[str, _Tensor], most_rows: int) -> None:
    counts: dict[int, str] = {}
    for it in tensors.values():
        counts.setdefault(it.rows, it.rule.name)
    if not counts:
        raise wrong_body("'inputs' has no tensor that is a column of this model")
    if len(counts) > 1:
        (one, first), (other, second) = list(counts.items())[:2]
        raise wrong_body(
            f"tensor {quoted(first)} has {printable(str(one))} rows, but {quoted(second)} has {printable(str(other))}"
        )
    count = next(iter(counts))
    if count > most_rows:
        raise too_many_rows(count, most_rows)


def _missing(rule: Rule, count: int) -> NDArray[Any]:
    return np.full(count, "", object) if rule.type == "category" else np.full(count, np.nan, np.float32)


def _column(tensor: _Tensor, errors: list[ColumnError]) -> NDArray[Any]:
    rule = tensor.rule
    if isinstance(tensor.data, list):
        return _listed(tensor, tensor.data, errors)
    try:
        if tensor.datatype == "BYTES":
            return text_column(rule, texts_from(tensor.data, tensor.rows), errors)
        return number_column(rule, numbers_from(tensor.data, tensor.datatype, tensor.rows), errors)
    except WrongBytes as error:
        errors.append(ColumnError(None, rule.name, str(error)))
        return _missing(rule, 0)


def _listed(tensor: _Tensor, data: list[Any], errors: list[ColumnError]) -> NDArray[Any]:
    rule = tensor.rule
    values = [it[0] if isinstance(it, list) and len(it) == 1 else it for it in data]
    if len(values) != tensor.rows:
        errors.append(
            ColumnError(None, rule.name, f"has {len(values)} values, but its shape says {tensor.rows}")
        )
        return _missing(rule, 0)
    if rule.type == "boolean" and tensor.datatype != "BOOL":
        values = [bool(it) if isinstance(it, int | float) and it in {0, 1} else it for it in values]
    for row, value in enumerate(values):
        message = fault(rule, value) or within(tensor.datatype, value)
        if message is not None:
            errors.append(column_error(row, rule, value, message))
            if len(errors) >= MOST_ERRORS:
                break
    if errors:
        return _missing(rule, 0)
    if rule.type == "category":
        return text_column(rule, values, errors)
    return np.fromiter(values, np.float32, len(values))
