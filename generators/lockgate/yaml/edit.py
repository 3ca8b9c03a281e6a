"""One value of a YAML text changed or added, with every other character kept: comments, quotes, line ends, blanks.

Each edit is read back before it is returned, so an edit that would change anything else cannot leave this module.
"""

from __future__ import annotations

import re
from typing import Any

from lockgate.yaml.dump import double_quoted, dump_scalar, needs_escapes
from lockgate.yaml.nodes import Location, Mapping, Node, Scalar, node_at, plain_value
from lockgate.yaml.parse import parse
from lockgate.yaml.resolve import Value
from lockgate.yaml.syntax import LINE_BREAK

_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*(?P<comment>[ \t]+#[^\r\n]*)?")
_FLOW_INDICATOR = re.compile(r"[,\[\]{}]|:$|^[?:-]|:[,\[\]{}'\"]")


def replace_scalar(text: str, location: Location, value: Value) -> str:
    """The text with another scalar at the location; KeyError where no scalar is, YamlError where it is not YAML."""
    root = parse(text)
    node = node_at(root, location)
    if not isinstance(node, Scalar):
        raise KeyError(location)
    start, end = node.span.start.offset, node.span.end.offset
    old = text[start:end]
    expected = _with_value(plain_value(root), location, value)
    for candidate in _candidates(value, old):
        edited = text[:start] + _spaced(candidate, text[:start], old) + text[end:]
        if _reads_as(edited, expected):
            return edited
    raise KeyError(location)


def insert_key(text: str, location_of_mapping: Location, key: str, value: Value) -> str:
    """The text with a last entry in the mapping, which is made, with its parents, where it is missing.

    KeyError where the mapping has the key, or where the location is of something else than a mapping.
    """
    root = parse(text)
    depth = next(n for n in range(len(location_of_mapping), -1, -1) if node_at(root, location_of_mapping[:n]) is not None)
    place, missing = location_of_mapping[:depth], location_of_mapping[depth:]
    node = node_at(root, place)
    path = [*missing, key]
    if any(isinstance(step, int) for step in missing) or not _takes(node, path[0]):
        raise KeyError((*location_of_mapping, key))
    entry: Any = value
    for step in reversed(path[1:]):
        entry = {step: entry}
    edited = _inserted(text, root, place, path, value)
    if not _reads_as(edited, _with_entry(plain_value(root), place, str(path[0]), entry)):
        raise KeyError((*location_of_mapping, key))
    return edited
