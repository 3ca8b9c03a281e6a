"""What is served predicts what the exported model predicts, bit for bit, for every form that rows come in."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import skops.io
from sklearn.tree import DecisionTreeClassifier
from tests.server.trained import Trained, train, write_sums

from lockgate import contract
from lockgate.contract import Kind
from lockgate_runtime.server.artifact import ArtifactError, load
from lockgate_runtime.server.engine import Columns, open_engine
from lockgate_runtime.server.rows import Inputs
from lockgate_runtime.server.tables import ARROW_FILE, ARROW_STREAM, PARQUET, Tables


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(tmp_path_factory.mktemp("binary") / "model")


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in frame.astype({"express": object}).to_dict("records")
    ]


def as_rows(inputs: Inputs, frame: pd.DataFrame) -> Columns:
    return inputs.columns(inputs.decode(json.dumps({"rows": records(frame)}).encode(), len(frame)))


def as_columns(inputs: Inputs, frame: pd.DataFrame) -> Columns:
    rows = records(frame)
    body = {"columns": {name: [row[name] for row in rows] for name in rows[0]}}
    return inputs.columns(inputs.decode(json.dumps(body).encode(), len(frame)))


def as_stream(inputs: Inputs, frame: pd.DataFrame) -> Columns:
    table, sink = pa.Table.from_pandas(frame), pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=77)
    return Tables(inputs.rules).decode(sink.getvalue().to_pybytes(), ARROW_STREAM, len(frame))


def as_file_of_dictionaries(inputs: Inputs, frame: pd.DataFrame) -> Columns:
    table = pa.Table.from_pandas(frame.astype({"line": "category", "zone": "category"}))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return Tables(inputs.rules).decode(sink.getvalue().to_pybytes(), ARROW_FILE, len(frame))


def as_parquet(inputs: Inputs, frame: pd.DataFrame) -> Columns:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(frame), sink, compression="zstd", row_group_size=90)
    return Tables(inputs.rules).decode(sink.getvalue().to_pybytes(), PARQUET, len(frame))


FORMS = [as_rows, as_columns, as_stream, as_file_of_dictionaries, as_parquet]


@pytest.mark.parametrize("form", FORMS, ids=lambda it: it.__name__)
def test_every_form_of_the_rows_gives_the_exported_models_outputs(
    binary: Trained, form: Callable[[Inputs, pd.DataFrame], Columns]
) -> None:
    columns = form(Inputs(binary.signature, "accept"), binary.frame)
    assert np.array_equal(open_engine(load(binary.folder, None)).run(columns), binary.expected)


@pytest.mark.parametrize("size", [1, 2, 7, 8, 32, 33, 128])
def test_a_batch_of_any_size_gives_the_same_outputs(binary: Trained, size: int) -> None:
    engine = open_engine(load(binary.folder, None))
    columns = as_rows(Inputs(binary.signature, "accept"), binary.frame)
    parts = [
        engine.run(tuple(it[at : at + size] for it in columns)) for at in range(0, len(binary.frame), size)
    ]
    assert np.array_equal(np.concatenate(parts), binary.expected)


@pytest.mark.parametrize(
    ("kind", "model_format"), [("multiclass", "onnx"), ("regression", "onnx"), ("binary", "skops")]
)
def test_other_models_give_the_exported_models_outputs(tmp_path: Path, kind: Kind, model_format: str) -> None:
    trained = train(tmp_path / "model", kind, model_format)
    columns = as_rows(Inputs(trained.signature, "accept"), trained.frame)
    assert np.array_equal(open_engine(load(trained.folder, None)).run(columns), trained.expected)


def test_a_type_that_nobody_vouches_for_needs_trust(tmp_path: Path) -> None:
    folder = train(tmp_path / "model", "binary", "skops").folder
    tree = DecisionTreeClassifier(max_depth=1).fit(np.zeros((4, 5)), [0, 1, 0, 1])
    (folder / contract.SKOPS_MODEL).write_bytes(skops.io.dumps(tree))
    write_sums(folder)
    with pytest.raises(ArtifactError) as caught:
        open_engine(load(folder, None))
    assert (
        caught.value.message == "the skops file holds types that are not trusted: 'sklearn.tree._tree.Tree'"
    )
    assert caught.value.help.endswith("pass --trust sklearn.tree._tree.Tree")
    open_engine(load(folder, None), ["sklearn.tree._tree.Tree"])


class Evil:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.mkdir, (self.mark,)


@pytest.mark.parametrize("name", ["model.onnx", "model.skops"])
def test_a_pickle_is_refused_and_not_run(tmp_path: Path, name: str) -> None:
    folder = train(tmp_path / "model", "binary", "skops" if name == "model.skops" else "onnx").folder
    (folder / name).write_bytes(pickle.dumps(Evil(tmp_path / "ran")))
    write_sums(folder)
    with pytest.raises(ArtifactError, match=r"refuses the model|cannot be loaded"):
        open_engine(load(folder, None))
    assert not (tmp_path / "ran").exists()


def test_a_model_whose_inputs_are_not_the_signatures_is_refused(tmp_path: Path) -> None:
    folder = train(tmp_path / "model").folder
    path = folder / contract.SIGNATURE
    path.write_text(path.read_text().replace('"type": "boolean"', '"type": "category"'))
    write_sums(folder)
    with pytest.raises(ArtifactError, match="takes 5 inputs that are not the 5 of its signature"):
        open_engine(load(folder, None))


def test_serving_an_onnx_model_imports_no_pickle_of_models_and_no_data_science(binary: Trained) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from lockgate_runtime.server.artifact import load\n"
        "from lockgate_runtime.server.engine import open_engine\n"
        "from lockgate_runtime.server import rows, tables, tensors, answers\n"
        "open_engine(load(Path(sys.argv[1]), None))\n"
        "print(sorted({'joblib', 'sklearn', 'pandas', 'pyarrow', 'skops', 'scipy'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(binary.folder)], capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"
