"""The text of a YAML document as dicts, lists and scalars, for readers that do not ask where each of them stands.

A third of the work of reading it as nodes, which is done only for a text that may have to be refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from yaml import events as ev

from lockgate.yaml.nodes import Mark, Span, YamlError, plain_value
from lockgate.yaml.parse import MAX_DEPTH, READER, collecting_later, holds_control, parse
from lockgate.yaml.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

_NOWHERE = Span(Mark(0, 0, 0), Mark(0, 0, 0))


class _Unusual(Exception):  # noqa: N818 - may be right all the same: the reader with positions says
    pass


def read_values(text: str) -> Any:  # noqa: ANN401 - what a YAML document holds is known to its reader only
    """What the one document in the text holds; YamlError at the first thing that Lockgate does not read."""
    try:
        with collecting_later():
            return _document(text)
    except (_Unusual, YamlError, yaml.YAMLError, ValueError, OverflowError):
        return plain_value(parse(text))


def _document(text: str) -> Any:  # noqa: ANN401
    if holds_control(text):
        raise _Unusual
    following = READER(text).get_event
    _expect(ev.StreamStartEvent, following)
    _expect(ev.DocumentStartEvent, following)
    root = following()
    if type(root) is ev.ScalarEvent:
        raise _Unusual  # an empty document is refused
    document = _value(root, following, 0)
    _expect(ev.DocumentEndEvent, following)
    _expect(ev.StreamEndEvent, following)
    return document


def _expect(kind: type[Any], following: Callable[[], Any]) -> None:
    if type(following()) is not kind:
        raise _Unusual


def _value(event: Any, following: Callable[[], Any], depth: int) -> Any:  # noqa: ANN401
    """What begins with the event."""
    kind = type(event)
    if kind is ev.AliasEvent or event.tag is not None or event.anchor is not None:
        raise _Unusual
    if kind is ev.ScalarEvent:
        return event.value if event.style else resolve(event.value, _NOWHERE)
    if depth >= MAX_DEPTH:
        raise _Unusual
    return (_mapping if kind is ev.MappingStartEvent else _sequence)(following, depth + 1)


def _mapping(following: Callable[[], Any], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    keys = 0
    key = following()
    while type(key) is ev.ScalarEvent:
        if key.tag is not None or key.anchor is not None or not (key.value or key.style):
            raise _Unusual
        found[key.value] = _value(following(), following, depth)
        keys += 1
        key = following()
    if type(key) is not ev.MappingEndEvent or keys != len(found):
        raise _Unusual  # something else as a key, or one that stands there twice
    return found


def _sequence(following: Callable[[], Any], depth: int) -> list[Any]:
    items = []
    while type(event := following()) is not ev.SequenceEndEvent:
        items.append(_value(event, following, depth))
    return items
