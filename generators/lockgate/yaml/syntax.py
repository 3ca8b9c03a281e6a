"""The YAML reader's own complaints, said so that somebody who writes a spec knows what to change."""

from __future__ import annotations

import re
from typing import NamedTuple

from yaml.error import MarkedYAMLError

from lockgate.yaml.nodes import Mark, Span, YamlError

_LINE_BREAK = re.compile(r"\r\n|\n|\r")
_TAB_INDENT = re.compile(r"[ -]*\t")


class _Wording(NamedTuple):
    pattern: str
    message: str
    help: str
    rule: str = "yaml-syntax"


# Tried in order on "context: problem", in the words of libyaml and in those of PyYAML's own reader.
_WORDINGS = (
    _Wording(
        r"mapping values are not allowed",
        "found a ':' where no mapping may start",
        "quote the value if the ':' belongs to it, else check this line's indentation",
    ),
    _Wording(
        r"simple key|could not find expected ':'",
        "found a line that is neither 'key: value' nor part of the value above",
        "write 'key: value', with a space after the ':'",
    ),
    _Wording(
        r"flow (sequence|mapping|node)",
        "found no end of the '{opener}' that opens at line {line}",
        "close it, and separate what is in it with commas",
    ),
    _Wording(
        r"(quoted scalar|double-quoted).*end of stream",
        "found no end of the quoted string that starts at line {line}",
        "close the quotes",
    ),
    _Wording(
        r"escape",
        "found a backslash sequence that YAML does not know",
        "write the backslash twice, or use single quotes",
    ),
    _Wording(
        r"scanning an? (alias|anchor)",
        "found '{found}' at the start of a value, where YAML reads an alias or an anchor",
        "quote the value",
        "yaml-alias",
    ),
    _Wording(r"\btag\b", "found a tag, which Lockgate does not read", "quote the value if the '!' belongs to it", "yaml-tag"),
    _Wording(r"cannot start any token", "found '{found}', which cannot start a value", "quote the value"),
    _Wording(
        r"(sequence|block sequence) entries are not allowed",
        "found a '-' where no list may start",
        "start the list on a line of its own",
    ),
    _Wording(
        r"block (collection|mapping|sequence)",
        "found text that does not line up with what is above it",
        "check this line's indentation",
    ),
    _Wording(
        r"<?document start>?",
        "found text after the end of the document",
        "check the brackets and the indentation of the lines above",
    ),
)


def explain(error: MarkedYAMLError, text: str, shift: int) -> YamlError:
    """The reader's error as ours; `shift` is how many characters stand before what the reader was given."""
    start = _error_mark(error, text, shift)
    line = _LINE_BREAK.split(text[start.offset - start.column :], maxsplit=1)[0]
    problem = f"{error.context or ''}: {error.problem or ''}"
    if "tab character" in problem or (_TAB_INDENT.match(line) and not line[start.column :].lstrip("\t ")[:0]):
        return _tab_error(line, start)
    return _worded(error, problem, text, Span(start, _next_mark(start, line)))


def mark_at(text: str, offset: int) -> Mark:
    """The place of an offset, counted anew."""
    breaks = list(_LINE_BREAK.finditer(text, 0, offset))
    return Mark(len(breaks), offset - (breaks[-1].end() if breaks else 0), offset)
