"""A finding as plain data: which rule, what was found, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from lockgate.tuples import NamedTuple

Severity: TypeAlias = Literal["error", "warning"]


class Position(NamedTuple):
    """A stretch of a file: lines and columns from 1, in characters; the end column is the one after the last."""

    line: int
    column: int
    end_line: int
    end_column: int


class Diagnostic(NamedTuple):
    """One finding.

    `file` is relative to the project's root. `position` is None where the finding is about the whole file.
    `path` is the dotted path in the spec (`models.flight-delay.gates`), empty where there is none.
    `help` is the next step to take.
    """

    rule: str
    message: str
    file: str
    position: Position | None = None
    path: str = ""
    help: str = ""
    severity: Severity = "error"


class Finding(NamedTuple):
    """A finding about a place in the spec, by its location (keys and indexes from the root), before it has a position.

    `at_key` points at the key of the location rather than at what it holds.
    """

    rule: str
    message: str
    location: tuple[str | int, ...]
    help: str = ""
    at_key: bool = False
    severity: Severity = "error"


def once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The first of each rule and place: one mistake that breaks many files is one finding."""
    first: dict[tuple[str, tuple[str | int, ...]], Finding] = {}
    for finding in findings:
        first.setdefault((finding.rule, finding.location), finding)
    return tuple(first.values())


def sort(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By file and position, each finding once; those about a whole file come first."""
    start = Position(line=0, column=0, end_line=0, end_column=0)
    unique = dict.fromkeys(diagnostics)
    return tuple(sorted(unique, key=lambda it: (it.file, it.position or start, it.rule, it.message)))
