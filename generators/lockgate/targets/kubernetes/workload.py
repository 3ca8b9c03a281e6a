"""A released service → its Deployment, which runs the pods, or lends their template to a Rollout."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from lockgate.plan.model import Plan, Record, Service
from lockgate.targets.kubernetes.names import deployment_name, selector
from lockgate.targets.kubernetes.pod import artifact, pod, versioned

if TYPE_CHECKING:
    from lockgate.targets.kubernetes.types import Deployment, DeploymentSpec, PodTemplate

PROGRESS_DEADLINE_SECONDS = 600
REVISION_HISTORY = 3


def deployment(service: Service, release: Record, plan: Plan) -> Deployment:
    """The Deployment that runs the pods, or lends their template to the Rollout that does."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": deployment_name(service),
            "namespace": service.namespace,
            "labels": versioned(service, release, plan),
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


def _template(service: Service, release: Record, plan: Plan) -> PodTemplate:
    return {
        "metadata": {
            "labels": versioned(service, release, plan),
            "annotations": artifact(release),
        },
        "spec": pod(service, release),
    }
