"""A service with a canary or a blue-green rollout → the Argo Rollout that runs the Deployment's pods in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockgate.plan.model import Plan, Service
from lockgate.targets.kubernetes.names import (
    canary_name,
    deployment_name,
    metadata,
    preview_name,
    stable_name,
)
from lockgate.targets.kubernetes.workload import PROGRESS_DEADLINE_SECONDS, REVISION_HISTORY

if TYPE_CHECKING:
    from lockgate.targets.kubernetes.types import Reference, Rollout

_ABORT_SCALE_DOWN_DELAY_SECONDS = 30
# How long the old version of a blue-green rollout waits, ready to take the traffic back.
_SCALE_DOWN_DELAY_SECONDS = 600


def workload(service: Service) -> Reference:
    """What runs the pods, and so what is scaled."""
    if service.serve.rollout.strategy == "rolling":
        return {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment_name(service)}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": service.name}


def rollout(service: Service, plan: Plan) -> Rollout:
    """`rollbackWindow` lets a revert go back at once, without the steps of a new version."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": metadata(service, plan, service.name),
        "spec": {
            "revisionHistoryLimit": REVISION_HISTORY,
            "progressDeadlineSeconds": PROGRESS_DEADLINE_SECONDS,
            "progressDeadlineAbort": True,
            "rollbackWindow": {"revisions": REVISION_HISTORY},
            "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment_name(service)},
            "strategy": (
                {"canary": _canary(service)}
                if service.serve.rollout.strategy == "canary"
                else {"blueGreen": _blue_green(service)}
            ),
        },
    }


def _canary(service: Service) -> dict[str, object]:
    steps: list[dict[str, object]] = []
    for step in service.serve.rollout.steps:
        steps.append({"setWeight": step.weight_percent})
        steps.append({"pause": {"duration": duration(step.pause_seconds)}})
    return {
        "canaryService": canary_name(service),
        "stableService": stable_name(service),
        "maxSurge": "25%",
        "maxUnavailable": 0,
        "steps": steps,
    }


def _blue_green(service: Service) -> dict[str, object]:
    return {
        "activeService": service.name,
        "previewService": preview_name(service),
        "autoPromotionEnabled": True,
        "scaleDownDelaySeconds": _SCALE_DOWN_DELAY_SECONDS,
        "abortScaleDownDelaySeconds": _ABORT_SCALE_DOWN_DELAY_SECONDS,
    }


def duration(seconds: int) -> str:
    """In the largest unit that is exact: 600 is `10m`."""
    for unit, length in (("h", 3600), ("m", 60)):
        if seconds and seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
