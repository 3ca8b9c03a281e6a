"""A model that takes whole rows answers as the exported one does, to the last bit, or is not used."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from tests.server.trained import INPUTS, Trained, train

from lockgate import contract
from lockgate.contract import Feature, Kind
from lockgate_runtime.server.artifact import load
from lockgate_runtime.server.engine import Columns, Engine, OnnxEngine, open_engine
from lockgate_runtime.server.onnx_rows import to_rows
from lockgate_runtime.server.row_engine import RowEngine
from lockgate_runtime.server.rows import Inputs
from lockgate_runtime.server.trial import varied

TEXTS, NUMBERS = ["line", "zone"], ["how far", "stops", "express"]
IMPUTED = make_pipeline(SimpleImputer(), StandardScaler())
NUMBERED = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
SPREAD = OneHotEncoder(handle_unknown="ignore")


def pipeline(last: Any, *steps: tuple[Any, list[str]], rest: str = "drop") -> Pipeline:
    return make_pipeline(make_column_transformer(*steps, remainder=rest), last)


LINEAR, BOOSTED = LogisticRegression(), HistGradientBoostingClassifier(max_iter=5)
FOREST = RandomForestClassifier(5, random_state=0)
PIPELINES: dict[str, tuple[Kind, Pipeline]] = {
    "numbered": ("binary", pipeline(BOOSTED, (NUMBERED, TEXTS), rest="passthrough")),
    "numbers first": ("multiclass", pipeline(LINEAR, (IMPUTED, NUMBERS), (NUMBERED, TEXTS))),
    "spread": ("binary", pipeline(LINEAR, (SPREAD, TEXTS), (IMPUTED, NUMBERS))),
    "others refused": ("binary", pipeline(LINEAR, (OneHotEncoder(), ["zone"]), (IMPUTED, NUMBERS))),
    "numbered and spread": ("regression", pipeline(Ridge(), (NUMBERED, ["line"]), (SPREAD, TEXTS))),
    "one by one": (
        "binary",
        pipeline(
            LINEAR, (SPREAD, ["zone"]), (IMPUTED, ["stops"]), (NUMBERED, ["line"]), (IMPUTED, ["how far"])
        ),
    ),
    "a number twice": ("binary", pipeline(LINEAR, (IMPUTED, ["stops"]), (IMPUTED, ["how far", "stops"]))),
    "a forest": ("multiclass", pipeline(FOREST, (SPREAD, TEXTS), (SimpleImputer(), NUMBERS))),
    "texts alone": ("binary", pipeline(LINEAR, (NUMBERED, TEXTS))),
}


@pytest.fixture(scope="module", params=PIPELINES)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    kind, estimator = PIPELINES[request.param]
    return train(tmp_path_factory.mktemp("model") / "model", kind, estimator=estimator)


def engines(trained: Trained) -> tuple[RowEngine, OnnxEngine]:
    engine = open_engine(load(trained.folder, None))
    assert isinstance(engine, RowEngine)
    return engine, OnnxEngine((trained.folder / contract.ONNX_MODEL).read_bytes(), trained.signature)


def columns_of(trained: Trained) -> Columns:
    """Of its own rows, and of stranger ones."""
    reference = json.loads((trained.folder / contract.REFERENCE).read_bytes())
    inputs, frame = Inputs(trained.signature, "accept"), trained.frame
    names = [it["name"] for it in INPUTS]
    values = frame[names].astype(object).where(frame[names].notna(), None)
    own = inputs.columns(list(values.itertuples(index=False, name=None)))
    columns = list(map(np.concatenate, zip(own, varied(trained.signature, reference), strict=True)))
    for name in ("stops", "express"):
        columns[names.index(name)] = np.floor(columns[names.index(name)])
    return tuple(columns)


def answer(engine: Engine, columns: Columns) -> list[Any] | None:
    try:
        found: list[Any] = engine.run(columns).tolist()
    except Exception:  # noqa: BLE001 - ONNX Runtime's types share no base
        return None
    return found


def test_rows_and_columns_are_answered_as_by_the_exported_model(trained: Trained) -> None:
    engine, exported = engines(trained)
    inputs = Inputs(trained.signature, "accept", order=engine.order)
    for row in zip(*(it.tolist() for it in columns_of(trained)), strict=True):
        columns = tuple(np.array([it], object if isinstance(it, str) else np.float32) for it in row)
        expected = answer(exported, columns)
        assert answer(engine, columns) == expected
        if expected is not None:
            body = {it["name"]: _as_json(it, value) for it, value in zip(INPUTS, row, strict=True)}
            rows = inputs.decode(json.dumps({"rows": [body]}).encode(), 1)
            assert engine.run_rows(rows).tolist() == expected


def test_a_batch_of_any_size_is_answered_as_by_the_exported_model(trained: Trained) -> None:
    engine, exported = engines(trained)
    columns = columns_of(trained)
    kept = [
        answer(exported, tuple(it[at : at + 1] for it in columns)) is not None
        for at in range(len(columns[0]))
    ]
    known = tuple(it[np.array(kept)] for it in columns)
    for size in (2, 7, 33, len(known[0])):
        batch = tuple(it[:size] for it in known)
        assert engine.run(batch).tolist() == exported.run(batch).tolist()


def test_a_model_that_looks_at_texts_together_is_left_as_it_is() -> None:
    texts = [helper.make_tensor_value_info(name, TensorProto.STRING, [None, 1]) for name in "ab"]
    nodes = [
        helper.make_node("Concat", ["a", "b"], ["both"], axis=1),
        helper.make_node(
            "LabelEncoder", ["both"], ["y"], domain="ai.onnx.ml", keys_strings=["x"], values_floats=[1.0]
        ),
    ]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])]
    assert to_rows(model_of(nodes, texts, outputs), never) is None


def test_a_model_of_which_nothing_is_known_but_its_bytes_is_left_as_it_is() -> None:
    branch = helper.make_graph([], "branch", [], [])
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 1])]
    nodes = [helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)]
    assert to_rows(model_of(nodes, inputs, []), never) is None
    whole = [helper.make_tensor_value_info("x", TensorProto.INT64, [None, 1])]
    assert to_rows(model_of([helper.make_node("Cast", ["x"], ["y"], to=1)], whole, []), never) is None


def model_of(nodes: list[Any], inputs: list[Any], outputs: list[Any]) -> bytes:
    graph = helper.make_graph(nodes, "model", inputs, outputs)
    return bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString())


def never(data: bytes, feed: object) -> list[Any]:
    del feed
    raise AssertionError(onnx.load_from_string(data))


def _as_json(feature: Feature, value: Any) -> Any:
    if value == "" or value != value:
        return None
    if feature["type"] == "boolean":
        return bool(value)
    return int(value) if feature["type"] == "integer" else value
