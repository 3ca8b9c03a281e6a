"""The report as one HTML file that asks for nothing else: no scripts, no requests, its styles inside."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from lockgate.contract import Verdict
from lockgate.report.document import Block, Card, Diff, Section, Table, Text
from lockgate.report.model import ModelReport, Report, verdict
from lockgate.report.sections import WORKINGS, consequences, findings, workings
from lockgate.report.sections.gates import by_urgency, gates_chart, gates_reasons, gates_table
from lockgate.report.sections.promotion import promotion_sections
from lockgate.report.summary import facts, headline, overview_table
from lockgate.report.svg import Drawing, draw
from lockgate.report.text import clean, clip

_MOST_ROWS = 2_000
_WIDEST_BESIDE = 500
_BACKSLASHED = re.compile(r"\\([\\`*_\[\]~|])")
_BREAK = "&#8203;"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Piece:
    """A block under the name by which the template knows it; a `pair` is a chart with its numbers beside it."""

    kind: Literal["text", "table", "chart", "pair", "card", "diff"]
    block: Block | None = None
    drawing: Drawing | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Chapter:
    title: str
    folded: bool
    pieces: tuple[_Piece, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Page:
    """What the template shows of one model."""

    anchor: str
    name: str
    owner: str | None
    description: str | None
    verdict: Verdict
    facts: tuple[tuple[str, str], ...]
    chapters: tuple[_Chapter, ...]


def render_html(report: Report) -> str:
    """The whole report; tables are cut only where a page could not be read any more."""
    environment = _environment()
    style, _, _ = (
        environment.loader.get_source(environment, "report.css") if environment.loader else ("", None, None)
    )
    title, why = headline(report)
    return environment.get_template("report.html.j2").render(
        most_rows=_MOST_ROWS,
        style=style,
        style_hash=_hash(style),
        verdict=verdict(report),
        title=title,
        why=why,
        overview=_piece(overview_table(report.models)) if len(report.models) > 1 else None,
        pages=[_page(model, number) for number, model in enumerate(report.models, 1)],
        promotions=[_chapter(it) for sections in promotion_sections(report.effects) for it in sections],
        consequences=[_chapter(section) for section in consequences(report)],
        workings_title=WORKINGS,
        workings=[_chapter(section) for section in workings(report)],
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("lockgate.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clip"] = clip
    return environment


def _hash(style: str) -> str:
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _page(model: ModelReport, number: int) -> _Page:
    chapters = (_gates_chapter(model), *(_chapter(section) for section in findings(model)))
    return _Page(
        anchor=f"model-{number}",
        name=model.name,
        owner=model.owner,
        description=model.description,
        verdict=model.verdict,
        facts=facts(model),
        chapters=chapters,
    )


def _gates_chapter(model: ModelReport) -> _Chapter:
    chart = gates_chart(model)
    if not model.gates:
        lead = Text(text="No gate was judged: without a verdict nothing passes.", tone="fail")
        return _chapter(Section(title="Gates", blocks=(lead,)))
    gates = by_urgency(model)
    blocks = (*((chart,) if chart else ()), gates_table(model, gates), *gates_reasons(gates))
    return _chapter(Section(title="Gates", blocks=blocks))


def _chapter(section: Section) -> _Chapter:
    pieces: list[_Piece] = []
    for piece in map(_piece, section.blocks):
        before = pieces[-1].drawing if pieces and pieces[-1].kind == "chart" else None
        if piece.kind == "table" and before is not None and before.width < _WIDEST_BESIDE:
            pieces[-1] = _Piece(kind="pair", block=piece.block, drawing=before)
        else:
            pieces.append(piece)
    return _Chapter(title=section.title, folded=section.folded, pieces=tuple(pieces))


def _piece(block: Block) -> _Piece:
    match block:
        case Text():
            return _Piece(kind="text", block=block)
        case Table():
            return _Piece(kind="table", block=block)
        case Diff():
            return _Piece(kind="diff", block=block)
        case Card():
            return _Piece(kind="card", block=Card(text=_unescaped(block.text)))
        case _:
            return _Piece(kind="chart", drawing=draw(block))


def _unescaped(markdown: str) -> str:
    """Markdown that is shown as it is written, without the escapes that keep it harmless elsewhere."""
    return clean(html.unescape(_BACKSLASHED.sub(r"\1", markdown).replace(_BREAK, "")))
