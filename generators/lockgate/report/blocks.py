"""Blocks of a document → GitHub's Markdown. Whatever a user may have written is escaped here, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import assert_never

from lockgate.report.document import (
    Block,
    Card,
    Cell,
    Diff,
    ForestChart,
    LimitChart,
    PointChart,
    Section,
    Table,
    Text,
    Tone,
)
from lockgate.report.mermaid import mermaid
from lockgate.report.text import clean, clip, plural
from lockgate.spec.markdown import escape_markdown

WHOLE = "`report.html`"
"""Where everything is. In a workflow run it is in the artifact that holds the report."""

_BADGES: Mapping[Tone, str] = {"pass": "✅ ", "warn": "⚠️ ", "fail": "❌ ", "muted": "", "": ""}
_LEADS: Mapping[Tone, str] = {"pass": "", "warn": "⚠️ ", "fail": "❌ ", "muted": "", "": ""}
_CELL_LENGTH = 240
_TEXT_LENGTH = 1_200
_CARD_LENGTH = 12_000
_DIFF_LINES = 60
_TICKS = re.compile(r"`+")
_CODE = re.compile(r"[A-Za-z0-9_.:/+@=…\[\]-]+")
# What opens HTML, links, images, mentions, references, formulas, alerts and fences, in Markdown that is not ours.
_LIVE = re.compile(
    r"<|@|(?<!&)#(?=\d)|\$|!(?=\[)|\](?=[(\[:])|\[!|(?<=:)//|(?i:(?<=\bwww)\.)|`{3,}|~{3,}|(?i:\bgh(?=-\d))"
)
_HEADING = re.compile(r"(?m)^ {0,3}(#{1,6})(?=\s)")


def render_section(section: Section, level: int) -> str:
    tables = sum(isinstance(block, Table) for block in section.blocks)
    parts = (part for block in section.blocks for part in _block(block, captioned=tables > 1))
    body = "\n\n".join(parts)
    title = escape_markdown(section.title)
    if section.folded:
        return f"<details><summary><b>{title}</b></summary>\n\n{body}\n\n</details>\n\n"
    return f"{'#' * level} {title}\n\n{body}\n\n"


def render_block(block: Block) -> str:
    """A block by itself."""
    return "\n\n".join(_block(block, captioned=False))


def section_line(section: Section) -> str:
    """What stands for a section that does not fit."""
    return f"*{escape_markdown(section.title)}: left out for length, whole in {WHOLE}.*\n\n"


def render_table(table: Table) -> str:
    """A table, and below it how many rows are not shown."""
    titles = " | ".join(escape_markdown(clip(heading.text, 80)) or " " for heading in table.headings)
    rule = " | ".join("--:" if heading.numeric else ":--" for heading in table.headings)
    rows = "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in table.rows[: table.shown])
    more = len(table.rows) - table.shown
    rest = f"\n\n*{more:,} more in {WHOLE}.*" if more > 0 else ""
    return f"| {titles} |\n| {rule} |\n{rows}{rest}"


def code(text: str) -> str:
    """An identifier; as plain text where it holds anything that code in Markdown might not keep to itself."""
    short = clip(text, _CELL_LENGTH)
    return f"`{short}`" if _CODE.fullmatch(short) else escape_markdown(short)


def _block(block: Block, *, captioned: bool) -> Iterator[str]:
    match block:
        case Text():
            yield _LEADS[block.tone] + escape_markdown(clip(block.text, _TEXT_LENGTH))
        case Table():
            if captioned:
                yield f"**{escape_markdown(clip(block.caption, 120))}**"
            yield render_table(block)
        case Card():
            yield _card(block.text)
        case Diff():
            yield _fenced(block)
        case LimitChart() | ForestChart() | PointChart():
            diagram = mermaid(block)
            if diagram is not None:
                yield f"```mermaid\n{diagram}\n```"
        case _:
            assert_never(block)


def _fenced(diff: Diff) -> str:
    """The fence is longer than any in the lines; in code GitHub makes nothing of what stands there."""
    kept = [_line(line) for line in diff.lines[:_DIFF_LINES]]
    ticks = max((len(run) for line in kept for run in _TICKS.findall(line)), default=0)
    fence = "`" * max(3, ticks + 1)
    more = len(diff.lines) - len(kept)
    rest = f"\n\n*{plural(more, 'more line')} in {WHOLE}.*" if more else ""
    return "\n".join((f"{fence}diff", *kept, fence)) + rest


def _line(line: str) -> str:
    """A line of code: what is too long is cut, what would turn the direction of text is replaced."""
    text = clean(line.replace("\n", " "))
    return text if len(text) <= _CELL_LENGTH else f"{text[:_CELL_LENGTH]}…"


def _cell(cell: Cell) -> str:
    if cell.kind == "code":
        return code(cell.text)
    text = escape_markdown(clip(cell.text, _CELL_LENGTH))
    return f"{_BADGES[cell.tone]}{text}" if cell.kind == "badge" else text


def _card(text: str) -> str:
    """Headings go below ours. Markup that could reach out of the card, or out of the page, becomes text."""
    kept = text[:_CARD_LENGTH]
    harmless = _LIVE.sub(_as_text, _HEADING.sub(_lower, kept)).strip()
    return harmless if kept == text else f"{harmless}\n\n*The rest is in {WHOLE}.*"


def _lower(match: re.Match[str]) -> str:
    return "#" * min(6, len(match[1]) + 3)


def _as_text(match: re.Match[str]) -> str:
    found = match[0]
    if found.isalpha():
        return f"{found}&#8203;"
    entities = "".join(f"&#{ord(character)};" for character in found)
    return f"{entities}&#8203;" if found in "@#" else entities
