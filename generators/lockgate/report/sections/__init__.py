"""The report model → the sections of a document, in the order in which a reviewer reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lockgate.plan.merge import PatchEffect
from lockgate.report.document import Section, Table, Text, cells, headings
from lockgate.report.model import ModelReport, Report
from lockgate.report.numbers import ABSENT
from lockgate.report.sections.card import card_section
from lockgate.report.sections.comparison import comparison_section
from lockgate.report.sections.data import data_detail_section, data_section
from lockgate.report.sections.found_slices import fairness_section, found_slices_section
from lockgate.report.sections.merge import manifests_section, merge_section, spec_section
from lockgate.report.sections.metrics import metrics_section
from lockgate.report.sections.predictions import predictions_section
from lockgate.report.sections.release import release_section
from lockgate.report.sections.run import run_section, trainer_section
from lockgate.report.sections.slice_changes import slice_changes_section
from lockgate.report.sections.slices import slices_section
from lockgate.report.text import clean

WORKINGS = "How it came about"
"""What stands above the workings."""


def findings(model: ModelReport) -> tuple[Section, ...]:
    """How good the candidate is and on which data; a section that nothing is known for is left out."""
    made = (
        _problems_section(model),
        trainer_section(model),
        comparison_section(model),
        metrics_section(model),
        slice_changes_section(model),
        slices_section(model),
        found_slices_section(model),
        fairness_section(model),
        data_section(model),
        data_detail_section(model),
        predictions_section(model),
    )
    return tuple(section for section in made if section is not None)


def consequences(report: Report) -> tuple[Section, ...]:
    """What merging does."""
    made = (merge_section(report.effects), manifests_section(report.effects))
    return tuple(section for section in made if section is not None)


def workings(report: Report) -> tuple[Section, ...]:
    """How it came about, model by model, then what was written for it: for looking things up."""
    made = (*_of_models(report.models), spec_section(report.effects), _patches_section(report))
    return tuple(replace(section, folded=True) for section in made if section is not None)


def _of_models(models: tuple[ModelReport, ...]) -> Iterator[Section | None]:
    for model in models:
        for section in (run_section(model), release_section(model), card_section(model)):
            if section is not None and len(models) > 1:
                yield replace(section, title=f"{model.name}: {section.title}")
            else:
                yield section


def _patches_section(report: Report) -> Section | None:
    """Those in force and, where the change is known, what it does to them and which files they change."""
    changes = {it.name: it for it in report.effects.patches} if report.effects else {}
    rows = tuple(
        cells(it.name, it.target, it.reason, *_patch_effect(changes.get(it.name))) for it in report.patches
    )
    gone = (it for it in changes.values() if it.change == "removed")
    rows += tuple(cells(*map(clean, (it.name, it.target, it.reason)), "taken out", ABSENT) for it in gone)
    if not rows:
        return None
    titles = ("Patch", "Target", "Reason", "In this change", "Files it changes")
    table = Table(
        caption="Patches of generated files that are in force",
        headings=headings(titles if changes else titles[:3]),
        rows=rows if changes else tuple(row[:3] for row in rows),
        shown=20,
    )
    return Section(title="Patches in force", blocks=(table,))


def _patch_effect(effect: PatchEffect | None) -> tuple[str, str]:
    if effect is None:
        return ABSENT, ABSENT
    return effect.change or "as before", clean(", ".join(effect.files)) or "none"


def _problems_section(model: ModelReport) -> Section | None:
    if not model.problems:
        return None
    lead = Text(
        text="This report cannot say everything, for these files are not as they should be.", tone="warn"
    )
    table = Table(
        caption="Files that are missing or not as expected",
        headings=headings(("File", "What is wrong")),
        rows=tuple(cells(problem.file, problem.message) for problem in model.problems),
        shown=20,
    )
    return Section(title="What is missing", blocks=(lead, table))
