"""A YAML document as immutable nodes, each with its place in the text.

Named tuples, because a large spec has a hundred thousand of them: a frozen dataclass takes twice as long to make.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from lockgate.tuples import NamedTuple

Location: TypeAlias = tuple[str | int, ...]
"""The way from the root to a node: keys of mappings and indexes of sequences."""


class Mark(NamedTuple):
    """A place in a text: line and column from 0, in characters; offset from the text's start, in characters."""

    line: int
    column: int
    offset: int


class Span(NamedTuple):
    """A stretch of text; `end` is the place after its last character."""

    start: Mark
    end: Mark


class Scalar(NamedTuple):
    """One value; `text` is what it says, `plain` whether it stands there without quotes."""

    value: str | int | float | bool | None
    text: str
    plain: bool
    span: Span


class Entry(NamedTuple):
    """A key of a mapping and what it holds."""

    key: Scalar
    value: Node


class Mapping(NamedTuple):
    """Entries in the order of the text; keys are strings and none stands twice."""

    entries: tuple[Entry, ...]
    span: Span


class Sequence(NamedTuple):
    """Items in the order of the text."""

    items: tuple[Node, ...]
    span: Span


Node: TypeAlias = Scalar | Mapping | Sequence


class YamlError(Exception):
    """The text is not the YAML that Lockgate reads; `rule` names the rule of docs/diagnostics.md that it breaks."""

    def __init__(self, rule: str, message: str, span: Span, help: str) -> None:  # noqa: A002 - as in Diagnostic
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.span = span
        self.help = help


def plain_value(node: Node) -> Any:  # noqa: ANN401 - what a YAML document holds is known to its reader only
    """The node as dicts, lists and scalars."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain_value(item) for item in node.items]
    return {str(entry.key.value): plain_value(entry.value) for entry in node.entries}


def entry_at(root: Node, location: Location) -> Entry | None:
    """The entry of a mapping at the location; None where there is none, or where the location is of an item."""
    if not location:
        return None
    parent = node_at(root, location[:-1])
    if not isinstance(parent, Mapping):
        return None
    return next((entry for entry in parent.entries if entry.key.value == location[-1]), None)


def node_at(root: Node, location: Location) -> Node | None:
    """The node at the location; None where there is none."""
    node: Node = root
    for step in location:
        if isinstance(node, Mapping):
            found = next((entry.value for entry in node.entries if entry.key.value == step), None)
            if found is None:
                return None
            node = found
        elif isinstance(node, Sequence) and isinstance(step, int) and 0 <= step < len(node.items):
            node = node.items[step]
        else:
            return None
    return node
