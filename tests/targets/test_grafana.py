"""The dashboard: complete, in order, and of nothing but expressions that Prometheus takes."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from tests.promtool import check_expressions, needs_promtool
from tests.targets.watched import SLO, content, document, planned

from lockgate.targets.grafana import emit

DASHBOARD = "manifests/production/delay/dashboard.yaml"
KINDS: list[dict[str, object]] = [{}, {"slo": SLO}, {"slo": {"availability": 99}, "rollout": "canary"}]


def config_map(**serve: object) -> Any:
    (file,) = emit(planned(document(**serve)))
    assert file.path == DASHBOARD
    return file.content


def dashboard(**serve: object) -> Any:
    return json.loads(config_map(**serve)["data"]["delay-production.json"])


def titles(shown: Any) -> list[str]:
    return [panel["title"] for panel in shown["panels"] if panel["type"] != "row"]


def expressions(shown: Any) -> list[str]:
    return [target["expr"] for panel in shown["panels"] for target in panel.get("targets", [])]


def values_at(node: Any, wanted: str) -> Iterator[Any]:
    """What stands under that key, at any depth."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == wanted:
                yield value
            yield from values_at(value, wanted)
    elif isinstance(node, list):
        for item in node:
            yield from values_at(item, wanted)


def test_grafanas_sidecar_finds_it_by_its_label() -> None:
    assert config_map()["metadata"] == {
        "name": "delay-dashboard",
        "namespace": "ml",
        "labels": {
            "app.kubernetes.io/name": "delay",
            "app.kubernetes.io/instance": "delay-production",
            "app.kubernetes.io/part-of": "flights",
            "app.kubernetes.io/managed-by": "lockgate",
            "grafana_dashboard": "1",
        },
    }


def test_it_shows_what_an_operator_asks_first() -> None:
    shown = dashboard(slo=SLO, rollout="canary")
    assert [panel["title"] for panel in shown["panels"] if panel["type"] == "row"] == [
        "Budget", "Traffic", "Latency", "Errors", "Drift", "Versions and rollout",
    ]  # fmt: skip
    assert titles(shown) == [
        "Budget left: failed requests", "Burn rate: failed requests", "Budget left: slow requests",
        "Burn rate: slow requests", "Requests", "Rows", "Waiting", "Latency", "Quick enough", "Failed requests",
        "Refused requests", "Features", "Predictions", "Confidence", "Pods by version", "Requests by version",
        "Requests by rollout", "Rollout",
    ]  # fmt: skip


def test_without_a_promise_no_budget_is_shown() -> None:
    assert not any("Budget" in title or "Burn" in title for title in titles(dashboard()))


def test_a_regression_has_no_confidence() -> None:
    written = document()
    written["models"]["delay"]["task"] = "regression"
    (file,) = emit(planned(written))
    assert "Confidence" not in titles(json.loads(content(file)["data"]["delay-production.json"]))


@pytest.mark.parametrize("serve", KINDS)
def test_no_panel_lies_over_another(serve: dict[str, object]) -> None:
    places = [panel["gridPos"] for panel in dashboard(**serve)["panels"]]
    for place in places:
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


@pytest.mark.parametrize("serve", KINDS)
def test_every_panel_has_a_number_of_its_own_and_every_query_a_letter(serve: dict[str, object]) -> None:
    panels = dashboard(**serve)["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    for panel in panels:
        letters = [target["refId"] for target in panel.get("targets", [])]
        assert len(set(letters)) == len(letters)


@pytest.mark.parametrize("serve", KINDS)
def test_every_data_source_is_the_variable(serve: dict[str, object]) -> None:
    shown = dashboard(**serve)
    found = list(values_at(shown["panels"], "datasource"))
    assert len(found) > len(titles(shown))
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in found)
    (variable,) = shown["templating"]["list"]
    assert (variable["name"], variable["type"], variable["query"]) == (
        "datasource",
        "datasource",
        "prometheus",
    )


def test_its_identity_is_its_own_in_each_environment_and_never_changes() -> None:
    written = document()
    written["environments"]["staging"] = {"namespace": "ml-staging"}
    written["deployments"]["staging"] = copy.copy(written["deployments"]["production"])
    found = [json.loads(*content(file)["data"].values())["uid"] for file in emit(planned(written))]
    assert found == ["lockgate-7d032b59cd9e2a56", "lockgate-645e90b6354efa30"]


def test_each_expression_is_of_this_model_in_this_environment() -> None:
    for expression in expressions(dashboard(slo=SLO, rollout="canary")):
        mine = 'model="delay", namespace="ml"', 'model="delay", environment="production"', 'name="delay"'
        assert any(matchers in expression for matchers in mine), expression


@needs_promtool
@pytest.mark.parametrize("serve", KINDS)
def test_prometheus_takes_every_expression(serve: dict[str, object], tmp_path: Path) -> None:
    assert check_expressions(expressions(dashboard(**serve)), tmp_path) == ""


def test_services_of_one_kind_have_dashboards_that_differ_in_their_names_alone() -> None:
    written = document(slo=SLO, rollout="canary")
    written["environments"]["staging"] = {"namespace": "ml-staging"}
    written["deployments"]["staging"] = copy.copy(written["deployments"]["production"])
    mine, other = (next(iter(content(file)["data"].values())) for file in emit(planned(written)))
    renamed = mine.replace("production", "staging").replace('\\"ml\\"', '\\"ml-staging\\"')
    assert renamed.replace(json.loads(mine)["uid"], json.loads(other)["uid"]) == other
