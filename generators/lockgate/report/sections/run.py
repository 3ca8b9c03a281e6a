"""How the numbers came about: stages, estimator, parameters, libraries, and hashes, for whoever wants them again."""

from __future__ import annotations

import json
from collections.abc import Iterator

from lockgate.report.document import Block, Cell, Section, Table, Text, cells, headings
from lockgate.report.model import ModelReport
from lockgate.report.numbers import show_count
from lockgate.report.text import clip


def run_section(model: ModelReport) -> Section | None:
    facts = tuple(_facts(model))
    blocks: tuple[Block, ...] = (*_stages(model), *_table("Training", ("What", "Value"), facts))
    blocks += (*_parameters(model), *_libraries(model))
    return Section(title="How it was computed", blocks=blocks, folded=True) if blocks else None


def _stages(model: ModelReport) -> Iterator[Block]:
    rows = tuple(cells(stage, status) for stage, status in model.stages.items())
    yield from _table("Stages", ("Stage", "What became of it"), rows)


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
