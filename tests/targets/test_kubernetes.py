"""What is written for a plan, and what of a plan is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from tests.replacing import replace
from tests.targets.kubernetes_plans import (
    BLUE_GREEN,
    BY_STRATEGY,
    CANARY,
    DIGEST,
    NAME,
    SERVE,
    contents,
    everything,
    plan,
    plans,
    record,
    service,
)

from lockgate.diagnostics import Finding
from lockgate.plan.model import Plan
from lockgate.spec.model import Rollout, RolloutStep, Serve, Strategy
from lockgate.targets.kubernetes import check_objects, emit, findings
from lockgate.targets.kubernetes.names import object_names

HERE = f"manifests/production/{NAME}"


def deployment(serve: Serve = SERVE) -> dict[str, Any]:
    made: dict[str, Any] = contents(emit(plan(service(serve))))[f"{HERE}/deployment.yaml"]
    return made


def test_a_released_service_is_these_files() -> None:
    assert [file.path for file in emit(plan(service()))] == [
        "manifests/production/namespace.yaml",
        "manifests/production/kustomization.yaml",
        f"{HERE}/service-account.yaml",
        f"{HERE}/deployment.yaml",
        f"{HERE}/horizontal-pod-autoscaler.yaml",
        f"{HERE}/pod-disruption-budget.yaml",
        f"{HERE}/service.yaml",
        f"{HERE}/network-policy.yaml",
        f"{HERE}/kustomization.yaml",
    ]


@pytest.mark.parametrize(
    ("strategy", "services"),
    [
        ("rolling", ["service.yaml"]),
        ("canary", ["service.yaml", "service-stable.yaml", "service-canary.yaml"]),
        ("blue-green", ["service.yaml", "service-preview.yaml"]),
    ],
)
def test_without_a_release_nothing_is_written_that_runs(strategy: Strategy, services: list[str]) -> None:
    files = contents(emit(plan(service(BY_STRATEGY[strategy], released=False))))
    kinds = {content["kind"] for content in files.values()}
    assert kinds == {"Namespace", "Kustomization", "ServiceAccount", "Service", "NetworkPolicy"}
    assert files[f"{HERE}/kustomization.yaml"]["resources"] == [
        "service-account.yaml",
        *services,
        "network-policy.yaml",
    ]


def test_an_environment_that_serves_nothing_is_its_namespace() -> None:
    assert contents(emit(plan(environments={"staging": "ml-staging"}))) == {
        "manifests/staging/namespace.yaml": {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": "ml-staging",
                "labels": {
                    "app.kubernetes.io/part-of": "flights",
                    "app.kubernetes.io/managed-by": "lockgate",
                    "pod-security.kubernetes.io/enforce": "restricted",
                    "pod-security.kubernetes.io/audit": "restricted",
                    "pod-security.kubernetes.io/warn": "restricted",
                },
            },
        },
        "manifests/staging/kustomization.yaml": {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": ["namespace.yaml"],
        },
    }


def test_a_kustomization_lists_every_file_beside_it() -> None:
    staging = service(CANARY, environment="staging", namespace="ml-staging")
    files = contents(everything(plan(service(), staging)))
    for path, content in files.items():
        if path.endswith("/kustomization.yaml"):
            folder = path.removesuffix("kustomization.yaml")
            beside = {other.removeprefix(folder).split("/")[0] for other in files if other.startswith(folder)}
            assert set(content["resources"]) == beside - {"kustomization.yaml"}


def test_the_deployment_runs_the_record_by_digest_under_the_restricted_standard() -> None:
    pod = deployment()["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert container["image"] == f"ghcr.io/acme/{NAME}@{DIGEST}"
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["resources"] == {
        "requests": {"cpu": "500m", "memory": "512Mi"},
        "limits": {"cpu": "2", "memory": "512Mi"},
    }


def test_no_selector_holds_the_version() -> None:
    selectors = [
        labels
        for content in contents(emit(plan(service(CANARY)))).values()
        for labels in (
            content.get("spec", {}).get("selector", {}),
            content.get("spec", {}).get("podSelector", {}),
        )
        if labels
    ]
    pods = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/instance": f"{NAME}-production"}
    assert [labels.get("matchLabels", labels) for labels in selectors] == [pods] * 6


def test_a_new_version_changes_the_deployment_and_nothing_else() -> None:
    now = service(CANARY)
    newer = replace(now, release=record(version="1.3.0"))
    before, after = contents(emit(plan(now))), contents(emit(plan(newer)))
    assert [path for path in before if before[path] != after[path]] == [f"{HERE}/deployment.yaml"]
    assert after[f"{HERE}/deployment.yaml"]["metadata"]["labels"]["app.kubernetes.io/version"] == "1.3.0"


def test_the_autoscaler_alone_decides_on_replicas() -> None:
    files = contents(emit(plan(service())))
    assert "replicas" not in files[f"{HERE}/deployment.yaml"]["spec"]
    assert files[f"{HERE}/horizontal-pod-autoscaler.yaml"]["spec"] == {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME},
        "minReplicas": 2,
        "maxReplicas": 10,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
            }
        ],
    }


def test_a_canary_lends_the_template_of_a_deployment_that_runs_no_pods_itself() -> None:
    files = contents(emit(plan(service(CANARY))))
    lent, rollout = files[f"{HERE}/deployment.yaml"], files[f"{HERE}/rollout.yaml"]
    assert (lent["metadata"]["name"], lent["spec"]["replicas"]) == (f"{NAME}-template", 0)
    assert rollout["spec"] == {
        "revisionHistoryLimit": 3,
        "progressDeadlineSeconds": 600,
        "progressDeadlineAbort": True,
        "rollbackWindow": {"revisions": 3},
        "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"{NAME}-template"},
        "strategy": {
            "canary": {
                "canaryService": f"{NAME}-canary",
                "stableService": f"{NAME}-stable",
                "maxSurge": "25%",
                "maxUnavailable": 0,
                "steps": [
                    {"setWeight": 25},
                    {"pause": {"duration": "10m"}},
                    {"setWeight": 50},
                    {"pause": {"duration": "90s"}},
                ],
            }
        },
    }
    target = files[f"{HERE}/horizontal-pod-autoscaler.yaml"]["spec"]["scaleTargetRef"]
    assert target == {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": NAME}


def test_the_clients_of_a_canary_call_a_service_that_the_rollout_does_not_narrow() -> None:
    files = contents(emit(plan(service(CANARY))))
    canary = files[f"{HERE}/rollout.yaml"]["spec"]["strategy"]["canary"]
    clients = files[f"{HERE}/service.yaml"]["metadata"]["name"]
    assert clients == NAME
    assert clients not in (canary["canaryService"], canary["stableService"])


def test_a_blue_green_rollout_switches_the_service_that_clients_call() -> None:
    files = contents(emit(plan(service(BLUE_GREEN))))
    assert files[f"{HERE}/rollout.yaml"]["spec"]["strategy"] == {
        "blueGreen": {
            "activeService": NAME,
            "previewService": f"{NAME}-preview",
            "autoPromotionEnabled": True,
            "scaleDownDelaySeconds": 600,
            "abortScaleDownDelaySeconds": 30,
        }
    }


def test_only_the_named_namespaces_reach_the_pods_and_the_pods_reach_only_dns() -> None:
    files = contents(emit(plan(service(replace(SERVE, clients=("web", "monitoring"))))))
    spec = files[f"{HERE}/network-policy.yaml"]["spec"]

    def namespaces(*names: str) -> dict[str, Any]:
        within = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(names)}
        return {"namespaceSelector": {"matchExpressions": [within]}}

    assert spec["ingress"] == [
        {
            "from": [{"podSelector": {}}, namespaces("web", "monitoring")],
            "ports": [{"protocol": "TCP", "port": "http"}],
        }
    ]
    assert spec["egress"] == [
        {
            "to": [namespaces("kube-system")],
            "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
        }
    ]


def test_the_users_pod_fields_are_laid_over_maps_merging_and_lists_replacing() -> None:
    pod = {
        "nodeSelector": {"kubernetes.io/arch": "arm64"},
        "securityContext": {"fsGroup": 20000},
        "topologySpreadConstraints": [],
        "terminationGracePeriodSeconds": 90,
    }
    ours = deployment()["spec"]["template"]["spec"]
    assert deployment(replace(SERVE, pod=pod))["spec"]["template"]["spec"] == {
        **ours,
        "nodeSelector": {"kubernetes.io/arch": "arm64"},
        "securityContext": {**ours["securityContext"], "fsGroup": 20000},
        "topologySpreadConstraints": [],
        "terminationGracePeriodSeconds": 90,
    }


@pytest.mark.parametrize(
    ("repository", "label"),
    [
        ("github.com/acme/" + "x" * 100, "x" * 63),
        ("github.com/acme/.github", "github"),
        ("github.com/acme/...", "models"),
        ("github.com/acme/a_-", "a"),
    ],
)
def test_the_repositorys_name_is_made_a_label(repository: str, label: str) -> None:
    made = plan(service())
    spec = replace(made.spec, project=replace(made.spec.project, repository=repository))
    files = emit(replace(made, spec=spec))
    namespace = contents(files)[files[0].path]
    assert namespace["metadata"]["labels"]["app.kubernetes.io/part-of"] == label
    assert check_objects(files) == ()


@given(plans())
def test_whatever_is_written_of_a_good_plan_has_no_problem(made: Plan) -> None:
    assert findings(made) == ()
    assert check_objects(emit(made)) == ()


@given(plans())
def test_no_two_places_of_a_file_are_one_object(made: Plan) -> None:
    """Else a patch of one of them would change the other."""
    for file in emit(made):
        seen: set[int] = set()
        stack: list[Any] = [file.content]
        while stack:
            value = stack.pop()
            if isinstance(value, dict | list):
                assert id(value) not in seen
                seen.add(id(value))
                stack += value.values() if isinstance(value, dict) else value


@given(plans())
def test_every_object_has_one_of_the_names_that_collisions_are_looked_for_in(made: Plan) -> None:
    for served in made.services:
        names = object_names(served)
        found = {
            content["metadata"]["name"]
            for path, content in contents(emit(made)).items()
            if path.startswith(f"{served.directory}/") and content["kind"] != "Kustomization"
        }
        assert found <= set(names)


def canary(replicas_min: int, *weights: int) -> Serve:
    steps = tuple(RolloutStep(weight_percent=weight, pause_seconds=60) for weight in weights)
    return replace(SERVE, replicas_min=replicas_min, rollout=Rollout(strategy="canary", steps=steps))


def test_a_weight_that_the_fewest_pods_cannot_show_is_refused() -> None:
    assert findings(plan(service(canary(3, 5, 50, 90)))) == tuple(
        Finding(
            rule="canary-arithmetic",
            location=("models", NAME, "serve", "rollout", "steps", index, "weight"),
            message=f"{weight} % cannot be shown by 3 pods, the fewest in 'production'",
            help="with 3 pods, take a weight from 34 to 66; or raise 'replicas.min'",
        )
        for index, weight in ((0, 5), (2, 90))
    )


def test_a_canary_beside_no_other_pod_is_refused() -> None:
    assert findings(plan(service(canary(1)))) == (
        Finding(
            rule="canary-needs-replicas",
            location=("models", NAME, "serve", "rollout"),
            message="a canary needs a pod beside the old version's, and in 'production' there may be only 1",
            help="set 'replicas.min' to 2 or more, or make the rollout blue-green or rolling",
        ),
    )


def test_a_weight_that_an_environment_asks_for_is_refused_there() -> None:
    found = findings(plan(service(canary(3, 5), model_serve=canary(3, 50))))
    here = ("environments", "production", "models", NAME, "serve", "rollout", "steps", 0, "weight")
    assert [finding.location for finding in found] == [here]


def test_what_two_environments_share_is_refused_once() -> None:
    bad = replace(SERVE, pod={"hostNetwork": True})
    found = findings(plan(service(bad), service(bad, environment="staging", namespace="ml-staging")))
    assert [finding.location for finding in found] == [("models", NAME, "serve", "pod", "hostNetwork")]


def test_two_models_whose_objects_would_have_one_name_are_refused() -> None:
    made = plan(service(BLUE_GREEN, name="a"), service(name="a-preview"))
    assert findings(made) == (
        Finding(
            rule="name-collision",
            location=("models", "a-preview"),
            at_key=True,
            message="'a' in 'production' and 'a-preview' in 'production' would both be"
            " the Service 'a-preview' of the namespace 'ml'",
            help="rename one of the two models",
        ),
    )


def test_a_collision_that_comes_only_with_a_release_is_refused_before_it() -> None:
    made = plan(service(CANARY, name="a", released=False), service(name="a-template", released=False))
    assert [finding.rule for finding in findings(made)] == ["name-collision"]


def test_one_model_in_two_environments_of_one_namespace_is_refused() -> None:
    found = findings(plan(service(environment="staging"), service()))
    assert [(finding.rule, finding.location, finding.at_key) for finding in found] == [
        ("name-collision", ("environments", "production", "namespace"), False)
    ]


def test_two_models_of_one_namespace_are_no_collision() -> None:
    assert findings(plan(service(name="a"), service(name="b", environment="staging"))) == ()


SECURITY = [
    ({"hostNetwork": True}, ("hostNetwork",)),
    ({"hostPID": True}, ("hostPID",)),
    ({"hostIPC": True}, ("hostIPC",)),
    ({"automountServiceAccountToken": True}, ("automountServiceAccountToken",)),
    ({"volumes": [{"name": "x", "hostPath": {"path": "/"}}]}, ("volumes", 0, "hostPath")),
    ({"volumes": [{"name": "x", "image": {"reference": "y"}}]}, ("volumes", 0, "image")),
    ({"securityContext": {"runAsNonRoot": False}}, ("securityContext", "runAsNonRoot")),
    ({"securityContext": {"runAsUser": 0}}, ("securityContext", "runAsUser")),
    ({"securityContext": {"runAsGroup": 0}}, ("securityContext", "runAsGroup")),
    (
        {"securityContext": {"seccompProfile": {"type": "Unconfined"}}},
        ("securityContext", "seccompProfile", "type"),
    ),
    (
        {"securityContext": {"appArmorProfile": {"type": "Unconfined"}}},
        ("securityContext", "appArmorProfile", "type"),
    ),
    (
        {"securityContext": {"windowsOptions": {"hostProcess": True}}},
        ("securityContext", "windowsOptions", "hostProcess"),
    ),
    (
        {"securityContext": {"seLinuxOptions": {"type": "spc_t"}}},
        ("securityContext", "seLinuxOptions", "type"),
    ),
    ({"securityContext": {"sysctls": [{"name": "kernel.msgmax"}]}}, ("securityContext", "sysctls", 0)),
    (
        {"initContainers": [{"name": "x", "securityContext": {"privileged": True}}]},
        ("initContainers", 0, "securityContext", "privileged"),
    ),
    (
        {"initContainers": [{"name": "x", "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}]},
        ("initContainers", 0, "securityContext", "capabilities", "add"),
    ),
    (
        {"initContainers": [{"name": "x", "ports": [{"containerPort": 1, "hostPort": 1}]}]},
        ("initContainers", 0, "ports", 0, "hostPort"),
    ),
]


@pytest.mark.parametrize(("pod", "pointer"), SECURITY, ids=lambda value: str(value)[:60])
def test_what_weakens_a_pod_is_refused_where_it_is_written(
    pod: dict[str, Any], pointer: tuple[str | int, ...]
) -> None:
    found = findings(plan(service(replace(SERVE, pod=pod))))
    location = ("models", NAME, "serve", "pod", *pointer)
    assert [(finding.rule, finding.location) for finding in found] == [("pod-security", location)]


def test_a_weakness_of_an_environment_is_refused_in_its_block() -> None:
    here = replace(SERVE, pod={"hostPID": True, "priority": 1})
    found = findings(plan(service(here, model_serve=replace(SERVE, pod={"priority": 1}))))
    assert found == (
        Finding(
            rule="pod-security",
            location=("environments", "production", "models", NAME, "serve", "pod", "hostPID"),
            at_key=True,
            message="hostPID puts the pod into a namespace of its node:"
            " pods are held to the Pod Security Standard 'restricted'",
            help="take it out",
        ),
    )


@pytest.mark.parametrize(
    ("pod", "message", "advice"),
    [
        ({"nodeselector": {}}, "'nodeselector' is no field of a pod's spec", "did you mean 'nodeSelector'?"),
        ({"nodeSelector": "arm64"}, "'nodeSelector' of a pod's spec is 'arm64', expected a map", ""),
        ({"priority": True}, "'priority' of a pod's spec is true, expected a whole number", ""),
        ({"volumes": ["x"]}, "'volumes' of a pod's spec is ['x'], expected a list of maps", ""),
        (
            {"containers": []},
            "'containers' cannot be laid over: a list replaces, and the server's own container would be gone",
            "use a patch of the deployment.yaml that sets what you need under '/spec/template/spec/containers/0'",
        ),
    ],
)
def test_what_is_no_field_for_a_user_is_refused(pod: dict[str, Any], message: str, advice: str) -> None:
    found = findings(plan(service(replace(SERVE, pod=pod))))
    assert [(finding.rule, finding.message, finding.help) for finding in found] == [
        ("pod-passthrough", message, advice)
    ]
