"""The metrics of the candidate beside the champion's on the same rows, with the interval of their difference."""

from __future__ import annotations

from collections.abc import Iterator

from lockgate.contract import Answer
from lockgate.contract.comparison import Comparison, Difference, SignatureChange
from lockgate.report.champion import is_scored, where
from lockgate.report.document import Block, Cell, Section, Table, Text, Tone, headings
from lockgate.report.model import ModelReport
from lockgate.report.numbers import ABSENT, scale_for, show, show_change_interval, show_count
from lockgate.report.sections.gates import ANSWERS, change_scale
from lockgate.report.text import clip, plural

_TONES: dict[Answer, Tone] = {
    "better": "pass",
    "no worse": "",
    "worse": "fail",
    "too little data": "muted",
}


def comparison_section(model: ModelReport) -> Section | None:
    comparison = model.comparison
    if comparison is None or not is_scored(comparison):
        return None
    blocks = (Text(text=_lead(comparison)), *_signature(comparison["signature"]), _table(model, comparison))
    return Section(title="Metrics against the champion", blocks=blocks)


def answer_cell(change: Difference) -> Cell:
    """The answer in words, or why there is none."""
    answer = change["answer"]
    if answer is None:
        return Cell(text=change["reason"] or ABSENT, tone="muted")
    return Cell(text=ANSWERS[answer], tone=_TONES[answer])


def change_cells(change: Difference) -> tuple[Cell, ...]:
    """Candidate, champion, and the difference with its interval."""
    scale = scale_for((change["candidate"], change["champion"]), change["unit"])
    fine = change_scale(change)
    return (
        Cell(text=show(change["candidate"], scale)),
        Cell(text=show(change["champion"], scale)),
        Cell(text=show_change_interval(change["difference"], change["low"], change["high"], fine)),
    )


def percent(comparison: Comparison) -> str:
    return f"{100 * comparison['confidence']:g}"


def _lead(comparison: Comparison) -> str:
    champion = comparison["champion"]
    commit = champion["commit"] if champion["origin"] == "pin" else None
    at = f" (commit {commit[:7]})" if commit else ""
    rows, samples = show_count(comparison["rows"]), show_count(comparison["samples"])
    return (
        f"The champion is {where(champion)}{at}. Both were scored on the same {rows} rows of the candidate's holdout. "
        f"In brackets the {percent(comparison)} % interval of the difference (paired bootstrap, {samples} resamples). "
        "A metric is worse where all of it lies beyond the drop that the metric's gate allows: 0 without a gate."
    )


def _signature(change: SignatureChange) -> Iterator[Block]:
    for names, words in (
        (change["added"], "the champion does not"),
        (change["removed"], "the candidate no longer does"),
    ):
        if names:
            listed = clip(", ".join(names), 400)
            who = "The candidate" if words.startswith("the champion") else "The champion"
            yield Text(text=f"{who} takes {plural(len(names), 'feature')} that {words}: {listed}.")


def _table(model: ModelReport, comparison: Comparison) -> Table:
    interval = f"Difference [{percent(comparison)} % interval]"
    return Table(
        caption="Metrics of the candidate and of the champion",
        headings=headings(("Metric",), ("Candidate", "Champion", interval))
        + headings(("Answer", "Better is")),
        rows=tuple(
            (
                Cell(text=change["metric"], kind="code"),
                *change_cells(change),
                answer_cell(change),
                Cell(text=change["better"]),
            )
            for change in _gated_first(model, comparison["metrics"])
        ),
        shown=25,
    )


def _gated_first(model: ModelReport, changes: list[Difference]) -> tuple[Difference, ...]:
    gated = list(dict.fromkeys(gate["metric"] for gate in model.gates))
    return tuple(
        sorted(changes, key=lambda it: gated.index(it["metric"]) if it["metric"] in gated else len(gated))
    )
