"""What the words of `serve` make of a service: its server, its rollout, its route, its number of pods."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.replacing import replace
from tests.targets.kubernetes_plans import (
    ANALYSIS,
    BLUE_GREEN,
    CANARY,
    CAUTIOUS,
    EQUIPPED,
    GATEWAY,
    ISTIO,
    KSERVE,
    NAME,
    SERVE,
    SHADOWED,
    SLO,
    VARIETIES,
    contents,
    plan,
    service,
)

from lockgate.plan.serving import arguments, cluster_arguments
from lockgate.spec.model import PredictionsLog, RequestScaling, Serve, Tracing
from lockgate.targets.kubernetes import check_objects, emit, findings
from lockgate.targets.kubernetes.rollout import duration

HERE = f"manifests/production/{NAME}"
ANALYSED_CANARY, ANALYSED_BLUE_GREEN = VARIETIES["analysed-canary"], VARIETIES["analysed-blue-green"]


def made(serve: Serve, *, released: bool = True) -> dict[str, Any]:
    """The service's objects by file name."""
    files = contents(emit(plan(service(serve, released=released))))
    return {
        path.removeprefix(f"{HERE}/"): content for path, content in files.items() if path.startswith(HERE)
    }


def server(serve: Serve) -> dict[str, Any]:
    container: dict[str, Any] = made(serve)["deployment.yaml"]["spec"]["template"]["spec"]["containers"][0]
    return container


def seconds(text: str) -> int:
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]


def test_the_server_is_told_which_artifact_it_must_serve_and_what_it_may_take() -> None:
    assert server(SERVE)["args"] == [
        *("--model", "/model", "--card", "/card.md"),
        *("--version", "$(LOCKGATE_VERSION)", "--artifact-sha256", "$(LOCKGATE_ARTIFACT_SHA256)"),
        *("--host", "0.0.0.0", "--port", "8080"),
        *("--workers", "1", "--unknown-categories", "accept", "--max-body", "4194304", "--max-rows", "10000"),
        *("--max-queue", "4096", "--timeout", "10"),
    ]


def test_version_and_hash_come_from_the_pod_itself_so_that_a_promotion_changes_them_once() -> None:
    template = made(SERVE)["deployment.yaml"]["spec"]["template"]
    version, artifact = (
        entry["valueFrom"]["fieldRef"]["fieldPath"] for entry in template["spec"]["containers"][0]["env"]
    )
    assert version == "metadata.labels['app.kubernetes.io/version']"
    assert template["metadata"]["labels"]["app.kubernetes.io/version"] == "1.2.0"
    assert artifact == "metadata.annotations['lockgate.dev/artifact-sha256']"
    assert template["metadata"]["annotations"]["lockgate.dev/artifact-sha256"] == "ab" * 32


def test_a_name_of_the_users_is_no_variable_of_kubernetes() -> None:
    log = PredictionsLog(to="s3://b/p", sample=0.5, keep_days=30, leave_out=("$(LOCKGATE_VERSION)",))
    assert server(replace(SERVE, predictions_log=log))["args"][-1] == "--log-leave-out=$$(LOCKGATE_VERSION)"


def test_secrets_are_files_that_the_group_may_read_and_no_environment() -> None:
    pod = made(EQUIPPED)["deployment.yaml"]["spec"]["template"]["spec"]
    secrets = {volume["name"]: volume["secret"] for volume in pod["volumes"] if "secret" in volume}
    assert secrets == {
        "auth": {
            "secretName": "tokens",
            "defaultMode": 0o440,
            "items": [{"key": "tokens", "path": "tokens"}],
        },
        "tls": {
            "secretName": "certificate",
            "defaultMode": 0o440,
            "items": [{"key": key, "path": key} for key in ("tls.crt", "tls.key")],
        },
    }
    container = pod["containers"][0]
    assert [mount for mount in container["volumeMounts"] if mount["name"] != "tmp"] == [
        {"name": "auth", "mountPath": "/etc/lockgate/auth", "readOnly": True},
        {"name": "tls", "mountPath": "/etc/lockgate/tls", "readOnly": True},
    ]
    assert not any("secret" in str(entry).lower() for entry in container["env"])


def test_a_server_with_a_certificate_is_probed_and_scraped_in_https() -> None:
    files = made(EQUIPPED)
    container = server(EQUIPPED)
    probes = [container[f"{kind}Probe"]["httpGet"]["scheme"] for kind in ("startup", "readiness", "liveness")]
    assert probes == ["HTTPS"] * 3
    (endpoint,) = files["pod-monitor.yaml"]["spec"]["podMetricsEndpoints"]
    assert endpoint["scheme"] == "https"


@pytest.mark.parametrize(("secret", "protocol"), [(None, "http"), ("certificate", "https")])
def test_every_service_names_the_protocol_that_its_server_speaks(secret: str | None, protocol: str) -> None:
    files = made(replace(BLUE_GREEN, tls_secret=secret))
    for name in ("service.yaml", "service-preview.yaml"):
        assert files[name]["spec"]["ports"] == [
            {"name": protocol, "port": 80, "targetPort": "http", "appProtocol": protocol}
        ]


def test_a_column_s_name_cannot_become_a_flag_of_the_server() -> None:
    assert cluster_arguments(EQUIPPED)[-3:] == ("--log-leave-out=--name", "--trace-sample", "0.01")


def test_numbers_reach_the_server_without_exponents() -> None:
    log = PredictionsLog(to="s3://b/p", sample=1e-7, keep_days=30, leave_out=())
    flags = cluster_arguments(replace(SERVE, predictions_log=log))
    assert flags[flags.index("--log-sample") + 1] == "0.0000001"


def test_the_histogram_gets_the_bound_that_is_promised_or_else_analysed() -> None:
    promised, analysed = arguments(replace(SERVE, slo=SLO)), arguments(ANALYSED_CANARY)
    assert promised[-2:] == analysed[-2:] == ("--slo-latency", "0.05")
    assert "--slo-latency" not in arguments(SERVE)


def egress(serve: Serve) -> list[dict[str, Any]]:
    """What the pods may reach besides DNS."""
    rules: list[dict[str, Any]] = made(serve)["network-policy.yaml"]["spec"]["egress"]
    return rules[1:]


def test_a_log_of_predictions_may_leave_the_cluster_by_https_and_reach_nothing_inside() -> None:
    (rule,) = egress(replace(SERVE, predictions_log=EQUIPPED.predictions_log))
    assert rule["ports"] == [{"protocol": "TCP", "port": 443}]
    assert [block["ipBlock"]["cidr"] for block in rule["to"]] == ["0.0.0.0/0", "::/0"]
    assert "10.0.0.0/8" in rule["to"][0]["ipBlock"]["except"]


@pytest.mark.parametrize(
    ("endpoint", "port", "is_inside"),
    [
        ("http://collector.observability.svc:4318", 4318, True),
        ("http://collector.observability.svc.cluster.local/v1", 80, True),
        ("https://otlp.acme.example", 443, False),
    ],
)
def test_traces_may_reach_their_collector_alone(endpoint: str, port: int, *, is_inside: bool) -> None:
    (rule,) = egress(replace(SERVE, tracing=Tracing(endpoint=endpoint, sample=0.1)))
    assert rule["ports"] == [{"protocol": "TCP", "port": port}]
    assert ("namespaceSelector" in rule["to"][0]) is is_inside


def test_the_gateways_namespace_may_call_the_pods() -> None:
    (rule,) = made(CAUTIOUS)["network-policy.yaml"]["spec"]["ingress"]
    names = rule["from"][1]["namespaceSelector"]["matchExpressions"][0]["values"]
    assert names == ["gateways", "monitoring"]


def test_without_an_slo_and_without_limits_no_rollout_is_analysed() -> None:
    for serve in (CANARY, BLUE_GREEN):
        files = made(serve)
        assert {"analysis-template.yaml", "pod-monitor.yaml"} & files.keys() == set()
        assert "nalysis" not in str(files["rollout.yaml"])


def test_a_canary_is_analysed_beside_its_steps() -> None:
    files = made(ANALYSED_CANARY)
    hashes = {"latest-hash": "Latest", "stable-hash": "Stable"}
    assert files["rollout.yaml"]["spec"]["strategy"]["canary"]["analysis"] == {
        "templates": [{"templateName": NAME}],
        "args": [
            {"name": name, "valueFrom": {"podTemplateHashValue": pods}} for name, pods in hashes.items()
        ],
    }
    template = files["analysis-template.yaml"]
    assert template["metadata"]["name"] == NAME
    assert template["spec"]["args"] == [{"name": name} for name in hashes]
    names = [metric["name"] for metric in template["spec"]["metrics"]]
    assert names == ["success-rate", "latency-p99", "prediction-psi", "query-bookings"]
    monitor = files["pod-monitor.yaml"]["spec"]
    assert monitor["podTargetLabels"] == ["rollouts-pod-template-hash"]


def test_no_answer_of_prometheus_is_neither_good_nor_bad() -> None:
    for serve in (ANALYSED_CANARY, ANALYSED_BLUE_GREEN):
        for name, content in made(serve).items():
            if name.startswith("analysis-template"):
                for metric in content["spec"]["metrics"]:
                    for key in ("successCondition", "failureCondition"):
                        assert metric[key].startswith("len(result) > 0 && !isNaN(result[0]) && ")
                    assert metric["inconclusiveLimit"] < metric["count"]


def test_a_blue_green_rollout_is_analysed_before_and_after_and_the_old_version_waits_for_the_end() -> None:
    files = made(ANALYSED_BLUE_GREEN)
    strategy = files["rollout.yaml"]["spec"]["strategy"]["blueGreen"]
    assert strategy["prePromotionAnalysis"]["templates"] == [{"templateName": f"{NAME}-preview"}]
    assert strategy["postPromotionAnalysis"]["templates"] == [{"templateName": NAME}]
    longest = max(
        seconds(metric["initialDelay"]) + seconds(metric["interval"]) * metric["count"]
        for metric in files["analysis-template.yaml"]["spec"]["metrics"]
    )
    assert longest < strategy["scaleDownDelaySeconds"]


def test_behind_a_gateway_a_canary_moves_the_weights_of_a_route_of_its_own() -> None:
    files = made(replace(CANARY, gateway=GATEWAY))
    canary = files["rollout.yaml"]["spec"]["strategy"]["canary"]
    assert canary["trafficRouting"] == {
        "plugins": {"argoproj-labs/gatewayAPI": {"httpRoutes": [{"name": NAME}], "namespace": "ml"}}
    }
    (rule,) = files["http-route.yaml"]["spec"]["rules"]
    backends = [(backend["name"], backend["weight"]) for backend in rule["backendRefs"]]
    assert backends == [(canary["stableService"], 100), (canary["canaryService"], 0)]
    assert {path["path"]["value"] for path in rule["matches"]} == {"/v1", "/v2", "/", "/openapi.json"}


def test_who_goes_around_the_gateway_gets_no_new_version() -> None:
    files = made(replace(CANARY, gateway=GATEWAY))
    assert files["rollout.yaml"]["spec"]["strategy"]["canary"]["stableService"] == NAME
    assert "service-stable.yaml" not in files


def test_a_cautious_rollout_begins_with_one_pod_that_only_requests_with_the_header_reach() -> None:
    canary = made(CAUTIOUS)["rollout.yaml"]["spec"]["strategy"]["canary"]
    match = {"headerName": "x-lockgate-rollout", "headerValue": {"exact": "candidate"}}
    assert canary["steps"] == [
        {"setCanaryScale": {"replicas": 1}},
        {"setHeaderRoute": {"name": "candidate", "match": [match]}},
        {"pause": {"duration": "30m"}},
        {"setCanaryScale": {"matchTrafficWeight": True}},
        {"setWeight": 1},
        {"pause": {"duration": "10m"}},
    ]
    routing = canary["trafficRouting"]
    assert routing["managedRoutes"] == [{"name": "candidate"}]
    routes = routing["plugins"]["argoproj-labs/gatewayAPI"]["httpRoutes"]
    assert routes == [{"name": NAME, "useHeaderRoutes": True}]
    assert canary["steps"][canary["analysis"]["startingStep"]] == {"setWeight": 1}


def test_a_shadow_comes_before_the_test_and_takes_its_copies_away_again() -> None:
    canary = made(SHADOWED)["rollout.yaml"]["spec"]["strategy"]["canary"]
    post = {"method": {"exact": "POST"}}
    asked = [{**post, "path": {"prefix": "/v1/"}}, {**post, "path": {"prefix": "/v2/"}}]
    analysis = canary["steps"][2]["analysis"]
    assert analysis["templates"] == [{"templateName": f"{NAME}-shadow"}]
    assert canary["steps"][:4] == [
        {"setCanaryScale": {"weight": 20}},
        {"setMirrorRoute": {"name": "shadow", "percentage": 20, "match": asked}},
        {"analysis": analysis},
        {"setMirrorRoute": {"name": "shadow"}},
    ]
    assert canary["steps"][4:] == made(CAUTIOUS)["rollout.yaml"]["spec"]["strategy"]["canary"]["steps"]
    assert canary["steps"][canary["analysis"]["startingStep"]] == {"setWeight": 1}


def test_the_analysis_of_a_shadow_lasts_as_long_as_the_shadow_and_asks_nothing_of_its_answers() -> None:
    template = made(SHADOWED)["analysis-template-shadow.yaml"]
    assert template["metadata"]["name"] == f"{NAME}-shadow"
    metrics = {metric["name"]: metric for metric in template["spec"]["metrics"]}
    assert list(metrics) == ["success-rate", "latency-p99", "prediction-psi"]
    for metric in metrics.values():
        lasts = seconds(metric["initialDelay"]) + seconds(metric["interval"]) * (metric["count"] - 1)
        assert lasts == 1800
        assert 'hash="{{args.latest-hash}}"' in metric["provider"]["prometheus"]["query"]


def test_a_shadow_that_nothing_is_asked_of_lasts_by_the_clock() -> None:
    files = made(replace(SHADOWED, slo=None, rollout=SHADOWED.rollout._replace(analysis=None)))
    canary = files["rollout.yaml"]["spec"]["strategy"]["canary"]
    assert canary["steps"][2] == {"pause": {"duration": "30m"}}
    assert "analysis-template-shadow.yaml" not in files


def test_behind_istio_a_rollout_moves_the_weights_of_the_one_route_and_adds_its_own_before_it() -> None:
    files = made(SHADOWED)
    canary = files["rollout.yaml"]["spec"]["strategy"]["canary"]
    assert canary["trafficRouting"] == {
        "managedRoutes": [{"name": "candidate"}, {"name": "shadow"}],
        "istio": {"virtualService": {"name": NAME, "routes": ["primary"]}},
    }
    spec = files["virtual-service.yaml"]["spec"]
    assert (spec["hosts"], spec["gateways"]) == (["delay.acme.example"], ["gateways/public"])
    (route,) = spec["http"]
    assert route["name"] == "primary"
    led = [(it["destination"]["host"], it["weight"]) for it in route["route"]]
    assert led == [(canary["stableService"], 100), (canary["canaryService"], 0)]
    assert "http-route.yaml" not in files


def test_istio_leads_to_what_clients_call_and_to_nothing_that_only_begins_like_it() -> None:
    (route,) = made(SHADOWED)["virtual-service.yaml"]["spec"]["http"]
    assert [match["uri"] for match in route["match"]] == [
        {"exact": "/v1"},
        {"prefix": "/v1/"},
        {"exact": "/v2"},
        {"prefix": "/v2/"},
        {"exact": "/"},
        {"exact": "/openapi.json"},
    ]


@pytest.mark.parametrize("serve", [SERVE, BLUE_GREEN], ids=["rolling", "blue-green"])
def test_a_route_of_istio_whose_weights_nobody_moves_leads_to_one_service(serve: Serve) -> None:
    (route,) = made(replace(serve, gateway=ISTIO))["virtual-service.yaml"]["spec"]["http"]
    assert [(it["destination"]["host"], it["weight"]) for it in route["route"]] == [(NAME, 100)]


def test_behind_a_gateway_any_share_can_be_shown_by_any_number_of_pods() -> None:
    steps = (replace(CANARY.rollout.steps[0], weight_percent=1),)
    fine = replace(CANARY, replicas_min=1, gateway=GATEWAY, rollout=CANARY.rollout._replace(steps=steps))
    assert findings(plan(service(fine))) == ()


@pytest.mark.parametrize("serve", [SERVE, BLUE_GREEN], ids=["rolling", "blue-green"])
def test_a_route_whose_weights_nobody_moves_leads_to_one_service(serve: Serve) -> None:
    (rule,) = made(replace(serve, gateway=GATEWAY))["http-route.yaml"]["spec"]["rules"]
    assert [backend["name"] for backend in rule["backendRefs"]] == [NAME]


def test_requests_decide_on_the_pods_of_a_rollout_in_place_of_cpu() -> None:
    scaling = RequestScaling(requests_per_second=500, demand=None, to_zero=False)
    files = made(replace(CANARY, scaling=scaling))
    assert "horizontal-pod-autoscaler.yaml" not in files
    spec = files["scaled-object.yaml"]["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": NAME}
    (trigger,) = spec["triggers"]
    assert trigger["metadata"]["threshold"] == "500"
    assert re.fullmatch(
        r"sum\s?\(rate\(lockgate_requests_total\{.*\}\[2m\]\)\)", trigger["metadata"]["query"]
    )
    assert (spec["minReplicaCount"], "idleReplicaCount" in spec) == (4, False)


def test_a_service_that_may_sleep_has_no_pod_while_nobody_asks() -> None:
    spec = made(VARIETIES["to-zero"])["scaled-object.yaml"]["spec"]
    assert (spec["idleReplicaCount"], spec["minReplicaCount"]) == (0, 2)
    assert spec["triggers"][0]["metadata"]["query"] == "sum(rate(gate[1m]))"


def test_kserve_gets_the_same_pod_under_its_own_names() -> None:
    files = made(KSERVE)
    assert {
        "deployment.yaml",
        "rollout.yaml",
        "service.yaml",
        "horizontal-pod-autoscaler.yaml",
    } & files.keys() == set()
    content = files["inference-service.yaml"]
    assert content["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Standard"
    predictor = content["spec"]["predictor"]
    (container,) = predictor["containers"]
    assert {**container, "name": "server"} == server(SERVE)
    assert container["name"] == "kserve-container"
    assert (predictor["minReplicas"], predictor["maxReplicas"], predictor["scaleTarget"]) == (2, 10, 70)


def test_a_model_named_like_what_kserve_makes_of_another_is_refused() -> None:
    found = findings(plan(service(KSERVE, name="a"), service(name="a-predictor")))
    assert [finding.rule for finding in found] == ["name-collision"]


@pytest.mark.parametrize("variety", VARIETIES)
def test_every_variety_is_without_a_problem(variety: str) -> None:
    for released in (True, False):
        assert check_objects(emit(plan(service(VARIETIES[variety], released=released)))) == ()


@pytest.mark.parametrize(("length", "text"), [(0, "0s"), (90, "90s"), (600, "10m"), (7200, "2h")])
def test_durations_are_in_the_largest_exact_unit(length: int, text: str) -> None:
    assert duration(length) == text


def test_the_analysis_asks_the_prometheus_that_the_project_names() -> None:
    assert ANALYSIS.queries
    planned = plan(service(ANALYSED_CANARY))
    project = replace(planned.spec.project, prometheus="https://metrics.acme.example")
    files = contents(emit(replace(planned, spec=replace(planned.spec, project=project))))
    metrics = files[f"{HERE}/analysis-template.yaml"]["spec"]["metrics"]
    assert {metric["provider"]["prometheus"]["address"] for metric in metrics} == {project.prometheus}
