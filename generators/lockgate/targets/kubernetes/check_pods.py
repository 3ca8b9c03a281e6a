"""Checks of a pod's spec as a whole: what no schema says and the API server, or a node, refuses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from lockgate.spec.validate import quote
from lockgate.targets.kubernetes.check_containers import check_container
from lockgate.targets.kubernetes.check_labels import check_name
from lockgate.targets.kubernetes.fields import pod_fields
from lockgate.targets.kubernetes.problem import Problem, under
from lockgate.targets.kubernetes.security import CONTAINER_LISTS, lacks, weaknesses
from lockgate.targets.kubernetes.shape import maps


def check_pod(pod: Mapping[str, Any]) -> Iterator[Problem]:
    """All that is wrong with a pod's spec; pointers start at it."""
    for field in pod_fields(pod):
        yield Problem(rule="k8s-field", pointer=field.pointer, message=field.message, help=field.help)
    if pod.get("restartPolicy", "Always") != "Always":
        message = f"restartPolicy is {quote(pod['restartPolicy'])}, and a server's pods restart 'Always'"
        yield Problem(rule="k8s-field", pointer=("restartPolicy",), message=message, help="take it out")
    yield from _containers(pod)
    yield from _names(pod)
    yield from _restricted(pod)


def port_names(pod: Mapping[str, Any]) -> set[object]:
    """The names and numbers by which a Service can reach the pod."""
    ports = [port for _, container in maps(pod, "containers") for _, port in maps(container, "ports")]
    return {
        value
        for port in ports
        for value in (port.get("name"), port.get("containerPort"))
        if _is_scalar(value)
    }


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int)


def _containers(pod: Mapping[str, Any]) -> Iterator[Problem]:
    if not pod.get("containers"):
        yield Problem(rule="k8s-container", pointer=("containers",), message="the pod has no container")
    volumes = {volume["name"] for _, volume in maps(pod, "volumes") if isinstance(volume.get("name"), str)}
    for key in CONTAINER_LISTS:
        for index, container in maps(pod, key):
            for problem in check_container(container, volumes):
                yield under((key, index), problem)


def _names(pod: Mapping[str, Any]) -> Iterator[Problem]:
    containers = [((key, index), container) for key in CONTAINER_LISTS for index, container in maps(pod, key)]
    volumes = [(("volumes", index), volume) for index, volume in maps(pod, "volumes")]
    for what, named in (("container", containers), ("volume", volumes)):
        counts = Counter(block["name"] for _, block in named if isinstance(block.get("name"), str))
        for pointer, block in named:
            yield from (
                under(pointer, problem) for problem in check_name(block.get("name"), f"the {what}'s name")
            )
            if isinstance(block.get("name"), str) and counts[block["name"]] > 1:
                message = f"more than one {what} is named {quote(block['name'])}"
                yield Problem(rule="k8s-name", pointer=(*pointer, "name"), message=message)


def _restricted(pod: Mapping[str, Any]) -> Iterator[Problem]:
    for weakness in (*weaknesses(pod), *lacks(pod)):
        yield Problem(
            rule="k8s-restricted",
            pointer=weakness.pointer,
            message=f"{weakness.what}: the namespace takes only pods of the Pod Security Standard 'restricted'",
            help="see https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted",
        )
