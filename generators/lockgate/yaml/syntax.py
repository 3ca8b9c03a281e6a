"""The YAML reader's own complaints, said so that somebody who writes a spec knows what to change."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lockgate.tuples import NamedTuple
from lockgate.yaml.nodes import Mark, Span, YamlError

if TYPE_CHECKING:
    from yaml.error import MarkedYAMLError

LINE_BREAK = re.compile(r"\r\n|\n|\r")
_CONFLICT_MARKER = re.compile(r"^<<<<<<< ", re.MULTILINE)


class _Wording(NamedTuple):
    pattern: str
    message: str
    help: str
    rule: str = "yaml-syntax"


_TAB = _Wording("", "found a tab in the indentation", "indent with spaces")
_UNCLOSED = _Wording("", "found an opening {found} that is never closed", "close it")
_CONFLICT = _Wording("", "found the marker of a merge conflict", "resolve the conflict")
_NO_COLON = _Wording(
    r"simple key",
    "found a line that is neither 'key: value' nor part of the value above",
    "write 'key: value', with a space after the ':'",
)

# Tried in order on "context: problem", in the words of libyaml and in those of PyYAML's own reader.
_WORDINGS = (
    _Wording(
        r"nesting depth", "found more levels of nesting than can be read", "nest less deeply", "yaml-depth"
    ),
    _Wording(
        r"mapping values are not allowed",
        "found a ':' where no mapping may start",
        "quote the value if the ':' belongs to it, else check this line's indentation",
    ),
    _NO_COLON,
    _Wording(
        r"flow node",
        "found '{found}' where a value is expected",
        "write a value there, and close what is open",
    ),
    _Wording(
        r"flow (sequence|mapping)",
        "found '{found}' before the '{opener}' of line {line} is closed",
        "put a comma between entries, and close what is open",
    ),
    _Wording(
        r"escape|hexdecimal",
        "found a backslash sequence that YAML does not know",
        "write the backslash twice, or use single quotes",
    ),
    _Wording(
        r"scanning an? (alias|anchor)",
        "found '{opener}', with which an alias or an anchor starts",
        "quote the value",
        "yaml-alias",
    ),
    _Wording(
        r"\btag\b",
        "found a tag, which Lockgate refuses",
        "quote the value if the '!' belongs to it",
        "yaml-tag",
    ),
    _Wording(r"cannot start any token", "found '{found}', which cannot start a value", "quote the value"),
    _Wording(
        r"sequence entries are not allowed",
        "found a '-' where no list may start",
        "start the list on a line of its own",
    ),
    _Wording(
        r"block (collection|mapping|sequence)",
        "found text that continues nothing above it",
        "check the indentation and the quotes here and above",
    ),
    _Wording(
        r"document start",
        "found text after the end of the document",
        "check the brackets and the indentation of the lines above",
    ),
)
_UNKNOWN = _Wording("", "found text that is not YAML ({problem})", "check this line and the one above")


def explain(error: MarkedYAMLError, text: str, shift: int) -> YamlError:
    """The reader's error as ours; `shift` is how many characters stand before what the reader was given."""
    problem = _offset(error.problem_mark, text, shift)
    context = problem if error.context_mark is None else _offset(error.context_mark, text, shift)
    said = f"{error.context or ''}: {error.problem or ''}"
    if text[problem - 1 : problem] == "\\":
        problem -= 1  # PyYAML's own reader points behind the backslash
    if conflict := _CONFLICT_MARKER.search(text):
        return _error(_CONFLICT, text, conflict.start(), {})
    if "tab character" in said or text[problem : problem + 1] == "\t":
        return _error(_TAB, text, _tab_before(text, problem), {})
    if problem >= len(text.rstrip()) and text[context : context + 1] in ("'", '"', "[", "{"):
        return _error(_UNCLOSED, text, context, {"found": text[context]})
    wording = next((it for it in _WORDINGS if re.search(it.pattern, said)), _UNKNOWN)
    facts = {
        "found": text[problem : problem + 1].strip() or "the end of the line",
        "opener": text[context : context + 1],
        "line": mark_at(text, context).line + 1,
        "problem": error.problem,
    }
    return _error(wording, text, context if wording is _NO_COLON else problem, facts)


def mark_at(text: str, offset: int) -> Mark:
    """The place of an offset, counted from the start of the text."""
    line, start = 0, 0
    for line, found in enumerate(LINE_BREAK.finditer(text, 0, offset), start=1):  # noqa: B007 - the count is used
        start = found.end()
    return Mark(line, offset - start, offset)


def _error(wording: _Wording, text: str, offset: int, facts: dict[str, object]) -> YamlError:
    end = min(offset + 1, len(text)) if text[offset : offset + 1] not in ("\r", "\n") else offset
    span = Span(mark_at(text, offset), mark_at(text, end))
    return YamlError(wording.rule, wording.message.format_map(facts), span, wording.help)


def _offset(mark: object, text: str, shift: int) -> int:
    index = getattr(mark, "index", 0)
    return min(int(index) + shift, len(text))


def _tab_before(text: str, offset: int) -> int:
    """The first tab of the line's indentation, which is what to replace; the reader may point behind it."""
    start = offset - mark_at(text, offset).column
    found = re.compile(r" *\t").match(text, start)
    return found.end() - 1 if found else offset
