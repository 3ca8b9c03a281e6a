"""Whatever a right spec says, Prometheus takes every rule, every query and every panel's expression made of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from lockgate import plan, spec
from lockgate.plan.analysis import metrics
from lockgate.plan.model import Plan, Record
from lockgate.targets import grafana, prometheus
from lockgate.yaml.dump import dump
from tests.promtool import check_expressions, check_rules, needs_promtool
from tests.spec.specs import served_documents
from tests.targets.watched import content

RELEASE = "1.2.3"


def planned(document: dict[str, Any]) -> Plan:
    """The spec's plan with every served model live in every environment."""
    served = [name for name, model in document["models"].items() if "serve" in model]
    pins = {name: dict.fromkeys(served, RELEASE) for name in document["environments"]}
    reading = spec.read(dump({**document, "deployments": pins}).encode())
    assert reading.spec is not None, reading.diagnostics
    records = {
        (name, RELEASE): Record(
            model=name,
            version=RELEASE,
            image=f"ghcr.io/acme/{name}@sha256:{'ab' * 32}",
            artifact_sha256="cd" * 32,
            metrics={},
        )
        for name in reading.spec.models
    }
    return plan.make(reading.spec, records)[0]


@pytest.fixture(scope="module")
def plans() -> list[Plan]:
    found: list[Plan] = []

    @settings(max_examples=30, database=None, derandomize=True)
    @given(served_documents())
    def collect(document: dict[str, Any]) -> None:
        found.append(planned(document))

    collect()
    return found


@pytest.mark.slow
@needs_promtool
def test_prometheus_takes_every_rule(plans: list[Plan], tmp_path: Path) -> None:
    groups = [
        group for made in plans for file in prometheus.emit(made) for group in content(file)["spec"]["groups"]
    ]
    assert groups
    numbered = [{**group, "name": f"{index} {group['name']}"} for index, group in enumerate(groups)]
    assert check_rules(numbered, tmp_path) == ""


@pytest.mark.slow
@needs_promtool
def test_prometheus_takes_every_query_of_an_analysis(plans: list[Plan], tmp_path: Path) -> None:
    queries = {
        metric.query
        for made in plans
        for service in made.services
        for metric in metrics(service)
        if metric.expression is not None
    }
    assert queries
    assert check_expressions(sorted(queries), tmp_path) == ""


@pytest.mark.slow
@needs_promtool
def test_prometheus_takes_every_expression_of_a_dashboard(plans: list[Plan], tmp_path: Path) -> None:
    expressions = set()
    for made in plans:
        for file in grafana.emit(made):
            (shown,) = (json.loads(text) for text in content(file)["data"].values())
            expressions |= {
                target["expr"] for panel in shown["panels"] for target in panel.get("targets", ())
            }
    assert expressions
    assert check_expressions(sorted(expressions), tmp_path) == ""
