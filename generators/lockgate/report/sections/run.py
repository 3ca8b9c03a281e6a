"""How the numbers came about: stages, estimator, parameters, libraries, and hashes, for whoever wants them again."""

from __future__ import annotations

import json
from collections.abc import Iterator

from lockgate.contract.comparison import Provenance
from lockgate.report.document import Block, Cell, Section, Table, Text, Tone, cells, headings
from lockgate.report.model import ModelReport
from lockgate.report.numbers import ABSENT, show_count
from lockgate.report.text import clip

_KEPT = {
    "unchanged": "nothing that it depends on has changed",
    "cached": "it ran on the same inputs before, and its files were kept",
}


def trainer_section(model: ModelReport) -> Section | None:
    """Who trained it, where that is not as it should be; else it is told with what ran."""
    if model.provenance is None or model.provenance["outcome"] == "pass":
        return None
    return Section(title="Who trained it", blocks=(_trainer(model.provenance),))


def run_section(model: ModelReport) -> Section | None:
    facts = tuple(_facts(model))
    blocks: tuple[Block, ...] = (*_provenance(model.provenance), *_stages(model))
    blocks += (*_table("Training", ("What", "Value"), facts), *_parameters(model), *_libraries(model))
    title = "What ran, what was cached, and why" if model.stages else "How it was computed"
    return Section(title=title, blocks=blocks, folded=True) if blocks else None


def _provenance(provenance: Provenance | None) -> Iterator[Block]:
    if provenance is not None and provenance["outcome"] == "pass":
        yield _trainer(provenance)


def _trainer(provenance: Provenance) -> Text:
    tone: Tone = "" if provenance["outcome"] == "pass" else provenance["outcome"]
    answer, reason = provenance["answer"], provenance["reason"].rstrip(".")
    if answer == "not trained":
        return Text(text=f"Not trained by this run: {reason}.", tone=tone)
    if answer == "made here":
        return Text(text=f"Made here, {reason}. Until then there is nothing to compare it with.", tone=tone)
    who = "by this run" if provenance["mode"] == "rebuild" else "by the author, and taken over"
    return Text(text=f"Trained {who}. Against the author's dvc.lock: {answer}, {reason}.", tone=tone)


def _stages(model: ModelReport) -> Iterator[Block]:
    rows = tuple(cells(stage, status, _why(model, stage, status)) for stage, status in model.stages.items())
    yield from _table("Stages", ("Stage", "What became of it", "Why"), rows)


def _why(model: ModelReport, stage: str, status: str) -> str:
    return _KEPT.get(status) or model.reruns.get(stage) or ABSENT


def _facts(model: ModelReport) -> Iterator[tuple[Cell, ...]]:
    training, evaluation = model.training, model.evaluation
    if training is not None:
        yield cells("Estimator", training["estimator"])
        yield cells("Seed", str(training["seed"]))
        yield cells("Training rows", show_count(training["rows"]))
        yield cells("Inputs", ", ".join(feature["name"] for feature in training["inputs"]))
    if evaluation is not None:
        confidence = f"{100 * evaluation['confidence']:g} %"
        samples = show_count(evaluation["samples"])
        yield cells("Intervals", f"percentile bootstrap, {samples} resamples of the holdout, {confidence}")
        if evaluation["threshold"] is not None:
            yield cells("Decision threshold", f"{evaluation['threshold']:g}")
    if model.ingest is not None:
        yield Cell(text="SHA-256 of the data"), Cell(text=model.ingest["sha256"], kind="code")


def _parameters(model: ModelReport) -> Iterator[Block]:
    params = model.training["params"] if model.training else {}
    rows = tuple(
        cells(name, clip(json.dumps(value, ensure_ascii=False), 120)) for name, value in params.items()
    )
    yield from _table("Parameters", ("Parameter", "Value"), rows)


def _libraries(model: ModelReport) -> Iterator[Block]:
    libraries = model.training["libraries"] if model.training else {}
    if libraries:
        listed = ", ".join(f"{name} {version}" for name, version in libraries.items())
        yield Text(text=f"Libraries: {listed}.")


def _table(caption: str, titles: tuple[str, ...], rows: tuple[tuple[Cell, ...], ...]) -> Iterator[Table]:
    if rows:
        yield Table(caption=caption, headings=headings(titles), rows=rows, shown=40)
