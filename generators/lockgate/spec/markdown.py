"""Text that others wrote, made safe to stand in GitHub's Markdown: in a paragraph or in a table's cell."""

from __future__ import annotations

import re

# White space of any kind, and control characters: a paragraph or a cell must not end where the text wants it to.
_SPACE = re.compile(r"[\s\x00-\x20\x7f-\x9f\u2028\u2029]+")
_REORDERING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LIST = re.compile(r"^(?:[-+=](?=[\s=-]|$)|[0-9]{1,9}[.)](?=\s|$))")
_SPECIAL = re.compile(
    r"[*_\[\]~]|[\\`<>&|$@#]|(?i::(?=//)|(?<=\bmailto):|(?<=\bxmpp):|(?<=\bwww)\.)|(?i:\bgh(?=-\d))"
)
_BACKSLASHED = frozenset("*_[]~")
# GitHub looks for mentions and references after it has decoded entities, so that only a character in between helps:
# https://github.com/openjdk/skara/pull/1548
_BREAK = "&#8203;"


def escape_markdown(text: str) -> str:
    """The text as one line that shows as itself: no markup, link, image, mention, reference, formula or second cell."""
    line = _REORDERING.sub("\ufffd", _SPACE.sub(" ", text).strip())
    marker = _LIST.match(line)
    if marker is None:
        return _SPECIAL.sub(_harmless, line)
    end = marker.end()
    return f"{line[: end - 1]}{_entity(line[end - 1])}{_SPECIAL.sub(_harmless, line[end:])}"


def _harmless(match: re.Match[str]) -> str:
    found = match[0]
    if found in _BACKSLASHED:
        return f"\\{found}"
    if found in "@#":
        return f"{_entity(found)}{_BREAK}"
    if len(found) > 1:
        return f"{found}{_BREAK}"
    return _entity(found)


def _entity(character: str) -> str:
    return f"&#{ord(character)};"
