"""Rows that a model is tried with before it serves, and what they show that it has no answer to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lockgate.contract.example import example_row
from lockgate_runtime.server.artifact import ArtifactError
from lockgate_runtime.server.columns import Gaps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from lockgate.contract import Feature, Json, Reference, Signature
    from lockgate_runtime.server.engine import Columns, Engine

_UNKNOWN = "\N{BLACK QUESTION MARK ORNAMENT} seen by nobody"
_MISSING = {"", None}
_VARIED_ROWS = 32
_HELP = "see that the estimator answers each row of its holdout with a number, then export it again"


class _Question(NamedTuple):
    """A value that the signature allows in the column at `place`, and that a model may not know what to do with."""

    place: int
    value: object


def typical(signature: Signature, reference: Reference, count: int) -> Columns:
    """Columns of as many rows, all alike."""
    row = example_row(signature, reference)
    return tuple(_column(it, row[it["name"]], count) for it in signature["inputs"])


def varied(signature: Signature, reference: Reference) -> Columns:
    """Columns of some dozens of rows: values at the edges of the bins, known and unknown categories, none at all."""
    random = np.random.default_rng(0)
    columns = []
    for feature, column in zip(signature["inputs"], typical(signature, reference, _VARIED_ROWS), strict=True):
        bins = reference["features"].get(feature["name"])
        known = [*bins.get("edges", ()), *bins.get("values", ())] if bins else []
        strange = [_UNKNOWN] if feature["type"] == "category" else []
        missing = [_missing(feature)] if feature["nullable"] else []
        others = [*known, *feature.get("values", ()), *strange, *missing]
        if others:
            column[:] = random.choice(np.array(others, column.dtype), _VARIED_ROWS)
        columns.append(column)
    return tuple(columns)


def require_answer(engine: Engine, signature: Signature, reference: Reference) -> None:
    """Raises `ArtifactError` where the model has no answer to a typical row."""
    try:
        found = np.isfinite(engine.run(typical(signature, reference, 1))).all()
    except Exception as error:  # A model may raise anything.
        raise ArtifactError(f"the model fails for a typical row: {error}", _HELP) from error
    if not found:
        raise ArtifactError("the model's answer to a typical row is no finite number", _HELP)


def gaps(engine: Engine, signature: Signature, reference: Reference) -> Gaps:
    """What the model raises for, or answers with what is no number, where but one column is untypical.

    Raises `ArtifactError` where it has no answer to a typical row either.
    """
    require_answer(engine, signature, reference)
    questions = list(_questions(signature))
    failing = _failing(lambda asked: _answers(engine, _asked(asked, signature, reference)), questions)
    known, missing = {}, set()
    for place, feature in enumerate(signature["inputs"]):
        refused = {it.value for it in failing if it.place == place}
        if not refused.isdisjoint(_MISSING):
            missing.add(feature["name"])
        if refused - _MISSING:
            known[feature["name"]] = frozenset(feature["values"]) - refused - _MISSING
    return Gaps(known, frozenset(missing))


def _failing(answers: Callable[[list[_Question]], bool], asked: list[_Question]) -> list[_Question]:
    """Found by halves: mostly there are none of them, or few among many."""
    if not asked or answers(asked):
        return []
    if len(asked) == 1:
        return asked
    half = len(asked) // 2
    return [*_failing(answers, asked[:half]), *_failing(answers, asked[half:])]


def _questions(signature: Signature) -> Iterator[_Question]:
    for place, feature in enumerate(signature["inputs"]):
        values = feature.get("values", [])
        if feature["nullable"]:
            yield _Question(place, _missing(feature))
        for text in (*values, *([_UNKNOWN] if values else ())):
            yield _Question(place, text)


def _asked(questions: list[_Question], signature: Signature, reference: Reference) -> Columns:
    """A row for each question."""
    columns = typical(signature, reference, len(questions))
    for row, question in enumerate(questions):
        columns[question.place][row] = question.value
    return columns


def _answers(engine: Engine, columns: Columns) -> bool:
    try:
        return bool(np.isfinite(engine.run(columns)).all())
    except Exception:  # noqa: BLE001 - a model may raise anything
        return False


def _column(feature: Feature, value: Json, count: int) -> NDArray[Any]:
    if feature["type"] == "category":
        return np.full(count, value or "", dtype=object)
    return np.full(count, np.nan if value is None else value, dtype=np.float32)


def _missing(feature: Feature) -> object:
    return "" if feature["type"] == "category" else None
