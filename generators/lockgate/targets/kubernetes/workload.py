"""A released service → its Deployment: the pod, hardened, with the user's own fields laid over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from lockgate.plan.model import Plan, Record, Service
from lockgate.targets.kubernetes.names import (
    CONTAINER,
    PORT,
    PORT_NAME,
    deployment_name,
    labels,
    selector,
)

if TYPE_CHECKING:
    from lockgate.targets.kubernetes.types import (
        Container,
        Deployment,
        DeploymentSpec,
        Labels,
        Pod,
        PodTemplate,
        Probe,
        Resources,
    )

PROGRESS_DEADLINE_SECONDS = 600
REVISION_HISTORY = 3

_USER = 10001
# A pod is taken out of its Services at the same time as it is told to stop: it waits until everybody has noticed.
_STOP_DELAY_SECONDS = 5
_GRACE_SECONDS = 60


def deployment(service: Service, release: Record, plan: Plan) -> Deployment:
    """The Deployment that runs the pods, or lends their template to the Rollout that does."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": deployment_name(service),
            "namespace": service.namespace,
            "labels": _versioned(service, release, plan),
        },
        "spec": _spec(service, release, plan),
    }


def _spec(service: Service, release: Record, plan: Plan) -> DeploymentSpec:
    """`replicas` is the autoscaler's; it is 0 where a Rollout runs the pods."""
    spec = {
        "revisionHistoryLimit": REVISION_HISTORY,
        "progressDeadlineSeconds": PROGRESS_DEADLINE_SECONDS,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
        "selector": {"matchLabels": selector(service)},
        "template": _template(service, release, plan),
    }
    rolling = service.serve.rollout.strategy == "rolling"
    return cast("DeploymentSpec", spec if rolling else {"replicas": 0} | spec)


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


def _template(service: Service, release: Record, plan: Plan) -> PodTemplate:
    pod, own = _pod(service, release), service.serve.pod
    return {
        "metadata": {
            "labels": _versioned(service, release, plan),
            "annotations": {"lockgate.dev/artifact-sha256": release.artifact_sha256},
        },
        "spec": lay_over(pod, own) if own else dict(pod),
    }


def _versioned(service: Service, release: Record, plan: Plan) -> Labels:
    return labels(service, plan) | {"app.kubernetes.io/version": release.version}


def _pod(service: Service, release: Record) -> Pod:
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
        "containers": [_container(service, release)],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
    }


def _hash_label(service: Service) -> str:
    rolling = service.serve.rollout.strategy == "rolling"
    return "pod-template-hash" if rolling else "rollouts-pod-template-hash"


def _container(service: Service, release: Record) -> Container:
    return {
        "name": CONTAINER,
        "image": release.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-m", "lockgate_runtime", "serve"],
        "args": ["--model", "/model", "--port", str(PORT)],
        "ports": [{"name": PORT_NAME, "containerPort": PORT, "protocol": "TCP"}],
        "startupProbe": _probe("ready", period_seconds=2, failures=60),
        "readinessProbe": _probe("ready", period_seconds=5, failures=2),
        "livenessProbe": _probe("live", period_seconds=10, failures=3),
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
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - a path in the container
    }


def _probe(state: str, *, period_seconds: int, failures: int) -> Probe:
    return {
        "httpGet": {"path": f"/v2/health/{state}", "port": PORT_NAME},
        "periodSeconds": period_seconds,
        "timeoutSeconds": 2,
        "failureThreshold": failures,
    }


def _resources(cpu: str, service: Service) -> Resources:
    return {"cpu": cpu, "memory": service.serve.memory}
