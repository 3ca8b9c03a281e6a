"""What the words of `serve`, of environments and of `delivery` mean, and which of them contradict each other."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from lockgate import spec
from lockgate.spec.model import Delivery, Serve
from lockgate.yaml.dump import dump
from tests.spec.specs import MINIMAL, with_model

GATEWAY = {"gateway": "public", "namespace": "gateways", "hostname": "delay.acme.example"}
ISTIO = {**GATEWAY, "router": "istio"}
SLO = {"availability": 99.9, "latency_p99": "50ms"}


def read(document: dict[str, Any]) -> spec.Reading:
    return spec.read(dump(document).encode())


def serve(**block: object) -> Serve:
    reading = read(with_model(serve=block))
    assert reading.spec is not None, reading.diagnostics
    found = reading.spec.models["delay"].serve
    assert found is not None
    return found


def rules(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Each finding's rule, and the last step of where it is."""
    return [(found.rule, (found.path or "").rpartition(".")[2]) for found in read(document).diagnostics]


def wrong(**block: object) -> list[tuple[str, str]]:
    return rules(with_model(serve=block))


def test_without_an_slo_and_without_limits_nothing_is_analysed() -> None:
    assert serve(rollout="blue-green").rollout.analysis is None
    assert serve(rollout={"strategy": "canary"}).rollout.analysis is None


def test_what_an_analysis_does_not_say_follows_from_the_slo() -> None:
    analysis = serve(
        rollout={"strategy": "canary", "analysis": {"success_rate": {"min": 99}}}, slo=SLO
    ).rollout.analysis
    assert analysis is not None
    assert (analysis.success_rate_min_percent, analysis.latency_p99_max_seconds) == (Decimal(99), 0.05)
    assert analysis.prediction_psi == (0.2, 200)


def test_predictions_are_compared_unless_the_spec_says_not() -> None:
    analysis = serve(rollout={"strategy": "blue-green", "analysis": {"prediction_psi": "ignore"}}, slo=SLO)
    assert analysis.rollout.analysis is not None
    assert analysis.rollout.analysis.prediction_psi is None


def test_a_rolling_update_is_not_analysed_whatever_is_promised() -> None:
    assert serve(slo=SLO).rollout.analysis is None


def test_behind_a_gateway_the_default_steps_do_not_depend_on_the_replicas() -> None:
    canary = serve(rollout="canary", traffic=GATEWAY, replicas={"min": 1})
    cautious = serve(rollout="cautious", traffic=GATEWAY)
    assert [step.weight_percent for step in canary.rollout.steps] == [10, 25, 50]
    assert [step.weight_percent for step in cautious.rollout.steps] == [1, 10, 25, 50]
    assert (canary.rollout.test_seconds, cautious.rollout.test_seconds) == (0, 600)


def test_behind_istio_a_cautious_rollout_has_a_shadow_unless_the_spec_says_not() -> None:
    said = {"strategy": "cautious", "shadow": {"for": "1h"}}
    assert serve(rollout="cautious", traffic=ISTIO).rollout.shadow == (1800, 100)
    assert serve(rollout=said, traffic=ISTIO).rollout.shadow == (3600, 100)
    for shadow in ({"rollout": {"strategy": "cautious", "shadow": "none"}}, {"rollout": "canary"}):
        assert serve(**shadow, traffic=ISTIO).rollout.shadow is None


def test_behind_the_gateway_api_no_request_is_copied() -> None:
    assert serve(rollout="cautious", traffic=GATEWAY).rollout.shadow is None
    assert wrong(rollout={"strategy": "cautious", "shadow": {}}, traffic=GATEWAY) == [
        ("shadow-needs-istio", "shadow")
    ]
    assert wrong(rollout={"strategy": "cautious", "shadow": "none"}, traffic=GATEWAY) == []


def test_an_environment_may_have_another_router_than_the_model() -> None:
    document = with_model(serve={"rollout": "cautious", "traffic": GATEWAY})
    own = {"traffic": ISTIO}
    document["environments"] = {"staging": {"namespace": "ml", "models": {"delay": {"serve": own}}}}
    reading = read(document)
    assert reading.spec is not None, reading.diagnostics
    staging = reading.spec.environments["staging"].serve["delay"]
    assert staging.gateway == ("public", "gateways", "delay.acme.example", "istio")
    assert staging.rollout.shadow == (1800, 100)


def test_an_availability_is_the_decimal_that_was_written() -> None:
    promised = serve(slo={"availability": 99.99}).slo
    assert promised is not None
    assert promised.availability_percent == Decimal("99.99")


def test_sizes_and_durations_are_numbers_of_the_smallest_unit() -> None:
    limits = serve(limits={"body": "16Mi", "timeout": "500ms"}).limits
    assert limits == (16 * 2**20, 10_000, 4096, 0.5)


def test_an_environment_may_go_without_the_models_gateway() -> None:
    document = with_model(serve={"rollout": "cautious", "traffic": GATEWAY})
    own = {"rollout": "rolling", "traffic": "replicas"}
    document["environments"] = {"staging": {"namespace": "ml", "models": {"delay": {"serve": own}}}}
    reading = read(document)
    assert reading.spec is not None, reading.diagnostics
    staging = reading.spec.environments["staging"].serve["delay"]
    assert (staging.gateway, staging.rollout.strategy) == (None, "rolling")


@pytest.mark.parametrize(
    ("block", "key"),
    [
        ({"rollout": "canary"}, "rollout"),
        ({"rollout": {"strategy": "blue-green"}}, "rollout"),
        ({"traffic": GATEWAY}, "traffic"),
        ({"scaling": {"requests_per_second": 5}}, "scaling"),
        ({"tls": {"secret": "x"}}, "tls"),
    ],
)
def test_what_kserve_cannot_do_is_refused(block: dict[str, Any], key: str) -> None:
    assert wrong(platform="kserve", **block) == [("kserve-limit", key)]


def analysed(**analysis: object) -> list[tuple[str, str]]:
    return wrong(rollout={"strategy": "blue-green", "analysis": analysis})


def test_limits_that_nothing_says_are_refused() -> None:
    query = {"query": "up", "reason": "x"}
    assert analysed(success_rate={}) == [("analysis-without-limit", "success_rate")]
    assert analysed(prediction_psi="ignore") == [("analysis-without-limit", "analysis")]
    assert analysed(queries={"q": query}) == [("analysis-without-limit", "q")]
    assert analysed(queries={"q": {**query, "min": 2, "max": 1}}) == [("empty-range", "min")]


@pytest.mark.parametrize("query", ["x{{", "}}", "{{args.latest-hash}} {{inputs}}", "{{ args.latest-hash }}"])
def test_braces_that_nothing_fills_in_are_refused(query: str) -> None:
    assert analysed(queries={"q": {"query": query, "reason": "x", "min": 1}}) == [("analysis-query", "query")]


def test_braces_that_a_rollout_fills_in_are_right() -> None:
    query = 'sum(a{h="{{args.latest-hash}}"}) / sum(a{h="{{args.stable-hash}}"})'
    assert analysed(queries={"q": {"query": query, "reason": "x", "min": 1}}) == []


def test_a_latency_that_the_time_limit_cuts_off_is_refused() -> None:
    assert wrong(slo={"availability": 99, "latency_p99": "11s"}) == [("slo-impossible", "latency_p99")]


@pytest.mark.parametrize(("availability", "found"), [(93, ["slo-impossible"]), (93.1, [])])
def test_a_budget_that_an_outage_cannot_burn_fast_enough_is_refused(
    availability: float, found: list[str]
) -> None:
    assert [rule for rule, _ in wrong(slo={"availability": availability})] == found


def test_a_test_belongs_to_a_cautious_rollout() -> None:
    assert wrong(rollout={"strategy": "canary", "test": "5m"}) == [("rollout-steps", "test")]


def test_a_shadow_belongs_to_a_cautious_rollout() -> None:
    assert wrong(rollout={"strategy": "canary", "shadow": {}}, traffic=ISTIO) == [("rollout-steps", "shadow")]


def test_a_shadow_without_any_gateway_is_one_mistake() -> None:
    assert [rule for rule, _ in wrong(rollout={"strategy": "cautious", "shadow": {}})] == [
        "cautious-needs-gateway"
    ]


def test_a_column_that_may_not_be_logged_has_to_be_one() -> None:
    data = {**MINIMAL["models"]["delay"]["data"], "columns": {"name": {"type": "category"}}}
    log = {"to": "s3://acme/log", "leave_out": ["nmae"]}
    assert rules(with_model(data=data, serve={"predictions_log": log})) == [("unknown-column", "0")]


@pytest.mark.parametrize("to", ["/var/log", "file:///x", "http://x", "s3://", "s3://b/$(id)", "s3://b b"])
def test_predictions_are_kept_in_object_storage_alone(to: str) -> None:
    assert wrong(predictions_log={"to": to}) == [("wrong-form", "to")]


@pytest.mark.parametrize(
    "endpoint", ["http://u:p@x.svc", "ftp://x", "http://x?y", "http://x\ny", "x.svc:4318"]
)
def test_an_address_is_plain_http(endpoint: str) -> None:
    assert [rule for rule, _ in wrong(tracing={"endpoint": endpoint})] == ["wrong-form"]


def environments(**blocks: dict[str, Any]) -> dict[str, Any]:
    named = {name: {"namespace": f"ml-{name}", **block} for name, block in blocks.items()}
    return {**with_model(), "environments": named}


def test_environments_that_wait_for_each_other_are_refused_at_each() -> None:
    circle = environments(a={"requires": ["b"]}, b={"requires": ["a"]}, c={"requires": ["a"]})
    assert rules(circle) == [("promotion-order", "requires")] * 2


def test_an_environment_waits_for_one_that_exists() -> None:
    assert rules(environments(a={"requires": ["stagin"]}, staging={})) == [("unknown-environment", "0")]


def test_an_environment_says_how_versions_come_to_it() -> None:
    own = {"requires": ["staging"], "soak": "24h", "reviewers": ["@acme/ml"]}
    reading = read(environments(staging={"promote": "automatic"}, production=own))
    assert reading.spec is not None, reading.diagnostics
    staging, production = reading.spec.environments.values()
    assert (staging.promote, staging.requires, staging.soak_seconds) == ("automatic", (), 0)
    assert (production.promote, production.requires) == ("pull-request", ("staging",))
    assert (production.soak_seconds, production.reviewers) == (86400, ("@acme/ml",))


def delivery(**block: object) -> dict[str, Any]:
    return {**with_model(), "delivery": block}


def test_a_delivery_has_its_tools_own_namespace() -> None:
    reading = read(delivery(mode="flux", interval="90s"))
    assert reading.spec is not None, reading.diagnostics
    assert reading.spec.delivery == Delivery(
        mode="flux",
        namespace="flux-system",
        project="default",
        interval_seconds=90,
        secret=None,
        runner="ubuntu-24.04",
        steps=(),
        timeout_seconds=1800,
    )


def test_argo_cd_and_flux_may_have_a_watcher_and_it_logs_in() -> None:
    steps = [{"name": "Log in", "run": "make login"}]

    assert rules(delivery(mode="argocd", runner="inside", steps=steps)) == []
    assert rules(delivery(mode="flux", runner="inside")) == [("delivery-mode", "runner")]


def test_a_job_that_pushes_logs_in_and_its_steps_are_held_to_what_ci_s_are() -> None:
    expression = {"name": "Log in", "run": "login ${{ github.event.issue.title }}"}
    assert rules(delivery(mode="push")) == [("delivery-mode", "mode")]
    assert rules(delivery(mode="push", steps=[expression])) == [("expression", "run")]
