"""Diagnostics as people read them in a terminal: the place, the line, and carets under what is meant.

Whatever was in a file is shown so that it cannot steer the terminal: controls and reordering marks as escapes.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lockgate.diagnostics.model import Diagnostic, Position

MAX_SNIPPET_WIDTH = 120

_LINE_BREAK = re.compile(r"\r\n|\n|\r")
# Compiled when something is shown: that takes a thousandth of a second, and mostly nothing is wrong.
_UNSAFE = (
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\uffff"
    "\U000e0000-\U000e007f]"
)
_RESET = "\x1b[0m"
_COLOURS = {
    "error": "\x1b[1;31m",
    "warning": "\x1b[1;33m",
    "help": "\x1b[1;36m",
    "gutter": "\x1b[34m",
    "place": "\x1b[1m",
}


def render_text(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str], *, colour: bool) -> str:
    """All diagnostics with a summary; `sources` holds the text of the files they are about, by their name."""
    found = tuple(diagnostics)
    lines_of = {file: _LINE_BREAK.split(text) for file, text in sources.items()}
    blocks = ["\n".join(_block(it, lines_of.get(it.file, []), colour=colour)) for it in found]
    return "\n\n".join([*blocks, summary(found)]) + "\n"


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """How many errors and warnings there are, in words."""
    severities = [it.severity for it in diagnostics]
    counts = [(severities.count("error"), "error"), (severities.count("warning"), "warning")]
    said = [f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts if count]
    return ", ".join(said) or "no errors"


def escaped(text: str) -> str:
    """The text with everything that does not show, or that steers a terminal, as an escape."""
    return re.sub(_UNSAFE, _escape, text)


def _block(it: Diagnostic, lines: list[str], *, colour: bool) -> Iterator[str]:
    place = f"{escaped(it.file)}:"
    if it.position:
        place += f"{it.position.line}:{it.position.column}:"
    severity = _painted(f"{it.severity}:", it.severity, colour=colour)
    yield f"{_painted(place, 'place', colour=colour)} {severity} {escaped(it.message)} [{escaped(it.rule)}]"
    margin = "  "
    if it.position and 1 <= it.position.line <= len(lines):
        margin = " " * len(str(it.position.line))
        yield from _snippet(it.position, lines[it.position.line - 1], margin, it.severity, colour=colour)
    if it.help:
        yield f"{margin} {_painted('= help:', 'help', colour=colour)} {escaped(it.help)}"


def _snippet(position: Position, line: str, margin: str, severity: str, *, colour: bool) -> Iterator[str]:
    bar = _painted("|", "gutter", colour=colour)
    start = min(position.column - 1, len(line))
    end = len(line) if position.end_line > position.line else min(position.end_column - 1, len(line))
    before, marked, after = _clipped(_shown(line[:start]), _shown(line[start:end]), _shown(line[end:]))
    carets = _painted("^" * max(_width(marked), 1), severity, colour=colour)
    yield f"{margin} {bar}"
    yield f"{_painted(str(position.line), 'gutter', colour=colour)} {bar} {before}{marked}{after}".rstrip()
    yield f"{margin} {bar} {' ' * _width(before)}{carets}"


def _clipped(before: str, marked: str, after: str) -> tuple[str, str, str]:
    """The three parts of a line cut to what fits, most of it for what is marked."""
    if _width(before) + _width(marked) + _width(after) <= MAX_SNIPPET_WIDTH:
        return before, marked, after
    marked = _head(marked, MAX_SNIPPET_WIDTH * 2 // 3)
    room = MAX_SNIPPET_WIDTH - _width(marked)
    before = _tail(before, max(room // 2, room - _width(after[:room])))
    return before, marked, _head(after, room - _width(before))


def _head(text: str, width: int) -> str:
    if len(text) <= width and _width(text) <= width:
        return text
    kept = text[: max(width - 1, 0)]
    while kept and _width(kept) > width - 1:
        kept = kept[:-1]
    return f"{kept}…"


def _tail(text: str, width: int) -> str:
    if len(text) <= width and _width(text) <= width:
        return text
    kept = text[len(text) - max(width - 1, 0) :]
    while kept and _width(kept) > width - 1:
        kept = kept[1:]
    return f"…{kept}"


def _shown(text: str) -> str:
    return escaped(text.replace("\t", " "))


def _width(text: str) -> int:
    """How many columns a terminal gives the text."""
    return len(text) if text.isascii() else sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if unicodedata.combining(character) or "\ufe00" <= character <= "\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code in (9, 10, 13):
        return {9: "\\t", 10: "\\n", 13: "\\r"}[code]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _painted(text: str, role: str, *, colour: bool) -> str:
    return f"{_COLOURS[role]}{text}{_RESET}" if colour else text
