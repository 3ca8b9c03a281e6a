"""Answers in full, for each kind of model; hostile names stay inside of their texts."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.server.trained import signature_of

from lockgate.contract import Kind
from lockgate_runtime.server.answers import Answers
from lockgate_runtime.server.refused import ColumnError, Refused, wrong_columns

HEAD = {"model": "late-bus", "version": '1"0', "id": "r-1"}


def body_of(answers: Answers, outputs: NDArray[np.float64]) -> Any:
    return json.loads(answers.body(answers.texts(outputs), "r-1"))


def test_a_binary_answer_has_the_positive_class_probability_and_goes_by_the_threshold() -> None:
    body = body_of(Answers(signature_of(), '1"0'), np.array([[0.7, 0.3], [0.6, 0.4]]))
    predictions = [{"prediction": "no", "probability": 0.3}, {"prediction": "yes", "probability": 0.4}]
    assert body == {**HEAD, "predictions": predictions}


def test_a_multiclass_answer_has_all_probabilities_by_class() -> None:
    body = body_of(Answers(signature_of("multiclass"), '1"0'), np.array([[0.2, 0.5, 0.3]]))
    probabilities = {"a": 0.2, "b": 0.5, "c": 0.3}
    expected = {"prediction": "b", "probability": 0.5, "probabilities": probabilities}
    assert body == {**HEAD, "predictions": [expected]}


def test_a_regression_answer_is_the_value_alone() -> None:
    body = body_of(Answers(signature_of("regression"), '1"0'), np.array([1.5, -2.0]))
    assert body == {**HEAD, "predictions": [{"prediction": 1.5}, {"prediction": -2.0}]}


@pytest.mark.parametrize("value", [0.1 + 0.2, 1e-7, 5e-324, 1.7976931348623157e308, -0.0, 1e16])
def test_a_number_is_written_so_that_it_reads_as_the_same(value: float) -> None:
    body = body_of(Answers(signature_of("regression"), "1"), np.array([1.0, value]))
    assert [it["prediction"] for it in body["predictions"]] == [1.0, value]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_what_is_no_number_is_no_answer(kind: Kind, wrong: float) -> None:
    answers, classes = Answers(signature_of(kind), "1"), {"binary": 2, "multiclass": 3, "regression": 1}[kind]
    outputs = np.array([[0.25] * classes, [wrong] * classes])
    texts = answers.texts(outputs[:, 0] if kind == "regression" else outputs)
    with pytest.raises(Refused, match="row 1: the model's answer to it is no finite number") as caught:
        answers.body(texts, "r-1")
    assert (caught.value.status, caught.value.reason) == (424, "no-answer")
    assert json.loads(answers.body(texts[:1], "r-1"))["predictions"] != []


@pytest.mark.parametrize("count", [1, 2, 25])
def test_a_refusal_tells_at_most_twenty_columns(count: int) -> None:
    refused = wrong_columns([ColumnError(row, "zone", "is 1, expected text") for row in range(count)])
    more = {1: "", 2: " (1 more in 'errors')", 25: " (at least 19 more in 'errors')"}[count]
    assert json.loads(refused.body("r-1")) == {
        "error": f"row 0, column 'zone': is 1, expected text{more}",
        "reason": "wrong-column",
        "id": "r-1",
        "errors": [
            {"row": row, "column": "zone", "message": "is 1, expected text"} for row in range(min(count, 20))
        ],
    }
