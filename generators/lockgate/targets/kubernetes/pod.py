"""A released service → the spec of its pods: the server, hardened, with the user's own fields laid over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, cast

from lockgate.plan.model import Plan, Record, Service
from lockgate.plan.serving import (
    AUTH_FILE,
    CARD_FILE,
    MODEL_FOLDER,
    TLS_FOLDER,
    arguments,
    cluster_arguments,
    trust,
)
from lockgate.spec.model import Serve
from lockgate.targets.kubernetes.names import CONTAINER, PORT, PORT_NAME, labels, selector
from lockgate.tuples import NamedTuple

if TYPE_CHECKING:
    from lockgate.targets.kubernetes.types import Container, HttpGet, Labels, Pod, Probe, Resources

VERSION_LABEL = "app.kubernetes.io/version"
ARTIFACT_ANNOTATION = "lockgate.dev/artifact-sha256"

_VERSION, _ARTIFACT = "LOCKGATE_VERSION", "LOCKGATE_ARTIFACT_SHA256"
_USER = 10001
_GROUP_READS = 0o440
# A pod is taken out of its Services at the same time as it is told to stop: it waits until everybody has noticed.
_STOP_DELAY_SECONDS = 5
_GRACE_SECONDS = 60


def pod(service: Service, release: Record, container: str = CONTAINER) -> dict[str, Any]:
    """`container` is the server's name, which some platforms want to be theirs."""
    made, own = _pod(service, release, container), service.serve.pod
    return lay_over(made, own) if own else dict(made)


def versioned(service: Service, release: Record, plan: Plan) -> Labels:
    return labels(service, plan) | {VERSION_LABEL: release.version}


def artifact(release: Record) -> dict[str, str]:
    """The annotation that says which model a pod serves."""
    return {ARTIFACT_ANNOTATION: release.artifact_sha256}


def lay_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Maps merge, scalars and lists replace. Neither argument is shared with the result."""
    merged = {key: _copy(value) for key, value in below.items()}
    for key, value in above.items():
        under = merged.get(key)
        both = isinstance(under, Mapping) and isinstance(value, Mapping)
        merged[key] = lay_over(cast("Mapping[str, Any]", under), value) if both else _copy(value)
    return merged


def _copy(value: object) -> object:
    if isinstance(value, (dict, Mapping)):
        return lay_over(value, {})
    return [_copy(item) for item in value] if isinstance(value, list | tuple) else value


def _pod(service: Service, release: Record, container: str) -> Pod:
    return {
        "serviceAccountName": service.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": key,
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": selector(service)},
                "matchLabelKeys": [_hash_label(service)],
            }
            for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
        ],
        "containers": [_container(service, release, container)],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}, *_secret_volumes(service.serve)],
    }


def _hash_label(service: Service) -> str:
    rolling = service.serve.rollout.strategy == "rolling"
    return "pod-template-hash" if rolling else "rollouts-pod-template-hash"


def _container(service: Service, release: Record, name: str) -> Container:
    scheme: Literal["HTTP", "HTTPS"] = "HTTP" if service.serve.tls_secret is None else "HTTPS"
    return {
        "name": name,
        "image": release.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-m", "lockgate_runtime", "serve"],
        "args": _arguments(service),
        "env": _environment(service.serve),
        "ports": [{"name": PORT_NAME, "containerPort": PORT, "protocol": "TCP"}],
        "startupProbe": _probe("ready", scheme, period_seconds=2, failures=60),
        "readinessProbe": _probe("ready", scheme, period_seconds=5, failures=2),
        "livenessProbe": _probe("live", scheme, period_seconds=10, failures=3),
        "lifecycle": {"preStop": {"sleep": {"seconds": _STOP_DELAY_SECONDS}}},
        "resources": {
            "requests": _resources(service.serve.cpu, service),
            "limits": _resources(service.serve.cpu_limit, service),
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a path in the container
            *(_mount(secret) for secret in _secrets(service.serve)),
        ],
    }


def _arguments(service: Service) -> list[str]:
    """Without what a new version changes, so that a promotion shows as the few fields that it is."""
    written = (*trust(service.model), *arguments(service.serve), *cluster_arguments(service.serve))
    return [
        *("--model", MODEL_FOLDER),
        *("--card", CARD_FILE),
        *("--version", f"$({_VERSION})"),
        *("--artifact-sha256", f"$({_ARTIFACT})"),
        *("--host", "0.0.0.0"),  # noqa: S104 - of a pod; the NetworkPolicy says who reaches it
        *("--port", str(PORT)),
        # Kubernetes fills in variables here; a name of the user's own is none.
        *(argument.replace("$", "$$") for argument in written),
    ]


def _environment(serve: Serve) -> list[dict[str, object]]:
    """What the pod's own label and annotation say, and where traces go."""
    fields = {
        _VERSION: f"metadata.labels['{VERSION_LABEL}']",
        _ARTIFACT: f"metadata.annotations['{ARTIFACT_ANNOTATION}']",
    }
    variables: list[dict[str, object]] = [
        {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()
    ]
    if serve.tracing is not None:
        variables.append({"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": serve.tracing.endpoint})
    return variables


class _Secret(NamedTuple):
    volume: str
    name: str
    keys: tuple[str, ...]
    folder: str


def _secrets(serve: Serve) -> tuple[_Secret, ...]:
    """What the pod reads as files: an environment is shown to whoever may look at the pod's processes."""
    auth = (serve.auth_secret, "auth", ("tokens",), AUTH_FILE.rpartition("/")[0])
    tls = (serve.tls_secret, "tls", ("tls.crt", "tls.key"), TLS_FOLDER)
    return tuple(
        _Secret(volume=volume, name=name, keys=keys, folder=folder)
        for name, volume, keys, folder in (auth, tls)
        if name is not None
    )


def _mount(secret: _Secret) -> dict[str, str | bool]:
    return {"name": secret.volume, "mountPath": secret.folder, "readOnly": True}


def _secret_volumes(serve: Serve) -> list[dict[str, object]]:
    return [
        {
            "name": secret.volume,
            "secret": {
                "secretName": secret.name,
                "defaultMode": _GROUP_READS,
                "items": [{"key": key, "path": key} for key in secret.keys],
            },
        }
        for secret in _secrets(serve)
    ]


def _probe(state: str, scheme: Literal["HTTP", "HTTPS"], *, period_seconds: int, failures: int) -> Probe:
    get: HttpGet = {"path": f"/v2/health/{state}", "port": PORT_NAME}
    return {
        "httpGet": get if scheme == "HTTP" else {**get, "scheme": scheme},
        "periodSeconds": period_seconds,
        "timeoutSeconds": 2,
        "failureThreshold": failures,
    }


def _resources(cpu: str, service: Service) -> Resources:
    return {"cpu": cpu, "memory": service.serve.memory}
