"""The published JSON Schema: where it is, what stands at a place of it, and the defaults that it names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, cached_property
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
    return _fill_map(_root(), written)


def fill_block(definition: str, written: Mapping[str, Any]) -> dict[str, Any]:
    """One block of the spec, such as `serve`, with the defaults of its definition laid under it."""
    return _fill_map(_block(definition), written)


class _Place:
    """What filling needs to know of a schema, looked up once for the thousands of values that it holds for."""

    def __init__(self, schema: Schema) -> None:
        self.schema = resolve(schema)
        self.is_inherited = self.schema.get("x-defaults") == "inherited"

    @cached_property
    def of_map(self) -> _Place:
        """Of a schema with `anyOf`, what holds for a map."""
        return _Place(branch(self.schema, {})) if "anyOf" in self.schema else self

    @cached_property
    def properties(self) -> Mapping[str, _Place]:
        return {key: _Place(schema) for key, schema in self.schema.get("properties", {}).items()}

    @cached_property
    def others(self) -> _Place | None:
        """What holds for a key that is no property."""
        found = self.schema.get("additionalProperties")
        return _Place(found) if isinstance(found, Mapping) else None

    @cached_property
    def items(self) -> _Place | None:
        return _Place(self.schema["items"]) if "items" in self.schema else None

    @cached_property
    def defaults(self) -> Mapping[str, Any]:
        return {
            key: place.schema["default"]
            for key, place in self.properties.items()
            if "default" in place.schema
        }


@cache
def _root() -> _Place:
    return _Place(load_schema())


@cache
def _block(definition: str) -> _Place:
    return _Place(load_schema()["$defs"][definition])


def _fill_map(place: _Place, written: Mapping[str, Any]) -> dict[str, Any]:
    properties, others = place.properties, place.others
    filled = {
        key: _fill(properties.get(key, others), value) if isinstance(value, (dict, list)) else value
        for key, value in written.items()
    }
    for key, default in place.defaults.items():
        if key not in filled:
            filled[key] = _fill(properties[key], default)
    return filled


def _fill(place: _Place | None, value: Any) -> Any:  # noqa: ANN401 - any value of a spec
    if place is None or place.is_inherited:
        return value
    if isinstance(value, dict):
        return _fill_map(place.of_map, value)
    if isinstance(value, list) and place.items is not None:
        return [_fill(place.items, item) for item in value]
    return value
