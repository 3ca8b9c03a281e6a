"""The schema's verdict on a document, as findings in the user's words. One mistake gives one finding."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import jsonschema_rs

from lockgate.diagnostics import Finding
from lockgate.spec import schema

Location: TypeAlias = tuple[str | int, ...]

_TYPE_NAMES = {
    "object": "a map",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}
_MAX_SHOWN = 60


def validate(document: Any) -> tuple[Finding, ...]:  # noqa: ANN401 - whatever the user wrote
    """What the schema finds wrong. Empty where it finds nothing."""
    errors = list(schema.validator().iter_errors(document))
    findings = [finding for error in errors for finding in _findings(error)]
    return tuple(_without_echoes(findings))


def suggest(word: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?`, or nothing where no known word is near."""
    words = [str(each) for each in known]
    near = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    near = near or [longer for longer in words if len(word) > 2 and longer.startswith(word)]
    return f"did you mean {near[0]!r}?" if near else ""


def quote(value: object) -> str:
    """A value as it is shown in a message: quoted, and short."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def _findings(error: jsonschema_rs.ValidationError) -> Iterator[Finding]:
    location = tuple(error.instance_path)
    place = _subschema(error.schema_path[:-1])
    details: dict[str, Any] = error.kind.as_dict()
    match error.kind.name:
        case "additionalProperties":
            yield from (_unknown_key(location, key, place) for key in details["unexpected"])
        case "required":
            yield _missing_key(location, details["property"], place)
        case "type":
            yield _wrong_type(location, error.instance, details["types"], place)
        case "enum" | "const":
            yield _wrong_value(location, error.instance, place)
        case "pattern":
            yield _wrong_form(location, error.instance, place)
        case "propertyNames":
            yield _wrong_name(location, error)
        case "uniqueItems":
            yield Finding(
                rule="repeated-item",
                location=location,
                message="the list has an item twice",
                help="remove one",
            )
        case "anyOf":
            yield from _any_of(location, error.instance, place)
        case _:
            yield _out_of_range(location, error, place)


def _subschema(path: Iterable[str | int]) -> schema.Schema:
    found: Any = schema.load_schema()
    for step in path:
        found = found[step]
    return schema.resolve(found)


def _unknown_key(location: Location, key: str, place: schema.Schema) -> Finding:
    known = list(place.get("properties", {}))
    hint = suggest(key, known) or f"known keys: {', '.join(known)}; keys of your own begin with 'x-'"
    return Finding(
        rule="unknown-key",
        location=(*location, key),
        at_key=True,
        message=f"unknown key {quote(key)}{_inside(location)}",
        help=hint,
    )


def _missing_key(location: Location, key: str, place: schema.Schema) -> Finding:
    wanted = schema.resolve(place["properties"][key])
    return Finding(
        rule="missing-key",
        location=location,
        at_key=True,
        message=f"{quote(key)} is missing{_inside(location)}",
        help=f"add it; for example {_example(key, wanted)}. {_first_sentence(wanted)}",
    )


def _wrong_type(location: Location, value: object, types: list[str], place: schema.Schema) -> Finding:
    wanted = " or ".join(_TYPE_NAMES[name] for name in types)
    hint = _example_help(place)
    if isinstance(value, str) and "boolean" in types:
        hint = "write true or false; YAML 1.2 reads other words as text"
    elif isinstance(value, int | float) and not isinstance(value, bool) and "string" in types:
        hint = f"put it in quotes: '{value}'" if not isinstance(value, float) else f"put it in quotes; {hint}"
    return Finding(
        rule="wrong-type",
        location=location,
        message=f"{_name(location)} has to be {wanted}, and this is {_kind(value)}",
        help=hint,
    )


def _wrong_value(location: Location, value: object, place: schema.Schema) -> Finding:
    allowed = place["enum"] if "enum" in place else [place["const"]]
    hint = suggest(value, allowed) if isinstance(value, str) else ""
    listed = ", ".join(quote(item) for item in allowed)
    return Finding(
        rule="wrong-value",
        location=location,
        message=f"{_name(location)} cannot be {quote(value)}",
        help=hint or f"allowed: {listed}",
    )


def _wrong_form(location: Location, value: object, place: schema.Schema) -> Finding:
    return Finding(
        rule="wrong-form",
        location=location,
        message=f"{quote(value)} is not of the form that {_name(location)} has",
        help=_form_help(place),
    )


def _wrong_name(location: Location, error: jsonschema_rs.ValidationError) -> Finding:
    inner = error.kind.as_dict()["error"]
    place = _subschema(error.schema_path[:-1])
    return Finding(
        rule="wrong-name",
        location=(*location, inner.instance),
        at_key=True,
        message=f"{quote(inner.instance)} cannot be a name{_inside(location)}",
        help=_form_help(place),
    )


def _any_of(location: Location, value: object, place: schema.Schema) -> Iterator[Finding]:
    """The errors of the branch that the value was meant for, not one for each branch."""
    chosen = schema.branch(place, value)
    inner = jsonschema_rs.Draft202012Validator({**chosen, "$defs": schema.load_schema()["$defs"]})
    for error in inner.iter_errors(value):
        path = (*location, *error.instance_path)
        if error.kind.name == "additionalProperties":
            yield from (_unknown_key(path, key, chosen) for key in error.kind.as_dict()["unexpected"])
        elif error.kind.name == "required":
            yield _missing_key(path, error.kind.as_dict()["property"], chosen)
        else:
            yield Finding(
                rule="wrong-value" if error.kind.name == "enum" else "wrong-form",
                location=path,
                message=f"{_name(path)} cannot be {quote(error.instance)}",
                help=_choices(schema.at(path) or place, error.instance),
            )


def _choices(place: schema.Schema, value: object) -> str:
    allowed = place.get("enum", [])
    hint = suggest(value, allowed) if isinstance(value, str) else ""
    return hint or (
        f"allowed: {', '.join(quote(item) for item in allowed)}" if allowed else _example_help(place)
    )


def _out_of_range(location: Location, error: jsonschema_rs.ValidationError, place: schema.Schema) -> Finding:
    limit = error.kind.as_dict().get("limit")
    told = {
        "minimum": f"has to be at least {limit}",
        "maximum": f"has to be at most {limit}",
        "exclusiveMinimum": f"has to be more than {limit}",
        "exclusiveMaximum": f"has to be less than {limit}",
        "minLength": f"needs at least {limit} characters",
        "maxLength": f"may have at most {limit} characters",
        "minItems": f"needs at least {limit} items",
        "maxItems": f"may have at most {limit} items",
        "minProperties": f"needs at least {limit} key" if limit == 1 else f"needs at least {limit} keys",
    }
    return Finding(
        rule="out-of-range",
        location=location,
        message=f"{_name(location)} {told.get(error.kind.name, error.message)}",
        help=_example_help(place),
    )


def _without_echoes(findings: list[Finding]) -> Iterator[Finding]:
    """Leaves out that a key is missing where a misspelt key beside it is taken to be that key."""
    for finding in findings:
        if finding.rule != "missing-key" or not _is_misspelt(finding, findings):
            yield finding


def _is_misspelt(missing: Finding, findings: list[Finding]) -> bool:
    name = missing.message.split("'")[1]
    return any(
        other.rule == "unknown-key"
        and other.location[:-1] == missing.location
        and other.help == f"did you mean {name!r}?"
        for other in findings
    )


def _name(location: Location) -> str:
    named = [step for step in location if isinstance(step, str)]
    if not named:
        return "the spec"
    item = location[-1]
    return f"item {item + 1} of {quote(named[-1])}" if isinstance(item, int) else quote(named[-1])


def _inside(location: Location) -> str:
    return f" in {quote('.'.join(str(step) for step in location))}" if location else ""


def _kind(value: object) -> str:
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "empty"
    return (
        f"the number {value}"
        if isinstance(value, int | float) and not isinstance(value, bool)
        else quote(value)
    )


def _example(key: str, place: schema.Schema) -> str:
    examples = place.get("examples", [])
    if not examples or isinstance(examples[0], Mapping | list):
        return quote(f"{key}: …")
    return quote(f"{key}: {examples[0]}")


def _example_help(place: schema.Schema) -> str:
    examples = place.get("examples", [])
    return f"for example {' or '.join(_shown(item) for item in examples[:3])}" if examples else ""


def _form_help(place: schema.Schema) -> str:
    """What the form is, in the schema's words, and an example."""
    return f"{place.get('description', '').rstrip('.')}; {_example_help(place)}".strip("; ")


def _shown(example: object) -> str:
    """An example as YAML's flow style, which JSON is part of."""
    return json.dumps(example, ensure_ascii=False) if isinstance(example, Mapping | list) else quote(example)


def _first_sentence(place: schema.Schema) -> str:
    return str(place.get("description", "")).split(". ")[0].rstrip(".") + "."
