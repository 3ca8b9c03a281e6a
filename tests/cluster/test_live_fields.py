"""What of an object is left to a rollout when it is applied, and which kinds are known."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.golden.test_golden import RELEASED

from lockgate import plan, spec
from lockgate.cluster.delivery import KINDS, with_live_fields
from lockgate.plan.model import Plan

GOLDEN = Path(__file__).parents[1] / "golden"
GUARDED = GOLDEN / "guarded"
ROUTE = GUARDED / "expected/manifests/production/delay/http-route.yaml"
SHADOWED = GOLDEN / "shadowed"
FOLLOWERS = {"Application", "GitRepository", "Kustomization"}


def planned(strategy: str) -> Plan:
    text = (GUARDED / "mlops.yaml").read_text()
    return made_of(text.replace("strategy: cautious, test: 30m", f"strategy: {strategy}"))


def made_of(text: str) -> Plan:
    reading = spec.read(text.encode())
    assert reading.spec is not None, reading.diagnostics
    made, findings = plan.make(reading.spec, RELEASED)
    assert findings == ()
    return made


@pytest.fixture
def route() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(ROUTE.read_text())
    return document


@pytest.fixture
def shifted(route: dict[str, Any]) -> dict[str, Any]:
    """As a rollout has it on its way: a quarter of the traffic is the new version's."""
    live = copy.deepcopy(route)
    for backend, weight in zip(live["spec"]["rules"][0]["backendRefs"], (75, 25), strict=True):
        backend["weight"] = weight
    return live


def test_the_weights_of_a_route_stay_as_the_rollout_has_set_them(
    route: dict[str, Any], shifted: dict[str, Any]
) -> None:
    assert with_live_fields(route, shifted, planned("canary"), "production") == shifted


def test_other_fields_of_a_route_are_as_the_manifest_says(
    route: dict[str, Any], shifted: dict[str, Any]
) -> None:
    route["spec"]["hostnames"] = ["new.acme.example"]

    merged = with_live_fields(route, shifted, planned("canary"), "production")

    assert merged == {**shifted, "spec": {**shifted["spec"], "hostnames": ["new.acme.example"]}}


def test_a_cautious_rollout_keeps_the_rule_that_it_has_added(
    route: dict[str, Any], shifted: dict[str, Any]
) -> None:
    own = {"matches": [{"headers": []}], "backendRefs": shifted["spec"]["rules"][0]["backendRefs"][1:]}
    shifted["spec"]["rules"].append(own)

    assert with_live_fields(route, shifted, planned("cautious"), "production") == shifted


@pytest.mark.parametrize("strategy", ["canary", "cautious"])
def test_a_route_that_had_no_rollout_gets_its_backends(strategy: str, route: dict[str, Any]) -> None:
    live = copy.deepcopy(route)
    del live["spec"]["rules"][0]["backendRefs"][1]

    assert with_live_fields(route, live, planned(strategy), "production") == route


def test_a_virtual_service_keeps_the_copies_and_weights_of_the_rollout() -> None:
    document = yaml.safe_load(
        (SHADOWED / "expected/manifests/production/delay/virtual-service.yaml").read_text()
    )
    live = copy.deepcopy(document)
    (primary,) = live["spec"]["http"]
    copies = {**primary, "name": "shadow", "mirror": {"host": "delay-canary"}}
    live["spec"]["http"] = [copies, primary]
    plan_ = made_of((SHADOWED / "mlops.yaml").read_text())

    assert with_live_fields(document, live, plan_, "production") == live
    del primary["route"][1], copies["route"]
    assert with_live_fields(document, live, plan_, "production") == document


def test_what_is_not_in_the_cluster_yet_is_as_the_manifest_says(route: dict[str, Any]) -> None:
    assert with_live_fields(route, None, planned("canary"), "production") == route


def test_every_kind_that_is_emitted_has_its_place_in_the_order() -> None:
    documents = [yaml.safe_load(path.read_text()) for path in GOLDEN.glob("*/expected/manifests/**/*.yaml")]
    emitted = {(it["apiVersion"], it["kind"]) for it in documents if it["kind"] not in FOLLOWERS}

    assert emitted == {*KINDS, ("v1", "Namespace")}
