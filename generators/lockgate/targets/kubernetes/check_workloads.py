"""Checks of what runs pods, and of what leads to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from lockgate.spec.validate import quote
from lockgate.targets.kubernetes.check_containers import is_port
from lockgate.targets.kubernetes.check_labels import check_labels, is_within
from lockgate.targets.kubernetes.check_pods import check_pod
from lockgate.targets.kubernetes.known import PREDICTOR_FIELDS
from lockgate.targets.kubernetes.problem import Problem, under
from lockgate.targets.kubernetes.shape import as_map, dig, is_integer, maps


def check_workload(content: Mapping[str, Any]) -> Iterator[Problem]:
    """Of a Deployment, or of a Rollout; a Rollout may take its pods from a Deployment."""
    spec = as_map(content.get("spec"))
    replicas = spec.get("replicas", 1)
    if not is_integer(replicas) or replicas < 0:
        message = f"replicas are {quote(replicas)}, expected a whole number from 0"
        yield Problem(rule="k8s-replicas", pointer=("spec", "replicas"), message=message)
    if "workloadRef" in spec:
        return
    yield from _surge(spec)
    yield from _selector(spec)
    yield from check_labels(
        dig(spec, "template", "metadata", "labels"), ("spec", "template", "metadata", "labels")
    )
    for problem in check_pod(as_map(dig(spec, "template", "spec"))):
        yield under(("spec", "template", "spec"), problem)


def check_inference_service(content: Mapping[str, Any]) -> Iterator[Problem]:
    """Of KServe's predictor, what is a pod's."""
    predictor = as_map(dig(content, "spec", "predictor"))
    at = ("spec", "predictor")
    low, high = predictor.get("minReplicas", 1), predictor.get("maxReplicas")
    if not is_integer(low) or not is_integer(high) or not 1 <= low <= high:
        message = (
            f"minReplicas are {quote(low)} and maxReplicas {quote(high)}, expected 1 or more, in that order"
        )
        yield Problem(rule="k8s-replicas", pointer=at, message=message)
    yield from check_labels(predictor.get("labels"), (*at, "labels"))
    pod = {key: value for key, value in predictor.items() if key not in PREDICTOR_FIELDS}
    for problem in check_pod(pod):
        yield under(at, problem)


def check_service(content: Mapping[str, Any]) -> Iterator[Problem]:
    names = Counter(quote(port.get("name")) for _, port in maps(as_map(content.get("spec")), "ports"))
    for index, port in maps(as_map(content.get("spec")), "ports"):
        at = ("spec", "ports", index)
        for key in ("port", "targetPort"):
            value = port.get(key, port.get("port"))
            if not is_port(value) and not (key == "targetPort" and isinstance(value, str)):
                message = f"a port is {quote(value)}, expected 1 to 65535"
                yield Problem(rule="k8s-port", pointer=(*at, key), message=message)
        if names[quote(port.get("name"))] > 1:
            message = f"more than one port is named {quote(port.get('name'))}"
            yield Problem(rule="k8s-port", pointer=(*at, "name"), message=message)


def _surge(spec: Mapping[str, Any]) -> Iterator[Problem]:
    limits = as_map(dig(spec, "strategy", "rollingUpdate"))
    if all(limits.get(key) in (0, "0", "0%") for key in ("maxSurge", "maxUnavailable")):
        yield Problem(
            rule="k8s-strategy",
            pointer=("spec", "strategy", "rollingUpdate"),
            message="maxSurge and maxUnavailable are both 0: no pod could ever be replaced",
        )


def _selector(spec: Mapping[str, Any]) -> Iterator[Problem]:
    selector, labels = dig(spec, "selector", "matchLabels"), dig(spec, "template", "metadata", "labels")
    if not as_map(selector) or not is_within(selector, labels):
        yield Problem(
            rule="k8s-selector",
            pointer=("spec", "selector", "matchLabels"),
            message=f"the selector {quote(selector)} does not select the pods' labels {quote(labels)}",
            help="give both the same labels",
        )
