"""Checks of what changes how many pods of which version there are: autoscalers and rollouts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lockgate.spec.validate import quote
from lockgate.targets.kubernetes.problem import Problem
from lockgate.targets.kubernetes.shape import as_map, dig, is_integer, maps


def check_autoscaler(content: Mapping[str, Any]) -> Iterator[Problem]:
    spec = as_map(content.get("spec"))
    low, high = spec.get("minReplicas", 1), spec.get("maxReplicas")
    if not is_integer(low) or not is_integer(high) or not 1 <= low <= high:
        message = (
            f"minReplicas are {quote(low)} and maxReplicas {quote(high)}, expected 1 or more, in that order"
        )
        yield Problem(rule="k8s-replicas", pointer=("spec",), message=message)


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
    for index, step in maps(canary, "steps"):
        weight = step.get("setWeight", 0)
        if not is_integer(weight) or not 0 <= weight <= 100:
            message = f"setWeight is {quote(weight)}, expected 0 to 100"
            yield Problem(rule="k8s-strategy", pointer=(*at, "steps", index, "setWeight"), message=message)
