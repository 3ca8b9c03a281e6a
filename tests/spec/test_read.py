"""What the compiler makes of right, wrong and hostile specs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate import spec
from lockgate.spec.schema import load_schema
from lockgate.yaml.dump import dump
from lockgate.yaml.parse import MAX_BYTES
from tests.spec.specs import MINIMAL, documents, with_model

SOURCES = Path(__file__).parents[2] / "generators" / "lockgate"


def read(document: object) -> spec.Reading:
    return spec.read(dump(document).encode())  # type: ignore[arg-type]


def rules(document: object) -> list[str]:
    return [diagnostic.rule for diagnostic in read(document).diagnostics]


def test_the_smallest_spec_is_right_and_gets_every_default() -> None:
    reading = read(MINIMAL)
    assert reading.diagnostics == ()
    assert reading.spec is not None
    model = reading.spec.models["delay"]
    assert (model.data.holdout_share, model.data.split) == (0.2, "random")
    assert (model.evaluate.threshold, model.evaluate.bootstrap_samples) == (0.5, 500)
    assert reading.spec.project.branch == "main"


@settings(max_examples=60, deadline=None)
@given(documents())
def test_every_spec_made_from_the_schema_is_right(document: dict[str, Any]) -> None:
    reading = read(document)
    assert reading.diagnostics == ()
    assert reading.spec is not None
    assert list(reading.spec.models) == list(document["models"])


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=12,
)


def places(schema: dict[str, Any]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.sampled_from(
        [
            ("project",),
            ("models",),
            ("models", "delay"),
            *(("models", "delay", key) for key in schema["$defs"]["model"]["properties"]),
            *((key,) for key in schema["properties"]),
        ]
    )


@settings(max_examples=200, deadline=None)
@given(places(dict(load_schema())), JSON)
def test_anything_anywhere_gives_a_spec_or_diagnostics_with_a_position(
    place: tuple[str, ...], value: object
) -> None:
    document = with_model()
    target: Any = document
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value
    reading = read(document)
    assert (reading.spec is None) == any(it.severity == "error" for it in reading.diagnostics)
    assert all(it.position is not None for it in reading.diagnostics)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_diagnostics_and_no_exception(data: bytes) -> None:
    assert spec.read(data).diagnostics


def test_a_file_of_50_megabytes_is_refused_at_once() -> None:
    assert [it.rule for it in spec.read(b"a: b\n" * 10_000_000).diagnostics] == ["yaml-size"]


def test_of_a_huge_file_no_more_is_read_than_shows_that_it_is_huge(tmp_path: Path) -> None:
    with (tmp_path / "mlops.yaml").open("wb") as stream:
        stream.truncate(20 * MAX_BYTES)

    data = spec.read_bytes(tmp_path)

    assert len(data) == MAX_BYTES + 1
    assert [it.rule for it in spec.read(data).diagnostics] == ["yaml-size"]


def test_deep_nesting_is_refused_without_running_out_of_stack() -> None:
    assert [it.rule for it in spec.read(b"x-a: " + b"[" * 1_000_000).diagnostics] == ["yaml-depth"]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_text() -> None:
    document = with_model(gates={"auc": {"min": 0.7}}, evaluate={"metrics": {}, "threshold": 0.5})
    document["models"]["other"] = {**document["models"]["delay"], "gates": {"latency_p99": {"max": 5}}}
    reading = read(document)
    assert [(it.rule, it.path) for it in reading.diagnostics] == [
        ("gate-metric", "models.delay.gates.auc"),
        ("gate-unit", "models.other.gates.latency_p99.max"),
    ]


def test_a_misspelt_required_key_is_one_diagnostic() -> None:
    document = with_model()
    document["models"]["delay"]["ownr"] = document["models"]["delay"].pop("owner")
    assert [(it.rule, it.help) for it in read(document).diagnostics] == [
        ("unknown-key", "did you mean 'owner'?")
    ]


@pytest.mark.parametrize("planned", ["monitor", "retrain"])
def test_what_is_planned_is_refused_and_not_ignored(planned: str) -> None:
    assert rules(with_model(**{planned: {}})) == ["not-yet"]


def test_an_environment_change_is_laid_over_the_models_block() -> None:
    document = with_model(serve={"replicas": {"min": 2, "max": 20}, "clients": ["web"]})
    change = {"replicas": {"max": 4}, "clients": ["api"]}
    document["environments"] = {"staging": {"namespace": "s", "models": {"delay": {"serve": change}}}}
    loaded = read(document).spec
    assert loaded is not None
    served = loaded.environments["staging"].serve["delay"]
    assert (served.replicas_min, served.replicas_max, served.clients) == (2, 4, ("api",))


def test_a_change_that_contradicts_the_models_block_is_refused() -> None:
    document = with_model(serve={"replicas": {"min": 5, "max": 20}})
    document["environments"] = {
        "s": {"namespace": "s", "models": {"delay": {"serve": {"replicas": {"max": 4}}}}}
    }
    assert rules(document) == ["empty-range"]


def test_yaml_1_1_words_are_text() -> None:
    document = with_model(owner="on", description="12:30")
    loaded = read(document).spec
    assert loaded is not None
    assert (loaded.models["delay"].owner, loaded.models["delay"].description) == ("on", "12:30")


def test_every_key_of_the_schema_has_a_description_and_an_example() -> None:
    bare = [
        path
        for path, place in _places(dict(load_schema()), "")
        if "$ref" not in place and not _is_told(place)
    ]
    assert bare == []


def _is_told(place: dict[str, Any]) -> bool:
    return bool(place.get("description")) and bool(place.get("examples"))


def _places(place: dict[str, Any], path: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for key, below in place.get("properties", {}).items():
        found += [(f"{path}.{key}", below), *_places(below, f"{path}.{key}")]
    for name, below in place.get("$defs", {}).items():
        found += _places(below, f"{path}#{name}")
    return found


def test_examples_and_defaults_of_the_schema_fit_the_schema() -> None:
    schema = dict(load_schema())
    for path, place in _places(schema, ""):
        validator = jsonschema_rs.Draft202012Validator({**place, "$defs": schema["$defs"]})
        for value in [*place.get("examples", []), *([place["default"]] if "default" in place else [])]:
            assert validator.is_valid(value), (path, value)


def test_the_schema_is_a_schema() -> None:
    assert jsonschema_rs.meta.is_valid(
        json.loads((SOURCES.parents[1] / "schema/mlops.schema.json").read_text())
    )


def test_every_rule_has_its_case_of_a_wrong_spec() -> None:
    text = "".join(path.read_text() for path in sorted(SOURCES.glob("spec/**/*.py")))
    named = set(re.findall(r'rule="([a-z-]+)"', text)) - {"missing-file"}
    cases = {path.stem for path in (Path(__file__).parents[1] / "errors").glob("*.yaml")}
    assert named - cases == set()
