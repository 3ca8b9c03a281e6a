"""The fields of a pod's spec and of a container, as of Kubernetes 1.37, and which of them is what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias, assert_never

from lockgate.spec.validate import quote, suggest
from lockgate.targets.kubernetes import known
from lockgate.targets.kubernetes.shape import Pointer, is_integer
from lockgate.tuples import NamedTuple

Shape: TypeAlias = Literal["text", "integer", "boolean", "map", "list of maps", "list of texts"]

_POD: Mapping[Shape, str] = {
    "text": "dnsPolicy hostname hostnameOverride nodeName preemptionPolicy priorityClassName restartPolicy"
    " runtimeClassName schedulerName serviceAccount serviceAccountName subdomain",
    "integer": "activeDeadlineSeconds priority terminationGracePeriodSeconds",
    "boolean": "automountServiceAccountToken enableServiceLinks hostIPC hostNetwork hostPID hostUsers"
    " setHostnameAsFQDN shareProcessNamespace",
    "map": "affinity dnsConfig nodeSelector os overhead resources schedulingGroup securityContext",
    "list of maps": "containers ephemeralContainers evictionResponders hostAliases imagePullSecrets initContainers"
    " readinessGates resourceClaims schedulingGates tolerations topologySpreadConstraints volumes",
}
_CONTAINER: Mapping[Shape, str] = {
    "text": "image imagePullPolicy name restartPolicy terminationMessagePath terminationMessagePolicy workingDir",
    "boolean": "stdin stdinOnce tty",
    "map": "lifecycle livenessProbe readinessProbe resources securityContext startupProbe",
    "list of maps": "env envFrom ports resizePolicy restartPolicyRules volumeDevices volumeMounts",
    "list of texts": "args command",
}

POD_FIELDS: Mapping[str, Shape] = {name: shape for shape, names in _POD.items() for name in names.split()}
CONTAINER_FIELDS: Mapping[str, Shape] = {
    name: shape for shape, names in _CONTAINER.items() for name in names.split()
}


_POD_LEVELS, _CONTAINER_LEVELS = known.levels(known.POD), known.levels(known.CONTAINER)
_METADATA_LEVELS = known.levels(known.METADATA)
_OBJECT_LEVELS = {kind: known.levels(table) for kind, table in known.OBJECTS.items()}


class FieldProblem(NamedTuple):
    """`known` is whether Kubernetes has the field at all."""

    pointer: Pointer
    known: bool
    message: str
    help: str


def pod_fields(pod: Mapping[str, Any]) -> Iterator[FieldProblem]:
    yield from _check(pod, POD_FIELDS, "a pod's spec")
    yield from _unknown(pod, _POD_LEVELS)


def container_fields(container: Mapping[str, Any]) -> Iterator[FieldProblem]:
    yield from _check(container, CONTAINER_FIELDS, "a container")
    yield from _unknown(container, _CONTAINER_LEVELS)


def object_fields(content: Mapping[str, Any]) -> Iterator[FieldProblem]:
    """Of an object without its pod; kinds that are not listed are not looked at, but for their metadata."""
    yield from _unknown(content, _METADATA_LEVELS)
    yield from _unknown(content, _OBJECT_LEVELS.get(str(content.get("kind")), ()))


def _unknown(block: Mapping[str, Any], table: tuple[known.Level, ...]) -> Iterator[FieldProblem]:
    for key in known.unknown_keys(block, table):
        yield FieldProblem(key.pointer, known=False, message=key.message, help=key.help)


def _check(block: Mapping[str, Any], fields: Mapping[str, Shape], owner: str) -> Iterator[FieldProblem]:
    for key, value in block.items():
        if key not in fields:
            message = f"{quote(key)} is no field of {owner}"
            yield FieldProblem((key,), known=False, message=message, help=suggest(str(key), fields))
        elif not _fits(value, fields[key]):
            message = f"{quote(key)} of {owner} is {quote(value)}, expected {_ARTICLES[fields[key]]}"
            yield FieldProblem((key,), known=True, message=message, help="")


_ARTICLES: Mapping[Shape, str] = {
    "text": "text",
    "integer": "a whole number",
    "boolean": "true or false",
    "map": "a map",
    "list of maps": "a list of maps",
    "list of texts": "a list of texts",
}


def _fits(value: object, shape: Shape) -> bool:
    match shape:
        case "text":
            return isinstance(value, str)
        case "integer":
            return is_integer(value)
        case "boolean":
            return isinstance(value, bool)
        case "map":
            return isinstance(value, Mapping)
        case "list of maps":
            return isinstance(value, list) and all(isinstance(item, Mapping) for item in value)
        case "list of texts":
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
        case _:
            assert_never(shape)
