"""What a model has no answer to is found before it serves, and refused by name instead of failing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tests.server.hostile import BUS, BUS_REFERENCE
from tests.server.model_folder import served
from tests.server.test_serving import Answer, ask, predict
from tests.server.trained import frame_of, train

from lockgate_runtime.server.artifact import ArtifactError
from lockgate_runtime.server.columns import NO_GAPS, Gaps
from lockgate_runtime.server.engine import Columns
from lockgate_runtime.server.trial import gaps, typical, varied

PLACES = {it["name"]: place for place, it in enumerate(BUS["inputs"])}
ROW = {"line": "A", "how far": 2.5, "stops": 3, "express": True, "zone": "in"}


class Picky:
    """A model that raises, or gives NaN, where a column has a certain value."""

    def __init__(self, column: str, value: object, answer: float | None = None) -> None:
        self._place, self._value, self._answer = PLACES[column], value, answer

    def run(self, columns: Columns) -> NDArray[np.float64]:
        found = np.array([self._is_refused(it) for it in columns[self._place].tolist()])
        if self._answer is None and found.any():
            raise ValueError(self._value)
        return np.where(found, self._answer or 0.0, 0.5)

    def _is_refused(self, value: Any) -> bool:
        return bool(value != value if self._value is None else value == self._value)


def found(model: Picky) -> Gaps:
    return gaps(model, BUS, BUS_REFERENCE)


def test_a_model_that_answers_everything_has_no_gaps() -> None:
    assert found(Picky("distance", -5.0)) == NO_GAPS


def test_a_known_category_without_an_answer_is_known_no_longer() -> None:
    known = frozenset(BUS["inputs"][PLACES["line"]]["values"])
    assert found(Picky("line", "C")) == Gaps({"line": known - {"C"}}, frozenset())


@pytest.mark.parametrize("answer", [None, np.nan, np.inf])
def test_a_missing_value_without_an_answer_may_not_be_missing(answer: float | None) -> None:
    assert found(Picky("stops", None, answer)) == Gaps({}, frozenset({"stops"}))
    assert found(Picky("driver", "", answer)) == Gaps({}, frozenset({"driver"}))


@pytest.mark.parametrize(
    ("answer", "reason"), [(None, "the model fails for a typical row"), (np.nan, "is no finite number")]
)
def test_a_model_that_answers_not_even_a_typical_row_is_refused(answer: float | None, reason: str) -> None:
    typical_distance = typical(BUS, BUS_REFERENCE, 1)[PLACES["distance"]][0]
    with pytest.raises(ArtifactError, match=reason):
        found(Picky("distance", typical_distance, answer))


def test_varied_rows_have_known_strange_and_missing_values() -> None:
    columns = varied(BUS, BUS_REFERENCE)
    lines = set(columns[PLACES["line"]])
    assert {"A", "B"} < lines
    assert len(lines - {"A", "B", "C", ""}) == 1
    assert np.isnan(columns[PLACES["stops"]]).any()


def test_what_the_model_has_no_answer_to_is_refused_with_the_columns_name(tmp_path: Path) -> None:
    """The encoder takes no categories but those it learned, and nothing fills in what was never missing."""
    columns = make_column_transformer(
        (OneHotEncoder(), ["line", "zone"]), (StandardScaler(), ["how far", "stops"])
    )
    whole = frame_of().fillna({"stops": 0})
    folder = train(
        tmp_path / "model", estimator=make_pipeline(columns, LogisticRegression()), frame=whole
    ).folder
    with served(folder) as url:
        assert predict(url, [ROW]).status == 200
        strange, missing = predict(url, [{**ROW, "zone": "far"}]), predict(url, [{**ROW, "stops": None}])
        schema = json.loads(ask(url, "GET", "/openapi.json").body)["components"]["schemas"]["Row"]
    assert told(strange) == (
        "zone",
        "is 'far', and the model has no answer to it, expected one of 'in', 'out'",
    )
    assert told(missing) == ("stops", "is missing, and the model has no answer without it")
    assert schema["properties"]["zone"]["enum"] == ["in", "out"]
    assert "stops" in schema["required"]


def told(answer: Answer) -> tuple[str, str]:
    (error,) = answer.json["errors"]
    assert (answer.status, answer.json["reason"], error["row"]) == (424, "no-answer", 0)
    return error["column"], error["message"]
