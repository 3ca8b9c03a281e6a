"""Where a value comes from, and what it overrides."""

from __future__ import annotations

import pytest

from lockgate import spec
from lockgate.spec.explain import Explanation, NoSuchPathError, Origin, explain

TEXT = """\
apiVersion: lockgate.dev/v1
project: {repository: github.com/acme/flights}
models:
  delay:
    owner: ops
    task: classification
    data:
      source: models.delay.data:load
      target: late
      columns:
        dep.time: {type: number}
    train: {estimator: models.delay.model:build}
    serve:
      replicas: {max: 20}
environments:
  production:
    namespace: ml
    models:
      delay:
        serve:
          replicas: {max: 50}
"""
READING = spec.read(TEXT.encode())


def one(path: str, environment: str | None = None) -> Explanation:
    (explanation,) = explain(READING, path, environment)
    return explanation


def test_a_written_value_names_its_line_and_the_default_it_overrides() -> None:
    found = one("models.delay.serve.replicas.max")
    assert found.origin == Origin(value=20, source="mlops.yaml:14")
    assert found.overrides == (Origin(value=10, source="default"),)
    assert found.description == "The most pods."


def test_a_default_says_so() -> None:
    assert one("models.delay.evaluate.threshold").origin == Origin(value=0.5, source="default")


def test_an_environments_change_is_strongest() -> None:
    found = one("models.delay.serve.replicas.max", "production")
    assert found.origin == Origin(value=50, source="mlops.yaml:21")
    assert [origin.value for origin in found.overrides] == [20, 10]


def test_what_is_not_given_and_has_no_default_has_no_origin() -> None:
    assert one("models.delay.data.time").origin is None


def test_a_column_whose_name_holds_a_dot_is_found() -> None:
    assert one("models.delay.data.columns.dep.time.type").origin == Origin(
        value="number", source="mlops.yaml:11"
    )


def test_no_path_explains_every_value() -> None:
    paths = [explanation.path for explanation in explain(READING)]
    assert {"apiVersion", "ci.timeout_minutes", "models.delay.serve.rollout", "deployments"} <= set(paths)


def test_an_unknown_path_names_the_nearest() -> None:
    with pytest.raises(NoSuchPathError) as raised:
        explain(READING, "models.delay.serve.replica")
    assert raised.value.hint == "did you mean 'replicas'?"


@pytest.mark.parametrize(
    ("path", "nearest"), [("models.dela", "delay"), ("environments.prod.namespace", "production")]
)
def test_what_is_not_in_the_spec_has_no_values_to_explain(path: str, nearest: str) -> None:
    with pytest.raises(NoSuchPathError) as raised:
        explain(READING, path)
    assert raised.value.hint == f"did you mean '{nearest}'?"


def test_an_unknown_environment_names_the_nearest() -> None:
    with pytest.raises(NoSuchPathError) as raised:
        explain(READING, "models.delay", "prod")
    assert raised.value.hint == "did you mean 'production'?"
