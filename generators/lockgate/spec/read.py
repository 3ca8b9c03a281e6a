"""From the bytes of `mlops.yaml` to a Spec, or to everything that is wrong with it at its place in the text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from lockgate.contract import SPEC_FILE
from lockgate.diagnostics import Diagnostic, Finding, Position, sort
from lockgate.diagnostics.text import render_text
from lockgate.spec import rules
from lockgate.spec.build import build
from lockgate.spec.model import Spec
from lockgate.spec.schema import fill
from lockgate.spec.validate import validate
from lockgate.tuples import NamedTuple
from lockgate.yaml import Location, Node, Span, YamlError, parse
from lockgate.yaml.nodes import entry_at, node_at
from lockgate.yaml.parse import MAX_BYTES, read_text
from lockgate.yaml.values import read_values


class Reading(NamedTuple):
    """What a text says. `spec` is None where an error keeps it from meaning anything.

    `filled` is the document with defaults.
    """

    file: str
    text: str
    written: Mapping[str, Any]
    filled: Mapping[str, Any]
    spec: Spec | None
    diagnostics: tuple[Diagnostic, ...]


class SpecError(Exception):
    """The spec cannot be used; `reading` holds why."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(f"{reading.file} has errors")
        self.reading = reading

    def render(self) -> str:
        """The errors as text for people."""
        return render_text(self.reading.diagnostics, {self.reading.file: self.reading.text}, colour=False)


def load(root: Path) -> Spec:
    """The spec of the project in that folder.

    Raises SpecError where it has errors, and OSError where it cannot be read.
    """
    reading = read(read_bytes(root))
    if reading.spec is None:
        raise SpecError(reading)
    return reading.spec


def read_bytes(root: Path) -> bytes:
    """The bytes of that project's spec; of a file that is too large no more than shows that it is."""
    with (root / SPEC_FILE).open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def read(data: bytes, file: str = SPEC_FILE) -> Reading:
    """What the bytes of a spec say."""
    try:
        text = read_text(data)
    except YamlError as error:
        return _unreadable(file, data.decode(errors="replace"), error)
    try:
        written = read_values(text)
    except YamlError as error:
        return _unreadable(file, text, error)
    return _interpret(file, text, written)


def locate(findings: Iterable[Finding], text: str, file: str = SPEC_FILE) -> tuple[Diagnostic, ...]:
    """The findings with the places in the text, which is YAML, that they speak of."""
    return sort(_locate(finding, _nodes(text), file) for finding in findings)


def line_of(reading: Reading, location: Location) -> int | None:
    """The line, from 1, in which the spec says something at the location; None where it does not."""
    node = node_at(_nodes(reading.text), location)
    return None if node is None else node.span.start.line + 1


# Most texts are in order, and nobody asks where anything stands.
@lru_cache(maxsize=1)
def _nodes(text: str) -> Node:
    return parse(text)


def _interpret(file: str, text: str, written: Any) -> Reading:  # noqa: ANN401 - whatever the user wrote
    findings = validate(written)
    filled: dict[str, Any] = {}
    spec = None
    if not findings:
        filled = fill(written)
        findings = tuple(rules.check(filled, written))
        if not any(finding.severity == "error" for finding in findings):
            spec = build(filled, written)
    return Reading(
        file=file,
        text=text,
        written=written if isinstance(written, Mapping) else {},
        filled=filled,
        spec=spec,
        diagnostics=locate(findings, text, file),
    )


def _unreadable(file: str, text: str, error: YamlError) -> Reading:
    diagnostic = Diagnostic(
        rule=error.rule, message=error.message, file=file, position=_position(error.span), help=error.help
    )
    return Reading(file=file, text=text, written={}, filled={}, spec=None, diagnostics=(diagnostic,))


def _locate(finding: Finding, root: Node, file: str) -> Diagnostic:
    return Diagnostic(
        rule=finding.rule,
        message=finding.message,
        file=file,
        position=_position(_span(finding, root)),
        path=".".join(str(step) for step in finding.location),
        help=finding.help,
        severity=finding.severity,
    )


def _span(finding: Finding, root: Node) -> Span:
    """Of the key or the value; of a map or list the key that holds it; of what is not there the nearest above."""
    location = finding.location
    while location:
        node, entry = node_at(root, location), entry_at(root, location)
        if node is not None:
            is_inside_line = node.span.start.line == node.span.end.line and not finding.at_key
            return entry.key.span if entry is not None and not is_inside_line else node.span
        location = location[:-1]
    return Span(root.span.start, root.span.start)


def _position(span: Span) -> Position:
    return Position(
        line=span.start.line + 1,
        column=span.start.column + 1,
        end_line=span.end.line + 1,
        end_column=span.end.column + 1,
    )
