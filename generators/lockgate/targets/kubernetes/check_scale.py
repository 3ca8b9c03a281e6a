"""Checks of what changes how many pods of which version there are: autoscalers and rollouts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lockgate.spec.validate import quote
from lockgate.targets.kubernetes.problem import Problem
from lockgate.targets.kubernetes.rollout import GATEWAY_PLUGIN
from lockgate.targets.kubernetes.shape import Pointer, as_map, dig, is_integer, maps

_THERE = "len(result) > 0 && "


def check_autoscaler(content: Mapping[str, Any]) -> Iterator[Problem]:
    spec = as_map(content.get("spec"))
    low, high = spec.get("minReplicas", 1), spec.get("maxReplicas")
    if not is_integer(low) or not is_integer(high) or not 1 <= low <= high:
        message = (
            f"minReplicas are {quote(low)} and maxReplicas {quote(high)}, expected 1 or more, in that order"
        )
        yield Problem(rule="k8s-replicas", pointer=("spec",), message=message)


def check_scaled_object(content: Mapping[str, Any]) -> Iterator[Problem]:
    spec = as_map(content.get("spec"))
    low, high, idle = (
        spec.get("minReplicaCount", 0),
        spec.get("maxReplicaCount", 100),
        spec.get("idleReplicaCount"),
    )
    if not is_integer(low) or not is_integer(high) or not 0 <= low <= high or not high:
        message = f"minReplicaCount is {quote(low)} and maxReplicaCount {quote(high)}, expected in that order"
        yield Problem(rule="k8s-replicas", pointer=("spec",), message=message)
    elif idle is not None and (idle != 0 or not low):
        message = f"idleReplicaCount is {quote(idle)} beside a minReplicaCount of {low}, expected 0 below it"
        yield Problem(rule="k8s-replicas", pointer=("spec", "idleReplicaCount"), message=message)


def check_analysis(content: Mapping[str, Any]) -> Iterator[Problem]:
    """An AnalysisTemplate: a condition on an empty answer is an error, or passes a version that nobody measures."""
    for index, metric in maps(as_map(content.get("spec")), "metrics"):
        is_prometheus = bool(as_map(dig(metric, "provider", "prometheus")))
        for key in ("successCondition", "failureCondition"):
            condition = metric.get(key)
            if is_prometheus and isinstance(condition, str) and not condition.startswith(_THERE):
                yield Problem(
                    rule="k8s-strategy",
                    pointer=("spec", "metrics", index, key),
                    message=f"the {key} {quote(condition)} does not ask first whether there is a value",
                    help=f"begin it with '{_THERE}'",
                )


def check_rollout(content: Mapping[str, Any]) -> Iterator[Problem]:
    spec = as_map(content.get("spec"))
    if ("workloadRef" in spec) == ("template" in spec):
        message = "a Rollout has either a workloadRef or a template"
        yield Problem(rule="k8s-object", pointer=("spec",), message=message)
    canary = as_map(dig(spec, "strategy", "canary"))
    at = ("spec", "strategy", "canary")
    if "canaryService" in canary and canary["canaryService"] == canary.get("stableService"):
        message = f"canaryService and stableService are both {quote(canary['canaryService'])}"
        yield Problem(rule="k8s-strategy", pointer=(*at, "canaryService"), message=message)
    if all(canary.get(key) in (0, "0", "0%") for key in ("maxSurge", "maxUnavailable")):
        message = "maxSurge and maxUnavailable are both 0: no pod could ever be replaced"
        yield Problem(rule="k8s-strategy", pointer=at, message=message)
    routing = as_map(canary.get("trafficRouting"))
    yield from _routing(canary, routing, at)
    for index, step in maps(canary, "steps"):
        if "setMirrorRoute" in step and GATEWAY_PLUGIN in as_map(routing.get("plugins")):
            message = "the Gateway API plugin accepts a setMirrorRoute, and mirrors nothing"
            pointer: Pointer = (*at, "steps", index, "setMirrorRoute")
            yield Problem(rule="k8s-strategy", pointer=pointer, message=message, help="take the step out")
        weight = step.get("setWeight", 0)
        if not is_integer(weight) or not 0 <= weight <= 100:
            message = f"setWeight is {quote(weight)}, expected 0 to 100"
            yield Problem(rule="k8s-strategy", pointer=(*at, "steps", index, "setWeight"), message=message)


def _routing(canary: Mapping[str, Any], routing: Mapping[str, Any], at: Pointer) -> Iterator[Problem]:
    """A router needs both Services, and the routes that steps add have to be named as its own."""
    if routing and not (canary.get("canaryService") and canary.get("stableService")):
        message = "trafficRouting needs a canaryService and a stableService"
        yield Problem(rule="k8s-strategy", pointer=(*at, "trafficRouting"), message=message)
    managed = {route.get("name") for _, route in maps(routing, "managedRoutes")}
    for index, step in maps(canary, "steps"):
        for added in ("setHeaderRoute", "setMirrorRoute"):
            name = dig(step, added, "name")
            if name is not None and name not in managed:
                message = f"the route {quote(name)} is not among trafficRouting.managedRoutes"
                pointer = (*at, "steps", index, added, "name")
                yield Problem(rule="k8s-strategy", pointer=pointer, message=message)
