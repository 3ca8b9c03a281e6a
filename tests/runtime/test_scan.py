"""Files as an attacker would place them, made with the real libraries; no code in them may run."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnx
import pytest
import skops.io
from onnx import TensorProto, helper
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from tests.runtime.stage_runs import artifact, artifact_json, run_stage

from lockgate import contract
from lockgate.contract.sums import sums_of
from lockgate.spec.model import Model, Spec
from lockgate_runtime.stages import skops_model
from lockgate_runtime.stages.files import file_sha256
from lockgate_runtime.stages.scan import scan_directory


class Evil:
    """Unpickled, it makes a folder."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


def onnx_bytes(domain: str = "", *, external: bool = False) -> bytes:
    """Adds a constant to its input."""
    weight = helper.make_tensor("weight", TensorProto.FLOAT, [1], [1.0])
    if external:
        weight.ClearField("float_data")
        weight.data_location = TensorProto.EXTERNAL
        weight.external_data.add(key="location", value="../../../etc/passwd")
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "weight"], ["y"], domain=domain)],
        "model",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
        [weight],
    )
    opsets = [helper.make_opsetid("", 17)]
    if domain:
        opsets.append(helper.make_opsetid(domain, 1))
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return bytes(model.SerializeToString())


def skops_bytes(estimator: object = None) -> bytes:
    fitted = estimator or LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    return skops_model.dumps(fitted)


def zip_bytes(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def directory_of(tmp_path: Path, **files: bytes) -> Path:
    """A model's directory; `model_onnx=…` becomes `model.onnx`."""
    directory = tmp_path / "model"
    directory.mkdir()
    for name in ("signature.json", "reference.json"):
        (directory / name).write_text("{}")
    for name, data in files.items():
        (directory / name.replace("_", ".")).write_bytes(data)
    write_sums(directory)
    return directory


def write_sums(directory: Path) -> None:
    """The hashes of the model's files as they are now."""
    paths = [path for path in directory.iterdir() if path.is_file() and path.name != contract.SHA256SUMS]
    sums = sums_of({path.name: file_sha256(path) for path in paths})
    (directory / contract.SHA256SUMS).write_bytes(sums)


def findings(directory: Path, *trusted: str) -> dict[str, list[str]]:
    scan = scan_directory(directory, trusted)
    assert scan["passed"] == (not any(file["findings"] for file in scan["files"]))
    return {file["path"]: file["findings"] for file in scan["files"] if file["findings"]}


@pytest.mark.parametrize(
    "file", [{"model_onnx": onnx_bytes()}, {"model_skops": skops_bytes()}], ids=["onnx", "skops"]
)
def test_an_honest_model_passes(tmp_path: Path, file: dict[str, bytes]) -> None:
    assert findings(directory_of(tmp_path, **file)) == {}


@pytest.mark.parametrize("name", ["model_onnx", "model_skops", "signature_json"])
@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_is_known_under_any_name_and_never_run(tmp_path: Path, name: str, protocol: int) -> None:
    mark = tmp_path / "ran"
    files = {"model_onnx": onnx_bytes(), name: pickle.dumps(Evil(mark), protocol=protocol)}
    if name == "model_skops":
        del files["model_onnx"]
    file = name.replace("_", ".")
    expected = {"onnx": "onnx", "skops": "skops", "json": "json"}[file.partition(".")[2]]
    assert findings(directory_of(tmp_path, **files)) == {file: [f"holds a pickle, expected {expected}"]}
    assert not mark.exists()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x7fELF\x02\x01\x01", "an ELF program"),
        (b"\x89HDF\r\n\x1a\n", "HDF5 (Keras)"),
        (b"#!/bin/sh\n", "a script"),
        (zip_bytes({"archive/data.pkl": b"x"}), "a PyTorch file, which holds a pickle"),
        (zip_bytes({"config.json": b"{}", "model.weights.h5": b""}), "a Keras file, which may hold code"),
        (zip_bytes({"a.txt": b"x"}), "a zip"),
        (b"PK\x03\x04 broken", "a broken zip"),
        (skops_bytes(), "skops"),
        (b"{}", "json"),
        (b"", "nothing"),
        (b"\xff\xff\xff", "an unknown format"),
    ],
)
def test_what_is_no_onnx_is_called_by_its_name(tmp_path: Path, data: bytes, kind: str) -> None:
    directory = directory_of(tmp_path, model_onnx=data)
    assert findings(directory) == {"model.onnx": [f"holds {kind}, expected onnx"]}


@pytest.mark.parametrize("compress", [0, 3, ("zlib", 9), ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)])
def test_a_joblib_file_is_refused_however_compressed(tmp_path: Path, compress: int | tuple[str, int]) -> None:
    buffer = io.BytesIO()
    joblib.dump(Evil(tmp_path / "ran"), buffer, compress=compress)
    found = findings(directory_of(tmp_path, model_onnx=buffer.getvalue()))
    assert found["model.onnx"][0].endswith("expected onnx")
    assert not (tmp_path / "ran").exists()


def test_data_outside_of_an_onnx_model_is_refused(tmp_path: Path) -> None:
    directory = directory_of(tmp_path, model_onnx=onnx_bytes(external=True))
    expected = "tensor 'weight' lies in another file, expected all data inside the model"
    assert findings(directory) == {"model.onnx": [expected]}


def test_operators_of_other_domains_are_refused(tmp_path: Path) -> None:
    directory = directory_of(tmp_path, model_onnx=onnx_bytes(domain="evil.ops"))
    expected = "uses operators of the domain 'evil.ops', expected those of ONNX itself"
    assert findings(directory) == {"model.onnx": [expected]}


def test_operators_deep_in_branches_are_seen(tmp_path: Path) -> None:
    inner = helper.make_graph([helper.make_node("Run", [], ["z"], domain="evil.ops")], "inner", [], [])
    for depth in range(30):
        inner = helper.make_graph(
            [helper.make_node("If", ["c"], ["z"], then_branch=inner)], f"g{depth}", [], []
        )
    data = helper.make_model(inner).SerializeToString()
    found = findings(directory_of(tmp_path, model_onnx=data))["model.onnx"]
    assert found == ["uses operators of the domain 'evil.ops', expected those of ONNX itself"]


def test_an_onnx_model_that_its_checker_refuses_is_refused(tmp_path: Path) -> None:
    model = onnx.load_model_from_string(onnx_bytes())
    model.graph.node[0].op_type = "NoSuchOperator"
    found = findings(directory_of(tmp_path, model_onnx=model.SerializeToString()))["model.onnx"]
    assert len(found) == 1
    assert found[0].startswith("is not a valid model: ")


@pytest.mark.parametrize("name", ["../../evil.npy", "/etc/cron.d/x", "1.npz", "code.py", "..\\evil.npy"])
def test_a_skops_file_holds_nothing_but_schema_and_arrays(tmp_path: Path, name: str) -> None:
    buffer = io.BytesIO(skops_bytes())
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(name, b"x")
    found = findings(directory_of(tmp_path, model_skops=buffer.getvalue()))["model.skops"]
    assert found == [f"holds '{name}', expected 'schema.json' and '0.npy', '1.npy', …"]


def test_a_type_outside_of_the_list_is_named(tmp_path: Path) -> None:
    tree = DecisionTreeClassifier(max_depth=1).fit([[0.0], [1.0]], [0, 1])
    directory = directory_of(tmp_path, model_skops=skops_bytes(tree))
    expected = "holds the type 'sklearn.tree._tree.Tree', which 'export.trusted' does not name"
    assert findings(directory) == {"model.skops": [expected]}
    assert findings(directory, "sklearn.tree._tree.Tree") == {}


def test_a_call_hidden_in_a_skops_file_is_named(tmp_path: Path) -> None:
    data = skops.io.dumps({"call": os.mkdir})
    found = findings(directory_of(tmp_path, model_skops=data))["model.skops"]
    assert found == ["holds the type 'posix.mkdir', which 'export.trusted' does not name"]


def test_an_array_of_objects_in_a_skops_file_is_a_pickle(tmp_path: Path) -> None:
    array = io.BytesIO()
    np.save(array, np.array([Evil(tmp_path / "ran")], dtype=object), allow_pickle=True)
    data = zip_bytes({"0.npy": array.getvalue(), "schema.json": b"{}"})
    found = findings(directory_of(tmp_path, model_skops=data))["model.skops"]
    assert found == ["'0.npy' is an array of Python objects, which is a pickle"]
    assert not (tmp_path / "ran").exists()


def test_a_compressed_skops_file_is_refused(tmp_path: Path) -> None:
    data = skops.io.dumps([1], compression=zipfile.ZIP_DEFLATED)
    found = findings(directory_of(tmp_path, model_skops=data))["model.skops"]
    assert found == ["'schema.json' is compressed or encrypted, expected stored as it is"]


@pytest.mark.parametrize("schema", [b"", b"[]", b"{}", b'{"__loader__": "NoSuchNode"}', b"[" * 100_000])
def test_a_schema_that_cannot_be_judged_is_refused(tmp_path: Path, schema: bytes) -> None:
    found = findings(directory_of(tmp_path, model_skops=zip_bytes({"schema.json": schema})))["model.skops"]
    assert found[0].startswith("could not be judged: ")


@pytest.mark.parametrize(
    ("text", "finding"), [("[1]", "holds a JSON list, expected an object"), ("{", "holds")]
)
def test_json_that_is_no_object_is_refused(tmp_path: Path, text: str, finding: str) -> None:
    directory = directory_of(tmp_path, model_onnx=onnx_bytes())
    (directory / "signature.json").write_text(text)
    write_sums(directory)
    assert findings(directory)["signature.json"][0].startswith(finding)


def test_links_folders_and_other_names_are_refused(tmp_path: Path) -> None:
    directory = directory_of(tmp_path, model_onnx=onnx_bytes())
    (directory / "reference.json").unlink()
    (directory / "reference.json").symlink_to("/etc/passwd")
    (directory / "sub").mkdir()
    (directory / "readme.txt").write_text("hello")
    os.mkfifo(directory / "pipe")
    link = "is a symbolic link, which could point anywhere; have DVC copy or hard-link: dvc config cache.type copy"
    names = "SHA256SUMS, model.onnx, model.skops, reference.json, signature.json"
    assert findings(directory) == {
        "pipe": ["is a special file; expected plain files only"],
        "readme.txt": [f"is not a file of an exported model; those are {names}"],
        "reference.json": [link],
        "sub": ["is a directory; expected plain files only"],
    }


def test_a_model_that_is_missing_is_a_finding(tmp_path: Path) -> None:
    assert findings(directory_of(tmp_path)) == {"model.onnx": ["there is no model: run the stage 'export'"]}
    assert findings(tmp_path / "absent") == {"absent": ["is not a directory: run the stage 'export'"]}


def test_a_list_of_hashes_that_is_not_true_is_refused(tmp_path: Path) -> None:
    directory = directory_of(tmp_path, model_onnx=onnx_bytes())
    sums = (directory / contract.SHA256SUMS).read_text()
    (directory / contract.SHA256SUMS).write_text(f"{'0' * 64}  extra.json\n{sums.splitlines()[1]}\n")
    (directory / "reference.json").write_text("{ }")
    assert findings(directory) == {
        "SHA256SUMS": [
            "lists 'extra.json', which is not there",
            "does not list 'model.onnx'",
            "lists 'reference.json' with 44136fa355b3…, but the file has 257c1be96ae6…",
            "does not list 'signature.json'",
        ]
    }


@pytest.mark.parametrize(("text", "kind"), [("", "nothing"), ("abc  model.onnx\n", "an unknown format")])
def test_a_list_of_hashes_that_is_none_is_refused(tmp_path: Path, text: str, kind: str) -> None:
    directory = directory_of(tmp_path, model_onnx=onnx_bytes())
    (directory / contract.SHA256SUMS).write_text(text)
    assert findings(directory) == {"SHA256SUMS": [f"holds {kind}, expected checksums"]}


def test_a_list_of_hashes_that_is_missing_is_a_finding(tmp_path: Path) -> None:
    directory = directory_of(tmp_path, model_onnx=onnx_bytes())
    (directory / contract.SHA256SUMS).unlink()
    assert findings(directory) == {"SHA256SUMS": ["is missing: run the stage 'export'"]}


def test_two_models_are_one_too_many(tmp_path: Path) -> None:
    directory = directory_of(tmp_path, model_onnx=onnx_bytes(), model_skops=skops_bytes())
    assert findings(directory) == {"model": ["expected one model, found model.onnx and model.skops"]}


def test_the_stage_writes_what_it_found_and_succeeds(
    tmp_path: Path, make_model: Callable[..., Model], make_spec: Callable[[Model], Spec]
) -> None:
    model = make_model()
    directory = artifact(model, tmp_path, contract.MODEL_DIRECTORY)
    directory.parent.mkdir(parents=True)
    directory_of(directory.parent, model_onnx=pickle.dumps(Evil(tmp_path / "ran")))
    assert run_stage("scan", make_spec(model), model, tmp_path) == "4 files, refused for 1 findings"
    scan = artifact_json(model, tmp_path, contract.SCAN)
    assert scan["passed"] is False
    assert json.dumps(scan).count("holds a pickle, expected onnx") == 1
