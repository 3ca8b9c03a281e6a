"""Exported models that behave, fail, dawdle or talk nonsense, and rows to ask them with. Nothing is trained."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
from onnx import NodeProto, TensorProto, helper, numpy_helper

from lockgate.contract import ONNX_MODEL, REFERENCE, SHA256SUMS, SIGNATURE, Histogram, Reference, Signature
from lockgate.contract.sums import sums_of

MODEL = "delay"
_SIGNATURE = Signature(
    model=MODEL,
    kind="binary",
    target="late",
    inputs=[
        {"name": "distance", "type": "number", "nullable": True},
        {"name": "carrier", "type": "category", "nullable": False, "values": ["AA", "UA"]},
    ],
    classes=["no", "yes"],
    positive="yes",
    threshold=0.5,
)
_REFERENCE = Reference(
    rows=100,
    features={
        "distance": Histogram(edges=[0.5], counts=[50, 50, 0]),
        "carrier": Histogram(values=["AA", "UA"], counts=[50, 50, 0, 0]),
    },
    predictions=Histogram(edges=[0.25, 0.5, 0.75], counts=[25, 25, 25, 25, 0]),
)
_MATRIX_ORDER = 1000


def good_model(folder: Path) -> Path:
    """The farther, the later: its probability is the distance, which is between 0 and 1."""
    return _write(folder, [_node("Identity", ["known"], "likely")])


def contrary_model(folder: Path) -> Path:
    """Sure of everything that the good one doubts."""
    return _write(folder, [_node("Mul", ["known", "small"], "likely")])


def failing_model(folder: Path) -> Path:
    """Looks up what is not there for the farthest tenth of the rows."""
    return _write(
        folder,
        [
            _node("Mul", ["known", "almost_one"], "scaled"),
            _node("Floor", ["scaled"], "beyond"),
            _node("Cast", ["beyond"], "index", to=TensorProto.INT64),
            _node("Gather", ["table", "index"], "looked_up"),
            _node("Mul", ["looked_up", "known"], "likely"),
        ],
    )


def slow_model(folder: Path) -> Path:
    """Multiplies large matrices for every batch: six thousand million operations."""
    return _write(
        folder,
        [
            _node("ReduceSum", ["known"], "total", keepdims=0),
            _node("Expand", ["total", "shape"], "matrix"),
            _node("MatMul", ["matrix", "matrix"], "product"),
            _node("MatMul", ["product", "matrix"], "more"),
            _node("MatMul", ["more", "matrix"], "most"),
            _node("ReduceMin", ["most"], "least", keepdims=0),
            _node("Mul", ["least", "zero"], "nothing"),
            _node("Add", ["known", "nothing"], "likely"),
        ],
    )


def write_rows(path: Path) -> Path:
    """A thousand rows, with columns besides that no model takes."""
    chance = random.Random(1)
    rows = [
        {"late": "yes", "distance": chance.random(), "carrier": chance.choice(["AA", "UA"])}
        for _ in range(1000)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def _write(folder: Path, likely: Sequence[NodeProto]) -> Path:
    folder.mkdir(parents=True)
    files = {
        ONNX_MODEL: _onnx(likely),
        SIGNATURE: json.dumps(_SIGNATURE).encode(),
        REFERENCE: json.dumps(_REFERENCE).encode(),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    sums = sums_of({name: hashlib.sha256(data).hexdigest() for name, data in files.items()})
    (folder / SHA256SUMS).write_bytes(sums)
    return folder


def _onnx(likely: Sequence[NodeProto]) -> bytes:
    """From `known`, the distance or 0 where it is missing, the nodes make `likely`."""
    kinds = (TensorProto.FLOAT, TensorProto.STRING)
    inputs = [helper.make_tensor_value_info(f"x{i}", kind, [None, 1]) for i, kind in enumerate(kinds)]
    nodes = [
        _node("IsNaN", ["x0"], "missing"),
        _node("Where", ["missing", "zero", "x0"], "known"),
        *likely,
        _node("Sub", ["one", "likely"], "unlikely"),
        _node("Concat", ["unlikely", "likely"], "probabilities", axis=1),
    ]
    numbers = {"zero": 0.0, "one": 1.0, "small": 0.01, "almost_one": 1 / 0.9}
    constants = [
        *(numpy_helper.from_array(np.array(value, np.float32), name) for name, value in numbers.items()),
        numpy_helper.from_array(np.ones(1, np.float32), "table"),
        numpy_helper.from_array(np.array([_MATRIX_ORDER, _MATRIX_ORDER]), "shape"),
    ]
    outputs = [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])]
    graph = helper.make_graph(nodes, "model", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _node(operation: str, inputs: Sequence[str], output: str, **attributes: int) -> NodeProto:
    node = helper.make_node(operation, inputs, [output])
    node.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())
    return node
