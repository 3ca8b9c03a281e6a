"""Records as `schema/record.schema.json` has them: bytes → what they hold, or what is not of that form."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Any

import jsonschema_rs

from lockgate.diagnostics import Diagnostic, Finding, Position
from lockgate.registry.shelf import Files, record_path
from lockgate.spec import locate
from lockgate.spec.schema import schema_path
from lockgate.spec.validate import quote
from lockgate.yaml import YamlError
from lockgate.yaml.parse import read_text
from lockgate.yaml.values import read_values

_RULE = "record-form"
_HELP = "records are written at release and never edited: restore the file from Git"


@lru_cache(maxsize=4096)
def record_block(data: bytes) -> Any:  # noqa: ANN401 - what a record holds is not known yet
    """What a record holds, not to be changed; YamlError where it cannot be read. Parsed once for all who ask."""
    return read_values(read_text(data))


def wrong_forms(files: Files, releases: Iterable[tuple[str, str]]) -> Iterator[Diagnostic]:
    """Findings about the records of those models and versions; one without a record is passed over."""
    for model, version in dict.fromkeys(releases):
        path = record_path(model, version)
        if path in files:
            yield from _wrong(path, files[path])


def unreadable_record(error: YamlError, file: str) -> Diagnostic:
    """The finding about a record that is not even YAML."""
    line = error.span.start.line + 1
    start = Position(line=line, column=1, end_line=line, end_column=1)
    return Diagnostic(rule=error.rule, message=error.message, file=file, position=start, help=error.help)


def _wrong(path: str, data: bytes) -> Iterator[Diagnostic]:
    try:
        findings = [_finding(error) for error in _validator().iter_errors(record_block(data))]
    except YamlError as error:
        yield unreadable_record(error, path)
        return
    if findings:
        yield from locate(findings, read_text(data), path)


@cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    schema = json.loads(schema_path().with_name("record.schema.json").read_bytes())
    return jsonschema_rs.Draft202012Validator(schema)


def _finding(error: jsonschema_rs.ValidationError) -> Finding:
    location = tuple(error.instance_path)
    details: dict[str, Any] = error.kind.as_dict()
    at_key = False
    match error.kind.name:
        case "required":
            message, at_key = f"{quote(details['property'])} is missing{_inside(location)}", True
        case "additionalProperties":
            unknown = details["unexpected"][0]
            message, location, at_key = (
                f"unknown key {quote(unknown)}{_inside(location)}",
                (*location, unknown),
                True,
            )
        case _ if location:
            message = f"{quote(_dotted(location))} cannot be {quote(error.instance)}"
        case _:
            message = "a record has to be a map"
    return Finding(rule=_RULE, message=message, location=location, help=_HELP, at_key=at_key)


def _inside(location: tuple[str | int, ...]) -> str:
    return f" in {quote(_dotted(location))}" if location else ""


def _dotted(location: tuple[str | int, ...]) -> str:
    return ".".join(map(str, location))
