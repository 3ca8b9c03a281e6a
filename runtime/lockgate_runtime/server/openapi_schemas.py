"""JSON Schemas of what callers send and get, from a model's signature. Knows no paths and no status codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from lockgate.contract.example import examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockgate.contract import Feature, Reference, Signature
    from lockgate_runtime.server.columns import Rule

Schema: TypeAlias = dict[str, Any]

# The model computes in 32 bits: what lies outside is refused.
_GREATEST = 3.4028234663852886e38
_TYPES = {"number": "number", "integer": "integer", "boolean": "boolean", "category": "string"}
_DATATYPES = ("BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64")
_TENSOR_TYPES = [*_DATATYPES, "FP16", "FP32", "FP64", "BYTES"]


def schemas(signature: Signature, rules: Sequence[Rule], reference: Reference, most_rows: int) -> Schema:
    """All schemas by name; `rules` are of the signature's inputs, in their order."""
    columns = {
        it["name"]: _column(it, rule, examples(it, reference["features"].get(it["name"])))
        for it, rule in zip(signature["inputs"], rules, strict=True)
    }
    required = [rule.name for rule in rules if not rule.nullable]
    return {
        "Row": _closed(columns, required, description="One row: a value for each column."),
        "Rows": _closed(
            {"rows": {"type": "array", "items": _ref("Row"), "minItems": 1, "maxItems": most_rows}}, ["rows"]
        ),
        "Columns": _columns(columns, required, most_rows),
        "Predictions": _predictions(signature),
        "Error": _ERROR,
        "Status": {"type": "object", "description": "Live numbers, as the page at '/' shows them."},
        "Server": _SERVER,
        "Model": _MODEL,
        "InferRequest": _infer_request(),
        "InferResponse": _INFER_RESPONSE,
    }


def _column(feature: Feature, rule: Rule, values: list[Any]) -> Schema:
    """Type, range, categories and whether it may be missing."""
    kind = _TYPES[feature["type"]]
    schema: Schema = {"type": [kind, "null"] if rule.nullable else kind}
    if feature["type"] == "category":
        schema |= _category(feature, rule)
    elif feature["type"] != "boolean":
        schema["minimum"] = max(feature.get("min", -_GREATEST), -_GREATEST)
        schema["maximum"] = min(feature.get("max", _GREATEST), _GREATEST)
    return {**schema, "examples": values}


def _category(feature: Feature, rule: Rule) -> Schema:
    known = [text for text in feature.get("values", ()) if text]
    if rule.known is not None:
        known = [text for text in known if text in rule.known]
        return {"enum": [*known, "", None] if rule.nullable else known}
    least = {} if rule.nullable else {"minLength": 1}
    if not known:
        return least
    return {**least, "description": f"Known values: {', '.join(known[:100])}{', …' * (len(known) > 100)}"}


def _columns(columns: Schema, required: list[str], most_rows: int) -> Schema:
    bounds = {"minItems": 1, "maxItems": most_rows}
    arrays = {
        name: {"type": "array" if name in required else ["array", "null"], "items": schema, **bounds}
        for name, schema in columns.items()
    }
    description = "A list of values for each column, all of one length."
    return _closed({"columns": _closed(arrays, required, description=description)}, ["columns"])


def _predictions(signature: Signature) -> Schema:
    labels = signature["classes"]
    share = {"type": "number", "minimum": 0, "maximum": 1}
    fields: Schema = {"prediction": {"type": "number"} if not labels else {"type": "string", "enum": labels}}
    if signature["kind"] == "binary":
        fields["probability"] = {**share, "description": f"Of the class '{signature['positive']}'."}
    elif signature["kind"] == "multiclass":
        fields["probability"] = {**share, "description": "Of the class predicted."}
        of_each = dict.fromkeys(labels, share)
        fields["probabilities"] = {"type": "object", "properties": of_each, "required": labels}
    one = _closed(fields, list(fields))
    text = {"type": "string"}
    answer = {"model": text, "version": text, "id": text, "predictions": {"type": "array", "items": one}}
    return _closed(answer, list(answer), description="A prediction for each row, in the order of the rows.")


def _closed(fields: Schema, required: list[str], **more: object) -> Schema:
    """An object of these fields and no others."""
    return {
        "type": "object",
        **more,
        "properties": fields,
        "required": required,
        "additionalProperties": False,
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_TEXT: Schema = {"type": "string"}
_PARAMETERS: Schema = {"type": ["object", "null"]}
_SHAPE: Schema = {"type": "array", "items": {"type": "integer", "minimum": 0}}
_ERROR = _closed(
    {
        "error": {**_TEXT, "description": "What was found, what was expected, the next step."},
        "reason": {**_TEXT, "description": "The kind of error, in kebab case; a label of the metrics."},
        "id": {**_TEXT, "description": "The request's id, as in the header X-Request-ID."},
        "errors": {
            "type": "array",
            "maxItems": 20,
            "description": "The values that were refused, where that is the reason.",
            "items": _closed(
                {
                    "row": {"type": ["integer", "null"], "minimum": 0, "description": "Counted from 0."},
                    "column": {"type": ["string", "null"]},
                    "message": _TEXT,
                },
                ["row", "column", "message"],
            ),
        },
    },
    ["error", "reason", "id", "errors"],
)
_SERVER: Schema = {
    "type": "object",
    "required": ["name", "version", "extensions"],
    "properties": {"name": _TEXT, "version": _TEXT, "extensions": {"type": "array", "items": _TEXT}},
}
_TENSOR_METADATA: Schema = {
    "type": "object",
    "required": ["name", "datatype", "shape"],
    "properties": {
        "name": _TEXT,
        "datatype": {"type": "string", "enum": _TENSOR_TYPES},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": -1}},
    },
}
_MODEL: Schema = {
    "type": "object",
    "required": ["name", "platform", "inputs", "outputs"],
    "properties": {
        "name": _TEXT,
        "versions": {"type": "array", "items": _TEXT},
        "platform": _TEXT,
        "inputs": {"type": "array", "items": _TENSOR_METADATA},
        "outputs": {"type": "array", "items": _TENSOR_METADATA},
    },
}
_INFER_RESPONSE: Schema = {
    "type": "object",
    "required": ["model_name", "outputs"],
    "properties": {
        "model_name": _TEXT,
        "model_version": _TEXT,
        "id": _TEXT,
        "outputs": {"type": "array", "items": {**_TENSOR_METADATA}},
    },
}


def _infer_request() -> Schema:
    tensor: Schema = {
        "type": "object",
        "required": ["name", "shape", "datatype"],
        "properties": {
            "name": _TEXT,
            "shape": _SHAPE,
            "datatype": {"type": "string", "enum": _TENSOR_TYPES},
            "parameters": _PARAMETERS,
            "data": {"type": "array"},
        },
    }
    wanted = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": _TEXT, "parameters": _PARAMETERS},
    }
    return {
        "type": "object",
        "description": "A tensor for each column, of shape [rows] or [rows, 1].",
        "required": ["inputs"],
        "properties": {
            "id": {"type": ["string", "null"]},
            "parameters": _PARAMETERS,
            "inputs": {"type": "array", "items": tensor, "minItems": 1},
            "outputs": {"type": ["array", "null"], "items": wanted},
        },
    }
