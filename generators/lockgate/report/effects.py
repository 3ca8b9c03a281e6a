"""What merging does, as GitHub's Markdown by itself: the report's own sections on it, whole."""

from __future__ import annotations

from dataclasses import replace

from lockgate.plan.merge import MergeEffects
from lockgate.report.blocks import render_section
from lockgate.report.document import Cell, Section, Table, cells, headings
from lockgate.report.sections.merge import manifests_section, merge_section, spec_section
from lockgate.report.sections.promotion import promotion_sections
from lockgate.report.text import clean

_LEVEL = 3


def render_effects(effects: MergeEffects) -> str:
    """Every section, with all rows of every table."""
    sections = (
        *(section for sections in promotion_sections(effects) for section in sections),
        merge_section(effects),
        _stages_section(effects),
        manifests_section(effects),
        spec_section(effects),
        _patches_section(effects),
    )
    texts = (render_section(_whole(section), _LEVEL) for section in sections if section is not None)
    return "".join(texts).rstrip() + "\n"


def _whole(section: Section) -> Section:
    blocks = (
        replace(block, shown=len(block.rows)) if isinstance(block, Table) else block
        for block in section.blocks
    )
    return replace(section, blocks=tuple(blocks))


def _stages_section(effects: MergeEffects) -> Section | None:
    rows = tuple(
        (Cell(text=clean(model.name), kind="code"), *cells(clean(stage), clean(reason)))
        for model in effects.models
        for stage, reason in model.stages
    )
    if not rows:
        return None
    table = Table(
        caption="Stages that run again",
        headings=headings(("Model", "Stage", "Why")),
        rows=rows,
        shown=len(rows),
    )
    return Section(title="Stages that run again", blocks=(table,), folded=True)


def _patches_section(effects: MergeEffects) -> Section | None:
    if not effects.patches:
        return None
    rows = tuple(
        cells(clean(it.name), clean(it.target), clean(it.reason), it.change or "as before")
        for it in effects.patches
    )
    table = Table(
        caption="Patches of generated files",
        headings=headings(("Patch", "Files", "Reason", "Here")),
        rows=rows,
        shown=len(rows),
    )
    return Section(title="Patches", blocks=(table,), folded=True)
