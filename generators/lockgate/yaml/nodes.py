"""A YAML document as immutable nodes, each with its place in the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

Location: TypeAlias = tuple[str | int, ...]
"""The way from the root to a node: keys of mappings and indexes of sequences."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a text: line and column from 0, in characters; offset from the text's start, in characters."""

    line: int
    column: int
    offset: int


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text; `end` is the place after its last character."""

    start: Mark
    end: Mark


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value; `text` is what it says, `plain` whether it stands there without quotes."""

    value: str | int | float | bool | None
    text: str
    plain: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping and what it holds."""

    key: Scalar
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """Entries in the order of the text; keys are strings and none stands twice."""

    entries: tuple[Entry, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Sequence:
    """Items in the order of the text."""

    items: tuple[Node, ...]
    span: Span


Node: TypeAlias = Scalar | Mapping | Sequence


@dataclass(frozen=True, slots=True)
class YamlError(Exception):
    """The text is not the YAML that Lockgate reads; `rule` names the rule of docs/diagnostics.md that it breaks."""

    rule: str
    message: str
    span: Span
    help: str


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
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            return None
    return node
