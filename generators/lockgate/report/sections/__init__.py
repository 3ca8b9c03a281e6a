"""The report model → the sections of a document, in the order in which a reviewer reads them."""

from __future__ import annotations

from lockgate.report.document import Card, Section, Table, Text, cells, headings
from lockgate.report.model import ModelReport, Patch
from lockgate.report.sections.data import data_section
from lockgate.report.sections.metrics import metrics_section
from lockgate.report.sections.predictions import predictions_section
from lockgate.report.sections.release import release_section
from lockgate.report.sections.run import run_section
from lockgate.report.sections.slices import slices_section


def sections(model: ModelReport) -> tuple[Section, ...]:
    """Everything on a model but its verdict and gates; a section that nothing is known for is left out."""
    made = (
        _problems_section(model),
        metrics_section(model),
        slices_section(model),
        predictions_section(model),
        data_section(model),
        release_section(model),
        run_section(model),
        _card_section(model),
    )
    return tuple(section for section in made if section is not None)


def patches_section(patches: tuple[Patch, ...]) -> Section | None:
    if not patches:
        return None
    table = Table(
        caption="Patches of generated files that are in force",
        headings=headings(("Patch", "Files", "Reason")),
        rows=tuple(cells(patch.name, patch.target, patch.reason) for patch in patches),
        shown=20,
    )
    return Section(title="Patches in force", blocks=(table,), folded=True)


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


def _card_section(model: ModelReport) -> Section | None:
    if model.card is None or not model.card.strip():
        return None
    return Section(title="Model card", blocks=(Card(text=model.card),), folded=True)
