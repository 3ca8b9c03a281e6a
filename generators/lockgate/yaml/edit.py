"""One value of a YAML text changed or added, with every other character kept: comments, quotes, line ends, blanks.

Each edit is read back before it is returned, so none leaves this module that changes anything else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lockgate.yaml.dump import double_quoted, dump_scalar, needs_escapes
from lockgate.yaml.nodes import Location, Mapping, Node, Scalar, Sequence, YamlError, node_at, plain_value
from lockgate.yaml.parse import parse
from lockgate.yaml.syntax import LINE_BREAK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lockgate.yaml.resolve import Value

_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*(?P<comment>[ \t]+#[^\r\n]*)?")
_FLOW_INDICATOR = re.compile(r"[,\[\]{}:?]")
_BLANK_LINES = re.compile(r"(?:[ \t]*(?:\r\n|\n|\r))*")
_DEFAULT_INDENT = 2


def replace_scalar(text: str, location: Location, value: Value) -> str:
    """The text with another scalar at the location.

    KeyError where no scalar is there, ValueError where YAML cannot hold the value, YamlError where it is no YAML.
    """
    root = parse(text)
    node = node_at(root, location)
    if not isinstance(node, Scalar):
        raise KeyError(location)
    start, end = node.span.start.offset, node.span.end.offset
    old = text[start:end]
    candidates = _replacements(
        old, value, flow=_in_flow(text, root, location), spaced=text[start - 1 : start] == " "
    )
    edits = (text[:start] + new + text[end:] for new in candidates)
    return _first_that_reads_as(_with_value(plain_value(root), location, value), edits)


def insert_key(text: str, location_of_mapping: Location, key: str, value: Value) -> str:
    """The text with a last entry in the mapping, which is made, with its parents, where it is missing or null.

    KeyError where the mapping has the key already, or where the location is of something else than a mapping.
    """
    root = parse(text)
    place, names = _nearest(root, (*location_of_mapping, key))
    if isinstance(node_at(root, place), Mapping):
        edits = _grown(text, root, place, names, value)
    else:
        edits = _filled(text, root, place, names, value)
    data = plain_value(root)
    entry: Any = value
    for name in reversed(names[1:]):
        entry = {name: entry}
    if isinstance(node_at(root, place), Scalar):
        return _first_that_reads_as(_with_value(data, place, {names[0]: entry}), edits)
    return _first_that_reads_as(_with_value(data, (*place, names[0]), entry), edits)


def _replacements(old: str, value: Value, *, flow: bool, spaced: bool) -> Iterator[str]:
    """What may stand for the old scalar, the most alike first."""
    said = _scalar(value, flow=flow)
    if isinstance(value, str) and old.startswith("'") and not needs_escapes(value):
        said = "'" + value.replace("'", "''") + "'"
    elif isinstance(value, str) and old.startswith('"'):
        said = double_quoted(value)
    header = _BLOCK_HEADER.match(old)
    comment = (header["comment"] or "") if header else ""
    if old or spaced:
        yield f"{said}{comment}"
    # After a '-' or a ':' without a space, and after a key of a flow mapping without a ':'.
    yield f" {said}{comment}"
    yield f": {said}"


def _nearest(root: Node, wanted: Location) -> tuple[Location, list[str]]:
    """The deepest place on the way that holds a mapping or null, and the keys that are missing below it."""
    for depth in range(len(wanted) - 1, -1, -1):
        node = node_at(root, wanted[:depth])
        if node is None:
            continue
        names = [step for step in wanted[depth:] if isinstance(step, str)]
        taken = isinstance(node, Mapping) and node_at(root, wanted[: depth + 1]) is not None
        open_ = isinstance(node, Mapping) or (
            isinstance(node, Scalar) and node.plain and node.value is None and depth
        )
        if taken or not open_ or len(names) < len(wanted) - depth:
            raise KeyError(wanted)
        return wanted[:depth], names
    raise KeyError(wanted)


def _grown(text: str, root: Node, place: Location, names: list[str], value: Value) -> Iterator[str]:
    """The text with another last entry in the mapping at the place."""
    mapping = node_at(root, place)
    assert isinstance(mapping, Mapping)
    end = mapping.entries[-1].value.span.end.offset if mapping.entries else mapping.span.start.offset + 1
    if _is_flow(text, mapping):
        comma = ", " if mapping.entries else ""
        yield text[:end] + comma + _flow_entry(names, value) + text[end:]
        return
    line_break = _line_break(text)
    lines = _block_entry(names, value, mapping.span.start.column, _indent(root), line_break)
    end = _line_end(text, end)
    yield f"{text[:end]}{line_break}{lines}{text[end:]}"
    # A block scalar that keeps its last line breaks owns the blank lines that follow.
    blanks = _BLANK_LINES.match(text, end)
    behind = blanks.end() if blanks else end
    yield f"{text[:behind]}{lines}{line_break}{text[behind:]}"


def _filled(text: str, root: Node, place: Location, names: list[str], value: Value) -> Iterator[str]:
    """The text with a mapping in the place of null."""
    node, parent = node_at(root, place), node_at(root, place[:-1])
    assert node is not None
    assert parent is not None
    start, end = node.span.start.offset, node.span.end.offset
    if _in_flow(text, root, place):
        entry = f"{{{_flow_entry(names, value)}}}"
        yield from (f"{text[:start]}{before}{entry}{text[end:]}" for before in ("", " ", ": "))
        return
    indent, line_break = _indent(root), _line_break(text)
    line_end = _line_end(text, end)
    column = parent.span.start.column + (indent if isinstance(parent, Mapping) else _DEFAULT_INDENT)
    lines = _block_entry(names, value, column, indent, line_break)
    head = text[:start].rstrip(" ") + text[end:line_end]
    yield f"{head}{line_break}{lines}{text[line_end:]}"


def _flow_entry(names: list[str], value: Value) -> str:
    said = _scalar(value, flow=True)
    for name in reversed(names[1:]):
        said = f"{{{_scalar(name, flow=True)}: {said}}}"
    return f"{_scalar(names[0], flow=True)}: {said}"


def _block_entry(names: list[str], value: Value, column: int, indent: int, line_break: str) -> str:
    lines = [f"{' ' * (column + indent * depth)}{dump_scalar(name)}:" for depth, name in enumerate(names)]
    return f"{line_break.join(lines)} {_scalar(value, flow=False)}"


def _scalar(value: Value, *, flow: bool) -> str:
    said = dump_scalar(value)
    if flow and isinstance(value, str) and said == value and _FLOW_INDICATOR.search(value):
        return double_quoted(value)
    return said


def _in_flow(text: str, root: Node, location: Location) -> bool:
    return any(_is_flow(text, node_at(root, location[:depth])) for depth in range(len(location)))


def _is_flow(text: str, node: Node | None) -> bool:
    return isinstance(node, (Mapping, Sequence)) and text[node.span.start.offset] in "{["


def _line_break(text: str) -> str:
    found = LINE_BREAK.search(text)
    return found[0] if found else "\n"


def _line_end(text: str, offset: int) -> int:
    found = LINE_BREAK.search(text, offset)
    return found.start() if found else len(text)


def _indent(root: Node) -> int:
    """How far the document indents a mapping in its root, or what is usual."""
    if isinstance(root, Mapping):
        for entry in root.entries:
            start = entry.value.span.start
            is_below = isinstance(entry.value, Mapping) and start.line > entry.key.span.start.line
            if is_below and start.column > root.span.start.column:
                return start.column - root.span.start.column
    return _DEFAULT_INDENT


def _with_value(data: Any, location: Location, value: Any) -> Any:  # noqa: ANN401 - plain data of any shape
    if not location:
        return value
    parent = data
    for step in location[:-1]:
        parent = parent[step]
    parent[location[-1]] = value
    return data


def _first_that_reads_as(expected: Any, edits: Iterable[str]) -> str:  # noqa: ANN401
    # By their text, data tells 1 from 1.0 and True, and not-a-number is what it is.
    wanted = repr(expected)
    for edited in edits:
        try:
            if repr(plain_value(parse(edited))) == wanted:
                return edited
        except YamlError:
            continue
    raise ValueError("YAML cannot hold this value at this place")
