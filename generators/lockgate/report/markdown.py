"""The report as a comment on a pull request: GitHub's Markdown, the verdict first, never longer than GitHub takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from lockgate.contract import GateResult, Verdict
from lockgate.report.blocks import WHOLE, code, render_block, render_section, render_table, section_line
from lockgate.report.budget import Part, fit, measure
from lockgate.report.document import Section, Table, Text
from lockgate.report.model import ModelReport, Report, verdict
from lockgate.report.sections import WORKINGS, consequences, findings, workings
from lockgate.report.sections.gates import by_urgency, gates_reasons, gates_table
from lockgate.report.sections.promotion import promotion_sections
from lockgate.report.summary import facts, headline, overview_table
from lockgate.spec.markdown import escape_markdown

LIMIT = 65_000
"""In characters: GitHub takes 65,536, and whoever posts the comment adds a line that finds it again."""

_ALERTS: Mapping[Verdict, str] = {"pass": "TIP", "warn": "WARNING", "fail": "CAUTION"}
_SECTION_LIMIT = 20_000
_FOLDED, _WORKINGS_RANK = 50, 100
_BRIEF_TEXTS, _BRIEF_ROWS = 2, 5
_FOOT = f"\n*Shortened to fit into a comment: {WHOLE} is beside this file, or in the run's artifact.*\n"
_FOOT_ROOM = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class _Detail:
    """How much of the gates is told: whether with reasons, whether those that hold, and how many of a model."""

    reasons: bool
    holding: bool
    most: int
    models: int = 1_000_000


# Each tells less than the one before; the first that fits is taken.
_DETAILS = (
    _Detail(reasons=True, holding=True, most=1_000_000),
    _Detail(reasons=False, holding=True, most=1_000_000),
    _Detail(reasons=True, holding=False, most=1_000_000),
    _Detail(reasons=False, holding=False, most=1_000_000),
    *(_Detail(reasons=False, holding=False, most=most) for most in (300, 100, 30, 10, 3, 0)),
    *(_Detail(reasons=False, holding=False, most=0, models=models) for models in (300, 100, 30, 10, 0)),
)


def render_markdown(report: Report) -> str:
    """The whole report as far as it fits, in order of importance."""
    top, gates = _frame(report)
    groups = (
        tuple(_promotions(report)),
        *(tuple(_findings(model, position)) for position, model in enumerate(report.models)),
        tuple(_consequences(report)),
        tuple(_workings(report)),
    )
    parts = [part for group in groups for part in group]
    chosen = fit(parts, LIMIT - _FOOT_ROOM - measure(top) - sum(map(measure, gates)), _SECTION_LIMIT)
    is_whole = chosen == tuple(part.text for part in parts)
    rest = iter(chosen)
    told = ["".join(next(rest) for _ in group) for group in groups]
    openings = ("", *gates, "", f"## {WORKINGS}\n\n" if told[-1] else "")
    body = "".join(opening + text for opening, text in zip(openings, told, strict=True))
    return f"{top}{body}".rstrip() + "\n" + ("" if is_whole else _FOOT)


def _frame(report: Report) -> tuple[str, tuple[str, ...]]:
    """What has to be said: the verdict and the models, and each model's gates, in as much detail as fits."""
    top, gates = "", tuple[str, ...]()
    for detail in _DETAILS:
        top = _alert(report) + _overview(report, detail)
        gates = tuple(_gates(model, detail) if detail.most else "" for model in report.models)
        if measure(top) + sum(map(measure, gates)) <= LIMIT - _FOOT_ROOM:
            break
    return top, gates


def _alert(report: Report) -> str:
    title, why = headline(report)
    kind = _ALERTS[verdict(report)]
    return f"> [!{kind}]\n> **Lockgate: {escape_markdown(title)}.** {escape_markdown(why)}\n\n"


def _overview(report: Report, detail: _Detail) -> str:
    if len(report.models) < 2:
        return ""
    table = overview_table(report.models)
    if detail.most == 0:
        table = replace(
            table, rows=tuple((row[0], row[1]) for row in table.rows), headings=table.headings[:2]
        )
    return f"{render_table(replace(table, shown=min(table.shown, detail.models)))}\n\n"


def _gates(model: ModelReport, detail: _Detail) -> str:
    return f"## {code(model.name)}\n\n{_facts(model)}{_gates_told(model, detail)}\n\n"


def _facts(model: ModelReport) -> str:
    told = " · ".join(f"{escape_markdown(name)} **{escape_markdown(value)}**" for name, value in facts(model))
    return f"{told}\n\n" if told else ""


def _gates_told(model: ModelReport, detail: _Detail) -> str:
    if not model.gates:
        return "❌ No gate was judged: without a verdict nothing passes."
    ordered = by_urgency(model)
    told = (
        ordered if detail.holding else tuple(gate for gate in ordered if gate["outcome"] in ("fail", "warn"))
    )
    told = told[: detail.most]
    rest = len(ordered) - len(told)
    after = f"{_rest(ordered[len(told) :])} Whole in {WHOLE}." if rest and detail.holding is False else ""
    if not told:
        return after
    table = gates_table(model, told)
    notes = gates_reasons(told) if detail.reasons else ()
    parts = (render_table(table), *map(render_block, notes), after)
    return "\n\n".join(part for part in parts if part)


def _rest(gates: tuple[GateResult, ...]) -> str:
    outcomes = [gate["outcome"] for gate in gates]
    counted = ", ".join(f"{outcomes.count(outcome):,} {outcome}" for outcome in dict.fromkeys(outcomes))
    return f"Further gates: {counted}."


def _findings(model: ModelReport, position: int) -> Iterator[Part]:
    for rank, section in enumerate(findings(model)):
        yield _part(
            replace(section, folded=section.folded or position > 0), 3, rank + _FOLDED * section.folded
        )


def _promotions(report: Report) -> Iterator[Part]:
    for sections in promotion_sections(report.effects):
        for place, section in enumerate(sections):
            yield _part(section, 2 + (place > 0), _FOLDED * section.folded - 1)


def _consequences(report: Report) -> Iterator[Part]:
    for rank, section in enumerate(consequences(report)):
        yield _part(section, 2, rank)


def _workings(report: Report) -> Iterator[Part]:
    for rank, section in enumerate(workings(report)):
        yield _part(section, 2, _WORKINGS_RANK + rank)


def _part(section: Section, level: int, rank: int) -> Part:
    return Part(
        rank=rank,
        text=render_section(section, level),
        brief=_brief(section, level),
        line=section_line(section),
    )


def _brief(section: Section, level: int) -> str:
    """Its first words and the first rows of its first table, or the line where it has neither."""
    texts = tuple(block for block in section.blocks if isinstance(block, Text))[:_BRIEF_TEXTS]
    tables = tuple(
        replace(block, shown=min(block.shown, _BRIEF_ROWS))
        for block in section.blocks
        if isinstance(block, Table)
    )[:1]
    more = Text(text=f"In brief, for length: the rest is in {WHOLE.strip('`')}.")
    if not texts and not tables:
        return section_line(section)
    return render_section(replace(section, blocks=(*texts, *tables, more)), level)
