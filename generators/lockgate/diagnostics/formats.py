"""Diagnostics as programs read them: JSON of our own, GitHub's workflow commands, and SARIF 2.1.0."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lockgate import __version__
from lockgate.diagnostics.text import escaped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lockgate.diagnostics.model import Diagnostic, Position

_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """`{"diagnostics": […], "summary": {"errors": n, "warnings": n}}`.

    Each diagnostic has rule, severity, message, help, file, path and position, which is null or has line, column,
    end_line and end_column, from 1 and in characters. All keys are always there.
    """
    found = tuple(diagnostics)
    severities = [it.severity for it in found]
    document = {
        "diagnostics": [_finding(it) for it in found],
        "summary": {"errors": severities.count("error"), "warnings": severities.count("warning")},
    }
    return json.dumps(document, indent=2) + "\n"


def render_github(diagnostics: Iterable[Diagnostic]) -> str:
    """A workflow command a line, which GitHub shows at the line of the file that it is about."""
    return "".join(f"{_command(it)}\n" for it in diagnostics)


def render_sarif(diagnostics: Iterable[Diagnostic]) -> str:
    """A SARIF 2.1.0 log of one run, for code scanning."""
    found = tuple(diagnostics)
    rules = sorted({it.rule for it in found})
    driver = {
        "name": "lockgate",
        "version": __version__,
        "rules": [
            {"id": rule, "name": rule, "shortDescription": {"text": rule.replace("-", " ")}} for rule in rules
        ],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(it, rules.index(it.rule)) for it in found],
    }
    return json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _finding(it: Diagnostic) -> dict[str, Any]:
    position = it.position and {
        "line": it.position.line,
        "column": it.position.column,
        "end_line": it.position.end_line,
        "end_column": it.position.end_column,
    }
    return {
        "rule": it.rule,
        "severity": it.severity,
        "message": it.message,
        "help": it.help,
        "file": it.file,
        "path": it.path,
        "position": position,
    }


def _command(it: Diagnostic) -> str:
    properties = {"file": it.file}
    if it.position:
        properties |= _github_region(it.position)
    properties["title"] = it.rule
    said = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    message = f"{escaped(it.message)}\nhelp: {escaped(it.help)}" if it.help else escaped(it.message)
    return f"::{it.severity} {said}::{_data(message)}"


def _github_region(position: Position) -> dict[str, str]:
    """GitHub takes columns only where start and end are in one line."""
    region = {"line": str(position.line), "endLine": str(position.end_line)}
    if position.line == position.end_line:
        region |= {"col": str(position.column), "endColumn": str(position.end_column)}
    return region


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(escaped(text)).replace(":", "%3A").replace(",", "%2C")


def _result(it: Diagnostic, rule_index: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(it.file, errors="replace")}}
    said = f"{it.message}\n{it.help}" if it.help else it.message
    if it.position:
        place["region"] = {
            "startLine": it.position.line,
            "startColumn": it.position.column,
            "endLine": it.position.end_line,
            "endColumn": it.position.end_column,
        }
    return {
        "ruleId": it.rule,
        "ruleIndex": rule_index,
        "level": it.severity,
        # A viewer would make a link of '[text](address)'.
        "message": {"text": said.replace("](", "] (")},
        "locations": [{"physicalLocation": place}],
    }
