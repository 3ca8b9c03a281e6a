"""The model card, and how it differs from the champion's."""

from __future__ import annotations

import difflib

from lockgate.report.document import Block, Card, Diff, Section, Text
from lockgate.report.model import ModelReport

_CONTEXT_LINES = 1


def card_section(model: ModelReport) -> Section | None:
    if model.card is None or not model.card.strip():
        return None
    return Section(
        title="Model card", blocks=(*_changes(model, model.card), Card(text=model.card)), folded=True
    )


def _changes(model: ModelReport, card: str) -> tuple[Block, ...]:
    if model.champion_card is None:
        return ()
    before, after = model.champion_card.splitlines(), card.splitlines()
    # The first two lines name the files.
    lines = tuple(difflib.unified_diff(before, after, n=_CONTEXT_LINES, lineterm=""))[2:]
    if not lines:
        return (Text(text="It is the champion's, word for word."),)
    return (Text(text="Against the champion's card:"), Diff(lines=lines))
