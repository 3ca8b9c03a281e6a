"""The final objects' checks: each defect alone, made by a patch of otherwise good files, is found and named."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.replacing import replace
from tests.targets.kubernetes_plans import BLUE_GREEN, CANARY, NAME, SERVE, VARIETIES, plan, service

from lockgate.spec.model import Patch
from lockgate.targets.file import File
from lockgate.targets.kubernetes import ObjectProblem, check_objects, emit
from lockgate.targets.kubernetes.quantity import quantity
from lockgate.targets.patches import apply

HERE = f"manifests/production/{NAME}"
POD = "/spec/template/spec"
SERVER = f"{POD}/containers/0"
GOOD = emit(plan(service()))


def patched(
    changes: dict[str, Any],
    remove: tuple[str, ...] = (),
    name: str = "deployment",
    files: tuple[File, ...] = GOOD,
) -> tuple[File, ...]:
    patch = Patch(name="x", target=f"{HERE}/{name}.yaml", reason="a test", set=changes, remove=remove)
    result = apply(files, (patch,))
    assert result.findings == ()
    return result.files


def rules(files: tuple[File, ...]) -> list[tuple[str, str]]:
    return [(problem.rule, problem.pointer) for problem in check_objects(files)]


def test_the_files_as_written_have_no_problem() -> None:
    for serve in (SERVE, CANARY, BLUE_GREEN):
        for released in (True, False):
            assert check_objects(emit(plan(service(serve, released=released)))) == ()


def test_a_problem_says_where_what_and_what_next() -> None:
    assert check_objects(patched({f"{SERVER}/resources/requests/cpu": "3"})) == (
        ObjectProblem(
            path=f"{HERE}/deployment.yaml",
            pointer=f"{SERVER}/resources/requests/cpu",
            rule="k8s-resources",
            message="the pod asks for '3' of cpu and may use '2'",
            help="lower the request or raise the limit",
        ),
    )


TCP = {"tcpSocket": {"port": 8080}}
NO_TOOL_CATCHES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "selector other than the pods' labels": (
        {"/spec/selector/matchLabels": {"app": "x"}},
        [("k8s-selector", "/spec/selector/matchLabels")],
    ),
    "port 70000": (
        {f"{SERVER}/ports/-": {"containerPort": 70000}},
        [("k8s-port", f"{SERVER}/ports/1/containerPort")],
    ),
    "upper-case name": (
        {f"{SERVER}/name": "Server"},
        [("k8s-name", f"{SERVER}/name")],
    ),
    "request above the limit": (
        {f"{SERVER}/resources/requests/memory": "1Gi"},
        [("k8s-resources", f"{SERVER}/resources/requests/memory")],
    ),
    "duplicate port name": (
        {f"{SERVER}/ports/-": {"name": "http", "containerPort": 9090}},
        [("k8s-port", f"{SERVER}/ports/0/name"), ("k8s-port", f"{SERVER}/ports/1/name")],
    ),
    "mount without a volume": (
        {f"{POD}/volumes": []},
        [("k8s-volume-mount", f"{SERVER}/volumeMounts/0/name")],
    ),
    "replicas -1": ({"/spec/replicas": -1}, [("k8s-replicas", "/spec/replicas")]),
    "two probe handlers": (
        {f"{SERVER}/livenessProbe/tcpSocket": {"port": 8080}},
        [("k8s-probe", f"{SERVER}/livenessProbe")],
    ),
    "probe of an unknown port": (
        {f"{SERVER}/livenessProbe/httpGet/port": "web"},
        [("k8s-probe", f"{SERVER}/livenessProbe/httpGet/port")],
    ),
}


@pytest.mark.parametrize("defect", NO_TOOL_CATCHES)
def test_what_no_validator_catches_is_found(defect: str) -> None:
    changes, expected = NO_TOOL_CATCHES[defect]
    assert rules(patched(changes)) == expected


def test_a_container_without_an_image_is_found() -> None:
    assert rules(patched({}, remove=(f"{SERVER}/image",))) == [("k8s-container", f"{SERVER}/image")]


def test_an_upper_case_object_name_is_found_with_those_who_refer_to_it() -> None:
    assert rules(patched({"/metadata/name": "Flight"})) == [
        ("k8s-name", "/metadata/name"),
        ("k8s-reference", "/spec/scaleTargetRef"),
    ]


OTHERS: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "tag in place of a digest": (
        {f"{SERVER}/image": "ghcr.io/acme/flight-delay:1.2.0"},
        [("k8s-image-digest", f"{SERVER}/image")],
    ),
    "unknown field of a container": (
        {f"{SERVER}/volumemounts": []},
        [("k8s-field", f"{SERVER}/volumemounts")],
    ),
    "unknown field of a pod": ({f"{POD}/nodeselector": {}}, [("k8s-field", f"{POD}/nodeselector")]),
    "misspelt map on the way": (
        {"/spec/tempalte/spec/nodeSelector": {"a": "b"}},
        [("k8s-field", "/spec/tempalte")],
    ),
    "unknown key of the object": ({"/sepc": {}}, [("k8s-field", "/sepc")]),
    "unknown key of the metadata": ({"/metadata/label": {}}, [("k8s-field", "/metadata/label")]),
    "unknown key of a probe": (
        {f"{SERVER}/livenessProbe/failureTreshold": 3},
        [("k8s-field", f"{SERVER}/livenessProbe/failureTreshold")],
    ),
    "unknown key of the security": (
        {f"{POD}/securityContext/runAsNonroot": True},
        [("k8s-field", f"{POD}/securityContext/runAsNonroot")],
    ),
    "restart policy": ({f"{POD}/restartPolicy": "Never"}, [("k8s-field", f"{POD}/restartPolicy")]),
    "no container": (
        {f"{POD}/containers": []},
        [("k8s-container", f"{POD}/containers"), ("k8s-reference", "/spec/ports/0/targetPort")],
    ),
    "root": (
        {f"{POD}/securityContext/runAsUser": 0},
        [("k8s-restricted", f"{POD}/securityContext/runAsUser")],
    ),
    "privilege escalation": (
        {f"{SERVER}/securityContext": {"allowPrivilegeEscalation": True}},
        [
            ("k8s-restricted", f"{SERVER}/securityContext/allowPrivilegeEscalation"),
            ("k8s-restricted", SERVER),
            ("k8s-restricted", SERVER),
        ],
    ),
    "no security context": (
        {f"{POD}/securityContext": {}},
        [("k8s-restricted", SERVER), ("k8s-restricted", SERVER)],
    ),
    "probe of another host": (
        {f"{SERVER}/livenessProbe/httpGet/host": "example.org"},
        [("k8s-restricted", f"{SERVER}/livenessProbe/httpGet/host")],
    ),
    "quantity": (
        {f"{SERVER}/resources/limits/cpu": "two"},
        [("k8s-quantity", f"{SERVER}/resources/limits/cpu")],
    ),
    "negative quantity": (
        {f"{SERVER}/resources/requests/cpu": -1},
        [("k8s-quantity", f"{SERVER}/resources/requests/cpu")],
    ),
    "label": (
        {"/metadata/labels/x": "a b"},
        [("k8s-label", "/metadata/labels/x")],
    ),
    "second container of one name": (
        {f"{POD}/volumes/-": {"name": "tmp", "emptyDir": {}}},
        [("k8s-name", f"{POD}/volumes/0/name"), ("k8s-name", f"{POD}/volumes/1/name")],
    ),
    "no surge and none unavailable": (
        {"/spec/strategy/rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}},
        [("k8s-strategy", "/spec/strategy/rollingUpdate")],
    ),
    "default namespace": (
        {"/metadata/namespace": "default"},
        [("k8s-object", "/metadata/namespace")],
    ),
    "labels that the services do not select": (
        {"/spec/template/metadata/labels": {"a": "b"}, "/spec/selector/matchLabels": {"a": "b"}},
        [
            ("k8s-selector", "/spec/selector/matchLabels"),
            ("k8s-selector", "/spec/selector"),
            ("k8s-selector", "/spec/podSelector/matchLabels"),
        ],
    ),
}


@pytest.mark.parametrize("defect", OTHERS)
def test_what_a_patch_breaks_is_found(defect: str) -> None:
    changes, expected = OTHERS[defect]
    assert rules(patched(changes)) == expected


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("service", {"/spec/ports/0/port": 0}, [("k8s-port", "/spec/ports/0/port")]),
        ("service", {"/spec/ports/0/targetPort": "web"}, [("k8s-reference", "/spec/ports/0/targetPort")]),
        (
            "service",
            {"/spec/ports/-": {"name": "http", "port": 81, "targetPort": 8080}},
            [("k8s-port", "/spec/ports/0/name"), ("k8s-port", "/spec/ports/1/name")],
        ),
        ("service", {"/kind": 5}, [("k8s-object", "/kind")]),
        ("horizontal-pod-autoscaler", {"/spec/minReplicas": 11}, [("k8s-replicas", "/spec")]),
        ("horizontal-pod-autoscaler", {"/spec/minReplicas": 0}, [("k8s-replicas", "/spec")]),
    ],
)
def test_what_a_patch_breaks_beside_the_pods_is_found(
    name: str, changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert rules(patched(changes, name=name)) == expected


CANARY_AT = "/spec/strategy/canary"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({f"{CANARY_AT}/steps/0/setWeight": 101}, [("k8s-strategy", f"{CANARY_AT}/steps/0/setWeight")]),
        (
            {f"{CANARY_AT}/canaryService": f"{NAME}-stable"},
            [("k8s-strategy", f"{CANARY_AT}/canaryService")],
        ),
        ({f"{CANARY_AT}/maxSurge": 0}, [("k8s-strategy", CANARY_AT)]),
        ({f"{CANARY_AT}/stableService": "other"}, [("k8s-reference", f"{CANARY_AT}/stableService")]),
        ({"/spec/workloadRef/name": "other"}, [("k8s-reference", "/spec/workloadRef/name")]),
    ],
)
def test_what_a_patch_breaks_of_a_rollout_is_found(
    changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert rules(patched(changes, name="rollout", files=emit(plan(service(CANARY))))) == expected


def test_the_users_pod_is_judged_as_it_ends_up() -> None:
    """Replacing the volumes leaves the server's mount with none."""
    pod = {"volumes": [{"name": "cache", "emptyDir": {}}]}
    found = check_objects(emit(plan(service(replace(SERVE, pod=pod)))))
    assert [(problem.rule, problem.help) for problem in found] == [
        ("k8s-volume-mount", "the pod's volumes are: cache; a list replaces the one before")
    ]


def test_files_that_are_no_manifests_are_not_looked_at() -> None:
    assert check_objects((File(path="pipelines/x/dvc.yaml", content={"stages": {}}),)) == ()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500m", "0.5"),
        ("2", "2"),
        (2, "2"),
        (0.5, "0.5"),
        (".5", "0.5"),
        ("1Gi", "1073741824"),
        ("1.5Ki", "1536"),
        ("1G", "1000000000"),
        ("1E", "1000000000000000000"),
        ("1e3", "1000"),
        ("1E3", "1000"),
        ("1e-3", "0.001"),
        ("100n", "0.0000001"),
    ],
)
def test_a_quantity_is_read_exactly(text: object, number: str) -> None:
    assert quantity(text) == Decimal(number)


@pytest.mark.parametrize(
    "text", ["", "Gi", "1gi", "1 Gi", "two", "1e999", "nan", "1\n", True, None, float("inf")]
)
def test_what_is_no_quantity_is_none(text: object) -> None:
    assert quantity(text) is None


def places(value: object, pointer: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    children: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    return [pointer, *(place for key, child in children for place in places(child, (*pointer, key)))]


ALL_FILES = emit(plan(service(CANARY)))
PLACES = [(index, place) for index, file in enumerate(ALL_FILES) for place in places(file.content) if place]
JUNK: list[Any] = [
    None,
    True,
    -1,
    1.5,
    "",
    "x y",
    [],
    {},
    [[]],
    [None],
    [{}],
    {"a": []},
    {"name": []},
    [{"name": {}}],
]


@given(place=st.sampled_from(PLACES), junk=st.sampled_from(JUNK))
def test_no_shape_of_an_object_is_a_traceback(place: tuple[int, tuple[str | int, ...]], junk: object) -> None:
    index, (*way, last) = place
    content: Any = copy.deepcopy(ALL_FILES[index].content)
    block = content
    for key in way:
        block = block[key]
    block[last] = junk
    files = [*ALL_FILES]
    files[index] = File(path=files[index].path, content=content)
    assert all(problem.path.startswith("manifests/") for problem in check_objects(files))


STRATEGY = "/spec/strategy"
ROLLOUTS: dict[str, tuple[str, str, dict[str, Any], list[tuple[str, str]]]] = {
    "analysis that nobody wrote": (
        "analysed-canary",
        "rollout",
        {f"{STRATEGY}/canary/analysis/templates/0/templateName": "other"},
        [("k8s-reference", f"{STRATEGY}/canary/analysis/templates/0/templateName")],
    ),
    "analysis before the switch that nobody wrote": (
        "analysed-blue-green",
        "rollout",
        {f"{STRATEGY}/blueGreen/prePromotionAnalysis/templates/0/templateName": "other"},
        [("k8s-reference", f"{STRATEGY}/blueGreen/prePromotionAnalysis/templates/0/templateName")],
    ),
    "condition that an empty answer passes": (
        "analysed-canary",
        "analysis-template",
        {"/spec/metrics/0/successCondition": "len(result) == 0 || result[0] >= 0.9"},
        [("k8s-strategy", "/spec/metrics/0/successCondition")],
    ),
    "misspelt key of a metric": (
        "analysed-canary",
        "analysis-template",
        {"/spec/metrics/0/failurelimit": 3},
        [("k8s-field", "/spec/metrics/0/failurelimit")],
    ),
    "mirror that the plugin ignores": (
        "cautious",
        "rollout",
        {f"{STRATEGY}/canary/steps/-": {"setMirrorRoute": {"name": "candidate", "percentage": 5}}},
        [("k8s-strategy", f"{STRATEGY}/canary/steps/6/setMirrorRoute")],
    ),
    "router that Argo Rollouts ignores": (
        "cautious",
        "rollout",
        {f"{STRATEGY}/canary/trafficRouting/gatewayAPI": {"httpRoute": NAME}},
        [("k8s-field", f"{STRATEGY}/canary/trafficRouting/gatewayAPI")],
    ),
    "route by header that is not managed": (
        "cautious",
        "rollout",
        {f"{STRATEGY}/canary/trafficRouting/managedRoutes": []},
        [("k8s-strategy", f"{STRATEGY}/canary/steps/1/setHeaderRoute/name")],
    ),
    "route that nobody wrote": (
        "cautious",
        "rollout",
        {f"{STRATEGY}/canary/trafficRouting/plugins/argoproj-labs~1gatewayAPI/httpRoutes/0/name": "other"},
        [
            (
                "k8s-reference",
                f"{STRATEGY}/canary/trafficRouting/plugins/argoproj-labs~1gatewayAPI/httpRoutes/0/name",
            )
        ],
    ),
    "route to no Service": (
        "cautious",
        "http-route",
        {"/spec/rules/0/backendRefs/1/name": "other"},
        [("k8s-reference", "/spec/rules/0/backendRefs/1/name")],
    ),
    "copies on a route that is not managed": (
        "shadowed",
        "rollout",
        {f"{STRATEGY}/canary/trafficRouting/managedRoutes": [{"name": "candidate"}]},
        [("k8s-strategy", f"{STRATEGY}/canary/steps/{index}/setMirrorRoute/name") for index in (1, 3)],
    ),
    "misspelt key of a route of copies": (
        "shadowed",
        "rollout",
        {f"{STRATEGY}/canary/steps/1/setMirrorRoute/percent": 5},
        [("k8s-field", f"{STRATEGY}/canary/steps/1/setMirrorRoute/percent")],
    ),
    "analysis of copies that nobody wrote": (
        "shadowed",
        "rollout",
        {f"{STRATEGY}/canary/steps/2/analysis/templates/0/templateName": "other"},
        [("k8s-reference", f"{STRATEGY}/canary/steps/2/analysis/templates/0/templateName")],
    ),
    "route of Istio that nobody wrote": (
        "shadowed",
        "rollout",
        {f"{STRATEGY}/canary/trafficRouting/istio/virtualService/name": "other"},
        [("k8s-reference", f"{STRATEGY}/canary/trafficRouting/istio/virtualService/name")],
    ),
    "route of Istio to no Service": (
        "shadowed",
        "virtual-service",
        {"/spec/http/0/route/1/destination/host": "other"},
        [("k8s-reference", "/spec/http/0/route/1/destination/host")],
    ),
    "misspelt key of a route of Istio": (
        "shadowed",
        "virtual-service",
        {"/spec/http/0/timeOut": "5s"},
        [("k8s-field", "/spec/http/0/timeOut")],
    ),
    "monitor of no pod": (
        "cautious",
        "pod-monitor",
        {"/spec/selector/matchLabels": {"app": "other"}},
        [("k8s-selector", "/spec/selector/matchLabels")],
    ),
    "scaling of nothing": (
        "equipped",
        "scaled-object",
        {"/spec/scaleTargetRef/name": "other"},
        [("k8s-reference", "/spec/scaleTargetRef")],
    ),
    "fewer pods than none": (
        "equipped",
        "scaled-object",
        {"/spec/minReplicaCount": -1},
        [("k8s-replicas", "/spec")],
    ),
    "an idle count that KEDA refuses": (
        "to-zero",
        "scaled-object",
        {"/spec/idleReplicaCount": 1},
        [("k8s-replicas", "/spec/idleReplicaCount")],
    ),
    "a secret that is mounted and not there": (
        "equipped",
        "deployment",
        {f"{POD}/volumes": [{"name": "tmp", "emptyDir": {}}]},
        [("k8s-volume-mount", f"{SERVER}/volumeMounts/{index}/name") for index in (1, 2)],
    ),
    "a predictor as root": (
        "kserve",
        "inference-service",
        {"/spec/predictor/securityContext/runAsUser": 0},
        [("k8s-restricted", "/spec/predictor/securityContext/runAsUser")],
    ),
    "a share that KServe ignores without Knative": (
        "kserve",
        "inference-service",
        {"/spec/predictor/canaryTrafficPercent": 10},
        [("k8s-field", "/spec/predictor/canaryTrafficPercent")],
    ),
    "a predictor of too few pods": (
        "kserve",
        "inference-service",
        {"/spec/predictor/minReplicas": 20},
        [("k8s-replicas", "/spec/predictor")],
    ),
    "a predictor whose pods the policy does not select": (
        "kserve",
        "network-policy",
        {"/spec/podSelector/matchLabels": {"app": "other"}},
        [("k8s-selector", "/spec/podSelector/matchLabels")],
    ),
}


@pytest.mark.parametrize("defect", ROLLOUTS)
def test_what_a_controller_would_refuse_or_ignore_is_found(defect: str) -> None:
    variety, name, changes, expected = ROLLOUTS[defect]
    files = emit(plan(service(VARIETIES[variety])))
    assert rules(patched(changes, name=name, files=files)) == expected
