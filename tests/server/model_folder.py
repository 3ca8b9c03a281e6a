"""Exported models made without training, and the real server on them in a process of its own."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from lockgate.contract import ONNX_MODEL, REFERENCE, SHA256SUMS, SIGNATURE, Reference, Signature
from lockgate.contract.sums import sums_of

_READY = re.compile(r"serving \S+ \S+ at (\S+) \(")
_PATIENCE_SECONDS = 20


def write_folder(folder: Path, signature: Signature, reference: Reference) -> Path:
    """A model of two classes: the greater its first number, the likelier the second."""
    folder.mkdir(parents=True)
    files = {
        ONNX_MODEL: _logistic(signature),
        SIGNATURE: json.dumps(signature).encode(),
        REFERENCE: json.dumps(reference).encode(),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    sums = sums_of({name: hashlib.sha256(data).hexdigest() for name, data in files.items()})
    (folder / SHA256SUMS).write_bytes(sums)
    return folder


def _logistic(signature: Signature) -> bytes:
    kinds = {"category": TensorProto.STRING}
    inputs = [
        helper.make_tensor_value_info(f"x{place}", kinds.get(it["type"], TensorProto.FLOAT), [None, 1])
        for place, it in enumerate(signature["inputs"])
    ]
    first = next(place for place, it in enumerate(signature["inputs"]) if it["type"] != "category")
    nodes = [
        helper.make_node("IsNaN", [f"x{first}"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", f"x{first}"], ["known"]),
        helper.make_node("Mul", ["known", "slope"], ["score"]),
        helper.make_node("Sigmoid", ["score"], ["likely"]),
        helper.make_node("Sub", ["one", "likely"], ["unlikely"]),
        helper.make_node("Concat", ["unlikely", "likely"], ["probabilities"], axis=1),
    ]
    numbers = {"zero": 0.0, "one": 1.0, "slope": 0.001}
    constants = [
        numpy_helper.from_array(np.array(value, np.float32), name) for name, value in numbers.items()
    ]
    outputs = [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])]
    graph = helper.make_graph(nodes, "logistic", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@contextmanager
def served(folder: Path, *options: str) -> Iterator[str]:
    """The address of a server at a free port, such as `http://127.0.0.1:40123/`."""
    command = [sys.executable, "-m", "lockgate_runtime", "serve", "--model", str(folder), "--port", "0"]
    with subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None, "the output is read"
        assert server.stderr is not None, "complaints are read"
        try:
            found = _READY.match(server.stdout.readline())
            if found is None:
                raise AssertionError(server.stderr.read())
            yield found[1]
        finally:
            server.send_signal(2)
            try:
                server.communicate(timeout=_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
