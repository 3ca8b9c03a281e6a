"""The OpenAPI document is valid, and its schemas accept and refuse what the server does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator, meta
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR
from tests.server.hostile import BUS, BUS_REFERENCE, HOSTILE, HOSTILE_REFERENCE

from lockgate.contract import Reference, Signature
from lockgate_runtime.server.columns import NO_GAPS, Gaps, UnknownCategories, rules_of
from lockgate_runtime.server.openapi import Terms, document

TERMS = Terms(most_rows=100, most_body_bytes=4096, needs_token=False)
ROW = {"distance": 3.5, "stops": 2, "line": "A", "driver": "Ada", "express": True, "holiday": None}


def described(
    signature: Signature = BUS,
    reference: Reference = BUS_REFERENCE,
    unknown_categories: UnknownCategories = "accept",
    gaps: Gaps = NO_GAPS,
    **terms: bool,
) -> Any:
    rules = rules_of(signature, unknown_categories, gaps)
    return json.loads(document(signature, rules, reference, "1.2.0", TERMS._replace(**terms)))


def accepts(found: Any, name: str, value: object) -> bool:
    """Whether the schema of that name allows the value."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": found["components"]}
    return Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize("needs_token", [False, True])
@pytest.mark.parametrize(
    "signature", [(BUS, BUS_REFERENCE), (HOSTILE, HOSTILE_REFERENCE)], ids=["bus", "hostile"]
)
def test_the_document_is_valid_openapi(signature: tuple[Signature, Reference], needs_token: bool) -> None:
    found = described(*signature, needs_token=needs_token)
    assert list(OPENAPI_31_VALIDATOR.iter_errors(found)) == []
    for schema in found["components"]["schemas"].values():
        meta.validate(schema)


def test_a_name_in_a_path_is_escaped() -> None:
    paths = described(HOSTILE, HOSTILE_REFERENCE)["paths"]
    assert all(char not in path for path in paths for char in " <>\"'`${}\\#?")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("distance", -0.5),
        ("distance", 100.5),
        ("distance", None),
        ("distance", "3"),
        ("distance", True),
        ("stops", 1.5),
        ("stops", 0),
        ("line", ""),
        ("line", None),
        ("line", 3),
        ("express", "true"),
        ("express", None),
        ("speed", 3),
    ],
)
def test_a_row_that_the_signature_does_not_allow_is_not_described(column: str, value: object) -> None:
    assert not accepts(described(), "Row", {**ROW, column: value})


@pytest.mark.parametrize(
    "change", [{}, {"stops": None}, {"driver": ""}, {"line": "Z"}, {"distance": 0}, {"stops": 2.0}]
)
def test_a_row_that_the_signature_allows_is_described(change: dict[str, object]) -> None:
    assert accepts(described(), "Row", {**ROW, **change})


def test_columns_that_may_be_missing_may_be_left_out_and_others_not() -> None:
    found = described()
    assert accepts(found, "Row", {name: ROW[name] for name in ("distance", "line", "express")})
    assert not accepts(found, "Row", {name: ROW[name] for name in ROW if name != "express"})


def test_where_unknown_categories_are_refused_the_known_ones_are_listed() -> None:
    found = described(unknown_categories="refuse")
    assert found["components"]["schemas"]["Row"]["properties"]["line"]["enum"] == ["A", "B", "C"]
    assert not accepts(found, "Row", {**ROW, "line": "Z"})


def test_the_limit_of_rows_is_described() -> None:
    found = described()
    assert accepts(found, "Rows", {"rows": [ROW] * 100})
    assert not accepts(found, "Rows", {"rows": [ROW] * 101})
    assert not accepts(found, "Rows", {"rows": []})


def test_the_examples_are_what_their_schemas_allow() -> None:
    found = described()
    examples = found["paths"]["/v1/predict"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert accepts(found, "Rows", examples["rows"]["value"])
    assert accepts(found, "Columns", examples["columns"]["value"])
    infer = found["paths"]["/v2/models/late-bus/infer"]["post"]["requestBody"]["content"]["application/json"]
    assert accepts(found, "InferRequest", infer["examples"]["row"]["value"])


def test_every_error_answer_has_the_same_schema() -> None:
    found = described(needs_token=True)
    shapes = {json.dumps(answer["content"]) for answer in found["components"]["responses"].values()}
    assert shapes == {'{"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}'}


def test_a_token_is_asked_for_where_the_server_asks_for_one() -> None:
    assert "security" not in described()
    found = described(needs_token=True)
    assert found["security"] == [{"bearer": []}, {"key": []}]
    open_paths = {path for path, it in found["paths"].items() if it.get("get", {}).get("security") == []}
    assert open_paths == {"/v2/health/live", "/v2/health/ready", "/metrics"}
