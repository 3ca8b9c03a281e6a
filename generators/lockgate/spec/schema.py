"""The published JSON Schema: where it is, what stands at a place of it, and the defaults that it names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema_rs

Schema: TypeAlias = Mapping[str, Any]

_INSTALLED = Path(__file__).parents[1] / "schema"
_IN_SOURCE_TREE = Path(__file__).parents[3] / "schema"


def schema_path() -> Path:
    """The schema's one file: inside the installed package, or in the source tree."""
    directory = _INSTALLED if _INSTALLED.is_dir() else _IN_SOURCE_TREE
    return directory / "mlops.schema.json"


@cache
def load_schema() -> Schema:
    schema: Schema = json.loads(schema_path().read_bytes())
    return schema


@cache
def validator() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(dict(load_schema()))


def resolve(schema: Schema) -> Schema:
    """The schema with its `$ref` followed; what stands beside the reference wins."""
    if "$ref" not in schema:
        return schema
    if len(schema) == 1:
        return _definition(schema["$ref"])
    return {**_definition(schema["$ref"]), **{key: value for key, value in schema.items() if key != "$ref"}}


@cache
def _definition(reference: str) -> Schema:
    return resolve(load_schema()["$defs"][reference.removeprefix("#/$defs/")])


def child(schema: Schema, step: str | int, value: object = None) -> Schema | None:
    """The schema of a key or item below this one; None where it allows none.

    `value` is what stands there in a document: it picks the branch where the schema offers several.
    """
    schema = branch(resolve(schema), value)
    if isinstance(step, int):
        found = schema.get("items")
    else:
        found = schema.get("properties", {}).get(step, schema.get("additionalProperties"))
    return resolve(found) if isinstance(found, Mapping) else None


def branch(schema: Schema, value: object) -> Schema:
    """Of a schema with `anyOf`, the branch for a map where the value is a map, else the branch for a scalar."""
    if "anyOf" not in schema:
        return schema
    branches = [resolve(option) for option in schema["anyOf"]]
    wanted = "object" if isinstance(value, Mapping) else "string"
    return next(option for option in branches if option["type"] == wanted)


def at(location: tuple[str | int, ...]) -> Schema | None:
    """The schema of a place in the spec; None where the schema knows no such place."""
    schema: Schema | None = load_schema()
    for step in location:
        schema = child(schema, step, {}) if schema is not None else None
    return schema


def fill(written: Mapping[str, Any]) -> dict[str, Any]:
    """The spec with the schema's defaults laid under it. What environments change is left as written."""
    return _fill_map(load_schema(), written)


def fill_block(definition: str, written: Mapping[str, Any]) -> dict[str, Any]:
    """One block of the spec, such as `serve`, with the defaults of its definition laid under it."""
    return _fill_map(load_schema()["$defs"][definition], written)


def _fill_map(schema: Schema, written: Mapping[str, Any]) -> dict[str, Any]:
    filled = {key: _fill(child_schema, written[key]) for key, child_schema in _children(schema, written)}
    for key, default in _defaults(schema):
        if key not in filled:
            filled[key] = _fill(schema["properties"][key], default)
    return filled


def _fill(schema: Schema | None, value: Any) -> Any:  # noqa: ANN401 - any value of a spec
    if schema is None:
        return value
    schema = resolve(schema)
    if schema.get("x-defaults") == "inherited":
        return value
    if isinstance(value, (dict, Mapping)):
        return _fill_map(branch(schema, value), value)
    if isinstance(value, list) and "items" in schema:
        return [_fill(schema["items"], item) for item in value]
    return value


def _children(schema: Schema, written: Mapping[str, Any]) -> Iterator[tuple[str, Schema | None]]:
    properties = schema.get("properties", {})
    other = schema.get("additionalProperties")
    for key in written:
        found = properties.get(key, other)
        yield key, found if isinstance(found, Mapping) else None


def _defaults(schema: Schema) -> Iterator[tuple[str, Any]]:
    for key, property_schema in schema.get("properties", {}).items():
        resolved = resolve(property_schema)
        if "default" in resolved:
            yield key, resolved["default"]
