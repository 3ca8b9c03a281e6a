"""A model card as HTML: headings, paragraphs, lists, tables, bold and code of Markdown.

Everything else is shown as it is written. The card is text of unknown origin: nothing in it acts, and no link is made.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from markupsafe import Markup, escape

_MOST_CHARACTERS = 200_000
_HEADING = re.compile(r"(#{1,6}) +(.*)")
_ITEM = re.compile(r"[-*] +(.*)")
_RULE = re.compile(r"\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?")
_CELL = re.compile(r"(?<!\\)\|")
# Code first: nothing in it is markup.
_INLINE = re.compile(
    r"`(?P<code>[^`]+)`|\*\*(?P<bold>[^*]+)\*\*|\\(?P<escaped>[!-/:-@\[-`{-~])|(?P<entity>&#?\w{1,12};)"
)
# A card's title is the page's second level.
_DEEPER = 1


def card_html(markdown: str) -> Markup:
    """The card; what is beyond 200,000 characters is left out."""
    lines = markdown[:_MOST_CHARACTERS].splitlines()
    blocks = (_block(kind, list(group)) for kind, group in groupby(lines, key=_kind))
    return Markup("\n").join(block for block in blocks if block)


def _kind(line: str) -> str:
    text = line.strip()
    if not text:
        return "nothing"
    if _HEADING.fullmatch(text):
        return "heading"
    if _ITEM.fullmatch(text):
        return "item"
    return "table" if text.startswith("|") else "paragraph"


def _block(kind: str, lines: Sequence[str]) -> Markup:
    texts = [line.strip() for line in lines]
    match kind:
        case "heading":
            return Markup("\n").join(map(_heading, texts))
        case "item":
            return Markup("<ul>{}</ul>").format(Markup("").join(map(_item, texts)))
        case "table":
            return _table(texts)
        case "paragraph":
            return Markup("<p>{}</p>").format(_inline(" ".join(texts)))
        case _:
            return Markup("")


def _heading(text: str) -> Markup:
    found = _HEADING.fullmatch(text)
    assert found is not None, "the line is a heading"
    level = min(len(found[1]) + _DEEPER, 6)
    return Markup("<h{0}>{1}</h{0}>").format(level, _inline(found[2]))


def _item(text: str) -> Markup:
    found = _ITEM.fullmatch(text)
    assert found is not None, "the line is an item"
    return Markup("<li>{}</li>").format(_inline(found[1]))


def _table(lines: Sequence[str]) -> Markup:
    """A first line, a rule that aligns, and rows; without the rule, lines as they are."""
    if len(lines) < 2 or not _RULE.fullmatch(lines[1]):
        return Markup("<p>{}</p>").format(_inline(" ".join(lines)))
    numeric = [cell.rstrip().endswith(":") for cell in _cells(lines[1])]
    head = _row("th", _cells(lines[0]), numeric)
    body = Markup("").join(_row("td", _cells(line), numeric) for line in lines[2:])
    return Markup(
        '<div class="wide" tabindex="0" role="group" aria-label="Table of the model card"><table>'
        "<thead>{}</thead><tbody>{}</tbody></table></div>"
    ).format(head, body)


def _row(tag: str, cells: Sequence[str], numeric: Sequence[bool]) -> Markup:
    aligned = zip(cells, numeric, strict=False)
    return Markup("<tr>{}</tr>").format(Markup("").join(_cell(tag, *it) for it in aligned))


def _cell(tag: str, text: str, is_numeric: bool) -> Markup:  # noqa: FBT001 - a pair out of `zip`
    kind = Markup(' class="numeric"') if is_numeric else ""
    return Markup("<{0}{1}>{2}</{0}>").format(tag, kind, _inline(text.strip()))


def _cells(line: str) -> list[str]:
    return _CELL.split(line.removeprefix("|").removesuffix("|"))


def _inline(text: str) -> Markup:
    return Markup("").join(_pieces(text))


def _pieces(text: str) -> Iterator[Markup]:
    end = 0
    for found in _INLINE.finditer(text):
        yield escape(text[end : found.start()])
        yield _piece(found)
        end = found.end()
    yield escape(text[end:])


def _piece(found: re.Match[str]) -> Markup:
    if found["code"]:
        return Markup("<code>{}</code>").format(found["code"])
    if found["bold"]:
        return Markup("<strong>{}</strong>").format(_inline(found["bold"]))
    return escape(found["escaped"] or html.unescape(found["entity"]))
