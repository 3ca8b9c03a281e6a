"""The OpenAPI 3.1 document of a server, from the signature of its model: what it takes, gives and refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from lockgate.contract.example import example_row
from lockgate_runtime.server.openapi_schemas import Schema, schemas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockgate.contract import Reference, Signature
    from lockgate_runtime.server.columns import Rule

_ARROW = (
    "application/vnd.apache.arrow.stream",
    "application/vnd.apache.arrow.file",
    "application/vnd.apache.parquet",
)
_ANSWERS = {
    "400": "The request could not be read.",
    "401": "A token is missing or wrong.",
    "404": "There is nothing here of that name.",
    "405": "The method is not one of those that `Allow` names.",
    "408": "The request did not arrive in time.",
    "411": "The length of the body is not said.",
    "413": "The body, or the number of rows, is above the limit.",
    "415": "The body is of a type that is not read here.",
    "422": "A value is not what the model takes; `errors` names row and column.",
    "424": "The row may be sent, but the model has no answer to it; `errors` names row and column.",
    "429": "Too many rows wait already. Try again after `Retry-After` seconds.",
    "503": "The server is about to stop, or overloaded. Try again after `Retry-After` seconds.",
    "504": "No answer within the time limit.",
}
_READING = ("400", "408", "411", "413", "415", "422", "424", "429", "503", "504")
_WITH_RETRY = frozenset({"429", "503"})


class Terms(NamedTuple):
    """What of a server's settings its callers meet."""

    most_rows: int
    most_body_bytes: int
    needs_token: bool


def document(
    signature: Signature, rules: Sequence[Rule], reference: Reference, version: str, terms: Terms
) -> bytes:
    """The whole document as JSON; `rules` are of the signature's inputs, in their order."""
    shapes = schemas(signature, rules, reference, terms.most_rows)
    secured: Schema = {"security": [{"bearer": []}, {"key": []}]} if terms.needs_token else {}
    data = {
        "openapi": "3.1.0",
        "info": _info(signature, version, terms),
        **secured,
        "tags": [
            {"name": "predict"},
            {"name": "open inference protocol", "description": "Version 2, as KServe and Triton speak it."},
            {"name": "operations"},
        ],
        "paths": _paths(signature, reference, version, terms),
        "components": {
            "schemas": shapes,
            "responses": {f"Error{code}": _error(code) for code in _ANSWERS},
            "headers": _HEADERS,
            "parameters": {"RequestId": _REQUEST_ID},
            **({"securitySchemes": _SCHEMES} if terms.needs_token else {}),
        },
    }
    return json.dumps(data, separators=(",", ":")).encode()


def _info(signature: Signature, version: str, terms: Terms) -> Schema:
    what = {"binary": "which of two classes", "multiclass": "the class", "regression": "the value"}
    return {
        "title": signature["model"],
        "version": version,
        "description": f"Predicts {what[signature['kind']]} of '{signature['target']}'. At most "
        f"{terms.most_rows:,} rows and {terms.most_body_bytes:,} bytes a request.",
    }


def _paths(signature: Signature, reference: Reference, version: str, terms: Terms) -> Schema:
    """Health, metrics and this server's own state need no token; all else does where one is asked for."""
    row = example_row(signature, reference)
    name, release = (quote(text, safe="+@:") for text in (signature["model"], version))
    plain, versioned = f"/v2/models/{name}", f"/v2/models/{name}/versions/{release}"
    refusals = ("401",) if terms.needs_token else ()
    tensors = _Tensors(example=_infer_example(signature, row), refusals=refusals)
    return {
        "/v1/predict": {"post": _predict(row, refusals)},
        "/v1/status": {"get": _get("status", "Live numbers", "operations", "Status", refusals)},
        "/v2": {"get": _get("server", "What the server is", _PROTOCOL, "Server", refusals)},
        "/v2/health/live": {"get": _health("live", "Whether the process answers", ())},
        "/v2/health/ready": {"get": _health("ready", "Whether it takes requests", ("503",))},
        plain: {"get": _get("model", "What the model takes and gives", _PROTOCOL, "Model", refusals)},
        f"{plain}/ready": {"get": _ready("modelReady", refusals)},
        f"{plain}/infer": {"post": tensors.infer("infer")},
        versioned: {"get": _get("version", "The same of this version", _PROTOCOL, "Model", refusals)},
        f"{versioned}/ready": {"get": _ready("versionReady", refusals)},
        f"{versioned}/infer": {"post": tensors.infer("inferVersion")},
        "/metrics": {"get": _METRICS},
        "/openapi.json": {"get": _document(refusals)},
        "/": {"get": _page(refusals)},
    }


_PROTOCOL = "open inference protocol"


def _predict(row: Schema, refusals: tuple[str, ...]) -> Schema:
    columns = {name: [value] for name, value in row.items()}
    binary = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _ARROW}
    json_body = {
        "schema": {"oneOf": [_schema("Rows"), _schema("Columns")]},
        "examples": {"rows": {"value": {"rows": [row]}}, "columns": {"value": {"columns": columns}}},
    }
    return {
        "operationId": "predict",
        "summary": "Predictions for rows, columns, or a table of Arrow or Parquet",
        "tags": ["predict"],
        "parameters": [_PARAMETER],
        "requestBody": {"required": True, "content": {"application/json": json_body, **binary}},
        "responses": _responses(_json("A prediction for each row.", "Predictions"), (*refusals, *_READING)),
    }


class _Tensors(NamedTuple):
    """What both paths of `infer` have in common."""

    example: Schema
    refusals: tuple[str, ...]

    def infer(self, operation: str) -> Schema:
        body = {"schema": _schema("InferRequest"), "examples": {"row": {"value": self.example}}}
        binary = {"schema": {"type": "string", "format": "binary"}}
        answer = _json("The model's outputs.", "InferResponse")
        answer["content"]["application/octet-stream"] = binary
        return {
            "operationId": operation,
            "summary": "Predictions for tensors",
            "description": "With the binary tensor extension, the body is the JSON of "
            "`Inference-Header-Content-Length` bytes, followed by the tensors.",
            "tags": [_PROTOCOL],
            "parameters": [_PARAMETER],
            "requestBody": {"required": True, "content": {"application/json": body}},
            "responses": _responses(answer, (*self.refusals, "404", *_READING)),
        }


def _infer_example(signature: Signature, row: Schema) -> Schema:
    kinds = {"category": "BYTES"}
    return {
        "inputs": [
            {
                "name": it["name"],
                "shape": [1],
                "datatype": kinds.get(it["type"], "FP32"),
                "data": [row[it["name"]] if it["type"] == "category" else float(row[it["name"]] or 0)],
            }
            for it in signature["inputs"]
        ]
    }


def _get(operation: str, summary: str, tag: str, schema: str, refusals: tuple[str, ...]) -> Schema:
    return {
        "operationId": operation,
        "summary": summary,
        "tags": [tag],
        "responses": _responses(_json(summary, schema), refusals),
    }


def _health(operation: str, summary: str, refusals: tuple[str, ...]) -> Schema:
    answer = {"description": "Yes.", "content": {"application/json": {"schema": {"type": "object"}}}}
    return {
        "operationId": operation,
        "summary": summary,
        "tags": [_PROTOCOL],
        "security": [],
        "responses": _responses(answer, refusals),
    }


def _ready(operation: str, refusals: tuple[str, ...]) -> Schema:
    health = _health(operation, "Whether the model takes requests", (*refusals, "503"))
    return {key: value for key, value in health.items() if key != "security"}


def _document(refusals: tuple[str, ...]) -> Schema:
    answer = {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {"type": "object"}}}}
    return {
        "operationId": "openapi",
        "summary": "This document",
        "tags": ["operations"],
        "responses": _responses(answer, refusals),
    }


def _page(refusals: tuple[str, ...]) -> Schema:
    answer = {"description": "HTML.", "content": {"text/html": {"schema": {"type": "string"}}}}
    return {
        "operationId": "page",
        "summary": "A page to look at the model and to try a row",
        "tags": ["operations"],
        "responses": _responses(answer, refusals),
    }


def _responses(good: Schema, errors: tuple[str, ...]) -> Schema:
    answers = {"200": {**good, "headers": {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}}}
    return answers | {code: {"$ref": f"#/components/responses/Error{code}"} for code in sorted(errors)}


def _error(code: str) -> Schema:
    headers: Schema = {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}
    if code in _WITH_RETRY:
        headers["Retry-After"] = {"$ref": "#/components/headers/RetryAfter"}
    return {**_json(_ANSWERS[code], "Error"), "headers": headers}


def _json(description: str, schema: str) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": _schema(schema)}}}


def _schema(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_PARAMETER = {"$ref": "#/components/parameters/RequestId"}
_REQUEST_ID: dict[str, Any] = {
    "name": "X-Request-ID",
    "in": "header",
    "required": False,
    "description": "1 to 128 of letters, digits, '.', '_' and '-'. Anything else is replaced by an id made here.",
    "schema": {"type": "string"},
}
_HEADERS: dict[str, Any] = {
    "RequestId": {
        "description": "The request's id: the caller's, or one made here.",
        "schema": {"type": "string"},
    },
    "RetryAfter": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 0}},
}
_SCHEMES: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
_METRICS: dict[str, Any] = {
    "operationId": "metrics",
    "summary": "Numbers for Prometheus",
    "tags": ["operations"],
    "security": [],
    "responses": {
        "200": {
            "description": "Prometheus' text format.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    },
}
