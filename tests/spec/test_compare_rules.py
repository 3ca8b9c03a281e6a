"""What the spec says of comparing: its defaults, and the mistakes that need more than the schema."""

from __future__ import annotations

import json
from typing import Any

from lockgate import spec
from lockgate.spec.model import Compare, Fairness, Model
from tests.spec.specs import with_model


def rules_of(document: dict[str, Any]) -> list[tuple[str, str]]:
    reading = spec.read(json.dumps(document).encode())
    return [(diagnostic.rule, diagnostic.message) for diagnostic in reading.diagnostics]


def model_of(document: dict[str, Any]) -> Model:
    found = spec.read(json.dumps(document).encode()).spec
    assert found is not None
    return found.models["delay"]


def test_without_a_word_the_champion_is_production_and_nothing_is_looked_for() -> None:
    model = model_of(with_model())
    assert model.compare == Compare(environment="production", confidence=0.95, on_unknown="warn")
    assert (model.evaluate.worst_slices, model.evaluate.fairness) == (None, {})


def test_all_that_is_said_arrives() -> None:
    limit = {"column": "origin", "metric": "recall", "max_difference": 0.1}
    evaluate = {"worst_slices": {}, "fairness": {"by_origin": limit}}
    document = with_model(
        compare={"with": "staging", "confidence": 0.9, "on_unknown": "block"}, evaluate=evaluate
    )
    document["environments"] = {"staging": {"namespace": "ml"}}
    model = model_of(document)
    assert model.compare == Compare(environment="staging", confidence=0.9, on_unknown="block")
    assert model.evaluate.worst_slices == 5
    assert model.evaluate.fairness == {
        "by_origin": Fairness(column="origin", metric="recall", max_difference=0.1, on_fail="block")
    }


def test_an_environment_that_does_not_exist_is_no_champion() -> None:
    document = with_model(compare={"with": "producton"})
    document["environments"] = {"production": {"namespace": "ml"}}
    assert rules_of(document) == [("unknown-environment", "no environment is called 'producton'")]


def test_groups_are_of_a_column_that_is_declared() -> None:
    data = {"source": "models.m.data:load", "target": "y", "columns": {"origin": {"type": "category"}}}
    limit = {"column": "orign", "metric": "recall", "max_difference": 0.1}
    document = with_model(data=data, evaluate={"fairness": {"by_origin": limit}})
    assert rules_of(document) == [("unknown-column", "no column is called 'orign'")]
