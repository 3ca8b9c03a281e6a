"""A service with a canary or a blue-green rollout → the Argo Rollout that runs the Deployment's pods in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockgate.plan.analysis import metrics
from lockgate.plan.model import Plan, Service
from lockgate.spec.model import Rollout as SpecRollout
from lockgate.targets.kubernetes.analysis import analysis
from lockgate.targets.kubernetes.names import (
    canary_name,
    deployment_name,
    metadata,
    preview_name,
    stable_name,
)
from lockgate.targets.kubernetes.route import CANDIDATE, HEADER
from lockgate.targets.kubernetes.workload import PROGRESS_DEADLINE_SECONDS, REVISION_HISTORY

if TYPE_CHECKING:
    from lockgate.targets.kubernetes.types import Reference, Rollout

GATEWAY_PLUGIN = "argoproj-labs/gatewayAPI"

_HEADER_ROUTE = "candidate"
_ABORT_SCALE_DOWN_DELAY_SECONDS = 30
# How long the old version of a blue-green rollout waits, ready to take the traffic back. An analysis after the switch
# has to be over by then, or Argo Rollouts cancels it.
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
                {"blueGreen": _blue_green(service)}
                if service.serve.rollout.strategy == "blue-green"
                else {"canary": _canary(service)}
            ),
        },
    }


def _canary(service: Service) -> dict[str, object]:
    test = _test(service.serve.rollout) if service.serve.rollout.strategy == "cautious" else []
    steps = [*test]
    for step in service.serve.rollout.steps:
        steps.append({"setWeight": step.weight_percent})
        steps.append({"pause": {"duration": duration(step.pause_seconds)}})
    return {
        "canaryService": canary_name(service),
        "stableService": stable_name(service),
        "maxSurge": "25%",
        "maxUnavailable": 0,
        **({} if service.serve.gateway is None else {"trafficRouting": _routing(service)}),
        **({"analysis": _background(service, len(test))} if metrics(service) else {}),
        "steps": steps,
    }


def _test(rollout: SpecRollout) -> list[dict[str, object]]:
    """One pod, which only requests with the header reach. The plugin takes the header's route away at the end.

    Mirrored traffic would belong here: the Gateway API plugin accepts that step, and does nothing.
    """
    match = {"headerName": HEADER, "headerValue": {"exact": CANDIDATE}}
    return [
        {"setCanaryScale": {"replicas": 1}},
        {"setHeaderRoute": {"name": _HEADER_ROUTE, "match": [match]}},
        {"pause": {"duration": duration(rollout.test_seconds)}},
        {"setCanaryScale": {"matchTrafficWeight": True}},
    ]


def _routing(service: Service) -> dict[str, object]:
    """By way of the plugin: `trafficRouting.gatewayAPI` would be ignored, and traffic stay as it is."""
    is_cautious = service.serve.rollout.strategy == "cautious"
    header: dict[str, object] = {"useHeaderRoutes": True} if is_cautious else {}
    routes = {"httpRoutes": [{"name": service.name, **header}], "namespace": service.namespace}
    managed = {"managedRoutes": [{"name": _HEADER_ROUTE}]} if is_cautious else {}
    return {**managed, "plugins": {GATEWAY_PLUGIN: routes}}


def _background(service: Service, starting_step: int) -> dict[str, object]:
    """Beside the steps that have traffic: a test by header has too little of it to judge by."""
    return {**analysis(service.name), **({"startingStep": starting_step} if starting_step else {})}


def _blue_green(service: Service) -> dict[str, object]:
    watched = {
        "prePromotionAnalysis": analysis(preview_name(service)),
        "postPromotionAnalysis": analysis(service.name),
    }
    return {
        "activeService": service.name,
        "previewService": preview_name(service),
        "autoPromotionEnabled": True,
        **(watched if metrics(service) else {}),
        "scaleDownDelaySeconds": _SCALE_DOWN_DELAY_SECONDS,
        "abortScaleDownDelaySeconds": _ABORT_SCALE_DOWN_DELAY_SECONDS,
    }


def duration(seconds: int) -> str:
    """In the largest unit that is exact: 600 is `10m`."""
    for unit, length in (("h", 3600), ("m", 60)):
        if seconds and seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
