"""A service with a canary or a blue-green rollout → the Argo Rollout that runs the Deployment's pods in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockgate.plan.analysis import metrics, shadow_metrics
from lockgate.plan.model import Plan, Service
from lockgate.spec.model import Gateway, Shadow
from lockgate.targets.kubernetes.analysis import analysis
from lockgate.targets.kubernetes.names import (
    canary_name,
    deployment_name,
    metadata,
    preview_name,
    shadow_name,
    stable_name,
)
from lockgate.targets.kubernetes.route import CANDIDATE, HEADER
from lockgate.targets.kubernetes.virtual_service import PRIMARY, predictions
from lockgate.targets.kubernetes.workload import PROGRESS_DEADLINE_SECONDS, REVISION_HISTORY

if TYPE_CHECKING:
    from lockgate.targets.kubernetes.types import Reference, Rollout

GATEWAY_PLUGIN = "argoproj-labs/gatewayAPI"

_HEADER_ROUTE, _MIRROR_ROUTE = "candidate", "shadow"
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
    gateway, before = service.serve.gateway, _before_traffic(service)
    steps = [*before]
    for step in service.serve.rollout.steps:
        steps.append({"setWeight": step.weight_percent})
        steps.append({"pause": {"duration": duration(step.pause_seconds)}})
    return {
        "canaryService": canary_name(service),
        "stableService": stable_name(service),
        "maxSurge": "25%",
        "maxUnavailable": 0,
        **({} if gateway is None else {"trafficRouting": _routing(service, gateway)}),
        **({"analysis": _background(service, len(before))} if metrics(service) else {}),
        "steps": steps,
    }


def _before_traffic(service: Service) -> list[dict[str, object]]:
    """What a cautious rollout does before the first percent."""
    rollout = service.serve.rollout
    if rollout.strategy != "cautious":
        return []
    shadow = [] if rollout.shadow is None else _shadow(service, rollout.shadow)
    return [*shadow, *_test(rollout.test_seconds)]


def _shadow(service: Service, shadow: Shadow) -> list[dict[str, object]]:
    """Copies of requests to as many pods as their share needs. Without `match`, a route is taken away.

    The analysis is a step, which lasts as long as it measures: in the background it would go on into the test.
    """
    watched: dict[str, object] = {"pause": {"duration": duration(shadow.seconds)}}
    if shadow_metrics(service):
        watched = {"analysis": analysis(shadow_name(service))}
    copies = {"name": _MIRROR_ROUTE, "percentage": shadow.percent, "match": predictions()}
    return [
        {"setCanaryScale": {"weight": shadow.percent}},
        {"setMirrorRoute": copies},
        watched,
        {"setMirrorRoute": {"name": _MIRROR_ROUTE}},
    ]


def _test(seconds: int) -> list[dict[str, object]]:
    """One pod, which only requests with the header reach. The header's route is taken away at the rollout's end."""
    match = {"headerName": HEADER, "headerValue": {"exact": CANDIDATE}}
    return [
        {"setCanaryScale": {"replicas": 1}},
        {"setHeaderRoute": {"name": _HEADER_ROUTE, "match": [match]}},
        {"pause": {"duration": duration(seconds)}},
        {"setCanaryScale": {"matchTrafficWeight": True}},
    ]


def _routing(service: Service, gateway: Gateway) -> dict[str, object]:
    """The router, and before it the routes that steps add, in the order in which a request meets them."""
    rollout = service.serve.rollout
    added = [_HEADER_ROUTE] if rollout.strategy == "cautious" else []
    added += [_MIRROR_ROUTE] if rollout.shadow is not None else []
    managed = {"managedRoutes": [{"name": name} for name in added]} if added else {}
    if gateway.router == "istio":
        return {**managed, "istio": {"virtualService": {"name": service.name, "routes": [PRIMARY]}}}
    return {**managed, "plugins": {GATEWAY_PLUGIN: _plugin(service)}}


def _plugin(service: Service) -> dict[str, object]:
    """`trafficRouting.gatewayAPI` would be ignored, and traffic stay as it is."""
    is_cautious = service.serve.rollout.strategy == "cautious"
    header: dict[str, object] = {"useHeaderRoutes": True} if is_cautious else {}
    return {"httpRoutes": [{"name": service.name, **header}], "namespace": service.namespace}


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
