"""The text of a YAML document as nodes with positions; refuses every part of YAML that a spec has no use for.

Built from the parser's events in one pass and without recursion, so nesting cannot exhaust a stack.
"""

from __future__ import annotations

import gc
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import yaml
from yaml import events as ev

from lockgate.yaml.nodes import Entry, Mapping, Mark, Node, Scalar, Sequence, Span, YamlError
from lockgate.yaml.resolve import clipped, resolve
from lockgate.yaml.syntax import LINE_BREAK, explain, mark_at

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 50
READER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""PyYAML's, over libyaml where it has that."""

_START = Span(Mark(0, 0, 0), Mark(0, 0, 0))
_UTF8_MARK = b"\xef\xbb\xbf"
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")

# What libyaml refuses, and what YAML 1.1 takes for a line break but YAML 1.2 and editors do not.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


class _Open:
    """A collection whose end has not come yet; `key_lines` is None in a sequence."""

    __slots__ = ("entries", "flow", "items", "key", "key_lines", "start")

    def __init__(self, start: Mark, *, flow: bool, is_mapping: bool) -> None:
        self.start = start
        self.flow = flow
        self.key_lines: dict[str, int] | None = {} if is_mapping else None
        self.entries: list[Entry] = []
        self.items: list[Node] = []
        self.key: Scalar | None = None


def read_text(data: bytes) -> str:
    """The bytes of a file as text, without a byte order mark; YamlError where they are not clean UTF-8."""
    if len(data) > MAX_BYTES:
        message = f"found more than {MAX_BYTES // 1024**2} MB, which is more than Lockgate reads"
        raise YamlError("yaml-size", message, _START, "remove what is generated")
    if data.startswith(_WIDE_MARKS):
        message = "found a byte order mark of UTF-16 or UTF-32"
        raise YamlError("yaml-encoding", message, _START, "save the file as UTF-8")
    data = data.removeprefix(_UTF8_MARK)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        mark = mark_at(before, len(before))
        message = f"found the byte 0x{data[error.start]:02x}, which is not UTF-8"
        raise YamlError("yaml-encoding", message, Span(mark, mark), "save the file as UTF-8") from None
    _refuse_control(text, 0)
    return text


def parse(text: str) -> Node:
    """The one document in the text; YamlError at the first thing that Lockgate does not read."""
    shift = 1 if text.startswith("\ufeff") else 0
    _refuse_control(text, shift)
    try:
        with collecting_later():
            return _build(iter(READER(text[shift:]).get_event, None), text, shift)
    except yaml.MarkedYAMLError as error:
        raise explain(error, text, shift) from None
    except (ValueError, OverflowError, yaml.YAMLError) as error:
        # PyYAML's own reader converts escapes and versions unchecked; libyaml checks them.
        message = f"found text that is not YAML ({clipped(str(error))})"
        raise YamlError("yaml-syntax", message, _START, "check escapes and directives") from None


def holds_control(text: str) -> bool:
    """Whether there is a character that no YAML may hold raw."""
    return _CONTROL.search(text) is not None


@contextmanager
def collecting_later() -> Iterator[None]:
    """What is read holds no cycles, and looking for some among ever more of it takes as long as all the rest."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _build(events: Iterator[Any], text: str, shift: int) -> Node:
    root: Node | None = None
    opened: list[_Open] = []
    for event in events:
        kind = type(event)
        node: Node
        if kind is ev.ScalarEvent:
            node = _scalar(event, opened, text, shift)
        elif kind is ev.MappingStartEvent or kind is ev.SequenceStartEvent:
            opened.append(_open(event, opened, shift))
            continue
        elif kind is ev.MappingEndEvent or kind is ev.SequenceEndEvent:
            node = _close(opened.pop(), event, shift)
        else:
            _check_other(event, root, shift)
            continue
        if opened:
            _add(opened[-1], node)
        else:
            root = node
    return _whole(root)


def _scalar(event: Any, opened: list[_Open], text: str, shift: int) -> Scalar:  # noqa: ANN401 - PyYAML's own
    if event.tag is not None or event.anchor is not None:
        _refuse_properties(event, shift)
    style, said = event.style, event.value
    span = _span(event, shift) if style not in ("|", ">") else _block_span(event, text, shift)
    if opened and opened[-1].key_lines is not None and opened[-1].key is None:
        if not style and not said:
            raise YamlError("yaml-key", "found a mapping entry without a key", span, "write 'key: value'")
        return Scalar(said, said, not style, span)
    return Scalar(said if style else resolve(said, span), said, not style, span)


def _open(event: Any, opened: list[_Open], shift: int) -> _Open:  # noqa: ANN401
    if event.tag is not None or event.anchor is not None:
        _refuse_properties(event, shift)
    if len(opened) >= MAX_DEPTH:
        message = f"found more than {MAX_DEPTH} levels of nesting"
        raise YamlError("yaml-depth", message, _span(event, shift), "nest less deeply")
    if opened and opened[-1].key_lines is not None and opened[-1].key is None:
        help_ = "write the key as text; quote it if it starts with '{' or '['"
        raise YamlError("yaml-key", "found a mapping or a list as a key", _span(event, shift), help_)
    is_mapping = type(event) is ev.MappingStartEvent
    return _Open(_mark(event.start_mark, shift), flow=event.flow_style, is_mapping=is_mapping)


def _close(collection: _Open, event: Any, shift: int) -> Node:  # noqa: ANN401
    """The finished collection; a block ends with its last child, for its event stands behind the comments."""
    entries, items = collection.entries, collection.items
    last = entries[-1].value if entries else items[-1] if items else None
    end = _mark(event.end_mark, shift) if collection.flow or last is None else last.span.end
    span = Span(collection.start, end)
    return Sequence(tuple(items), span) if collection.key_lines is None else Mapping(tuple(entries), span)


def _add(parent: _Open, node: Node) -> None:
    if parent.key_lines is None:
        parent.items.append(node)
    elif parent.key is not None:
        parent.entries.append(Entry(parent.key, node))
        parent.key = None
    elif isinstance(node, Scalar):
        first = parent.key_lines.setdefault(node.text, node.span.start.line)
        # The line alone cannot tell: a flow mapping has many keys on one.
        if len(parent.key_lines) == len(parent.entries):
            message = f"found the key {clipped(node.text)} twice, first in line {first + 1}"
            raise YamlError("yaml-duplicate-key", message, node.span, "keep one of the two")
        parent.key = node


def _check_other(event: Any, root: Node | None, shift: int) -> None:  # noqa: ANN401
    if type(event) is ev.AliasEvent:
        message = f"found the alias {clipped(f'*{event.anchor}')}"
        help_ = "write the value out, or quote it if it is meant as text"
        raise YamlError("yaml-alias", message, _span(event, shift), help_)
    if type(event) is ev.DocumentStartEvent and root is not None:
        help_ = "keep one document in the file"
        raise YamlError("yaml-documents", "found a second document", _span(event, shift), help_)


def _whole(root: Node | None) -> Node:
    if root is None or (isinstance(root, Scalar) and root.plain and not root.text):
        raise YamlError("yaml-documents", "found an empty document", _START, "write the spec here")
    return root


def _refuse_properties(event: Any, shift: int) -> NoReturn:  # noqa: ANN401
    span = _span(event, shift)
    if event.tag is None:
        message = f"found the anchor {clipped(f'&{event.anchor}')}"
        raise YamlError("yaml-alias", message, span, "write the value out where it is used")
    message = f"found the tag {clipped(event.tag)}"
    raise YamlError("yaml-tag", message, span, "remove the tag, or quote the value if the '!' belongs to it")


def _refuse_control(text: str, start: int) -> None:
    found = _CONTROL.search(text, start)
    if found:
        message = f"found the control character U+{ord(found[0]):04X}"
        help_ = f'remove it, or write "\\u{ord(found[0]):04x}" in double quotes'
        span = Span(mark_at(text, found.start()), mark_at(text, found.end()))
        raise YamlError("yaml-control", message, span, help_)


def _block_span(event: Any, text: str, shift: int) -> Span:  # noqa: ANN401
    """From the indicator to the last character that shows; the event goes on to the next node."""
    start = _mark(event.start_mark, shift)
    body = text[start.offset : event.end_mark.index + shift].rstrip()
    breaks = list(LINE_BREAK.finditer(body))
    column = len(body) - breaks[-1].end() if breaks else start.column + len(body)
    return Span(start, Mark(start.line + len(breaks), column, start.offset + len(body)))


def _span(event: Any, shift: int) -> Span:  # noqa: ANN401
    start, end = event.start_mark, event.end_mark
    return Span(
        Mark(start.line, start.column, start.index + shift), Mark(end.line, end.column, end.index + shift)
    )


def _mark(mark: Any, shift: int) -> Mark:  # noqa: ANN401
    return Mark(mark.line, mark.column, mark.index + shift)
