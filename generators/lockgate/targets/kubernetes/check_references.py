"""Checks between the objects of one service: that each name and label used in one of them is there in another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from lockgate.spec.validate import quote
from lockgate.targets.kubernetes.check_labels import is_within
from lockgate.targets.kubernetes.check_pods import port_names
from lockgate.targets.kubernetes.problem import Problem
from lockgate.targets.kubernetes.rollout import GATEWAY_PLUGIN
from lockgate.targets.kubernetes.shape import Pointer, as_map, dig, maps

Content: TypeAlias = Mapping[str, Any]

_NAMED: Mapping[str, tuple[tuple[Pointer, str], ...]] = {
    "Rollout": (
        (("spec", "workloadRef", "name"), "Deployment"),
        (("spec", "strategy", "canary", "canaryService"), "Service"),
        (("spec", "strategy", "canary", "stableService"), "Service"),
        (
            ("spec", "strategy", "canary", "trafficRouting", "istio", "virtualService", "name"),
            "VirtualService",
        ),
        (("spec", "strategy", "blueGreen", "activeService"), "Service"),
        (("spec", "strategy", "blueGreen", "previewService"), "Service"),
    ),
    "InferenceService": ((("spec", "predictor", "serviceAccountName"), "ServiceAccount"),),
}
# Where a route's rules stand, where in each rule its destinations do, and in each of these a Service's name.
_DESTINATIONS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "HTTPRoute": ("rules", "backendRefs", ("name",)),
    "VirtualService": ("http", "route", ("destination", "host")),
}
_ANALYSES: tuple[tuple[str, ...], ...] = (
    ("canary", "analysis"),
    ("blueGreen", "prePromotionAnalysis"),
    ("blueGreen", "postPromotionAnalysis"),
)
_SELECTORS: Mapping[str, tuple[str, ...]] = {
    "Service": ("spec", "selector"),
    "PodDisruptionBudget": ("spec", "selector", "matchLabels"),
    "NetworkPolicy": ("spec", "podSelector", "matchLabels"),
    "PodMonitor": ("spec", "selector", "matchLabels"),
}


def check_references(objects: Mapping[str, Content]) -> Iterator[tuple[str, Problem]]:
    """Problems with the path of the object that refers. The objects of one folder belong together."""
    folders: dict[str, dict[str, Content]] = {}
    for path, content in objects.items():
        folders.setdefault(path.rpartition("/")[0], {})[path] = content
    for folder in folders.values():
        there = {(str(content.get("kind")), _name(content)) for content in folder.values()}
        templates = [template for content in folder.values() if (template := _template(content))]
        for path, content in folder.items():
            yield from ((path, problem) for problem in _problems(content, there, templates))


def _problems(content: Content, there: set[tuple[str, str]], templates: list[Content]) -> Iterator[Problem]:
    yield from _names(content, there)
    spec = as_map(content.get("spec"))
    if "scaleTargetRef" in spec:
        yield from _scaled(content, there)
    if "strategy" in spec:
        yield from _analysed(content, there)
        yield from _routed(content, there)
    yield from _leads(content, there)
    for template in templates:
        yield from _selects(content, template)
        yield from _reaches(content, template)


def _template(content: Content) -> Content:
    """The pods that the object runs, if it runs any."""
    predictor = as_map(dig(content, "spec", "predictor"))
    if predictor:
        return {"metadata": {"labels": predictor.get("labels")}, "spec": predictor}
    return as_map(dig(content, "spec", "template"))


def _name(content: Content) -> str:
    return str(dig(content, "metadata", "name"))


def _names(content: Content, there: set[tuple[str, str]]) -> Iterator[Problem]:
    for pointer, kind in _NAMED.get(str(content.get("kind")), ()):
        name = dig(content, *map(str, pointer))
        if name is not None and (kind, str(name)) not in there:
            yield _missing(kind, name, pointer)


def _scaled(content: Content, there: set[tuple[str, str]]) -> Iterator[Problem]:
    target = as_map(dig(content, "spec", "scaleTargetRef"))
    if target and (str(target.get("kind")), str(target.get("name"))) not in there:
        yield _missing(str(target.get("kind")), target.get("name"), ("spec", "scaleTargetRef"))


def _analysed(content: Content, there: set[tuple[str, str]]) -> Iterator[Problem]:
    """The AnalysisTemplates that a Rollout runs."""
    for at, block in _analyses(content):
        for index, template in maps(block, "templates"):
            name = template.get("templateName")
            if ("AnalysisTemplate", str(name)) not in there:
                yield _missing("AnalysisTemplate", name, (*at, "templates", index, "templateName"))


def _analyses(content: Content) -> Iterator[tuple[Pointer, Content]]:
    """Beside the steps, around a switch, or as a step."""
    strategy = as_map(dig(content, "spec", "strategy"))
    for keys in _ANALYSES:
        yield ("spec", "strategy", *keys), as_map(dig(strategy, *keys))
    for index, step in maps(as_map(strategy.get("canary")), "steps"):
        yield ("spec", "strategy", "canary", "steps", index, "analysis"), as_map(step.get("analysis"))


def _routed(content: Content, there: set[tuple[str, str]]) -> Iterator[Problem]:
    """The HTTPRoutes whose weights a Rollout sets."""
    at = ("spec", "strategy", "canary", "trafficRouting", "plugins", GATEWAY_PLUGIN)
    for index, route in maps(as_map(dig(content, *at)), "httpRoutes"):
        if ("HTTPRoute", str(route.get("name"))) not in there:
            yield _missing("HTTPRoute", route.get("name"), (*at, "httpRoutes", index, "name"))


def _leads(content: Content, there: set[tuple[str, str]]) -> Iterator[Problem]:
    """The Services that a route leads to."""
    found = _DESTINATIONS.get(str(content.get("kind")))
    if found is None:
        return
    rules, destinations, keys = found
    for index, rule in maps(as_map(content.get("spec")), rules):
        for position, destination in maps(rule, destinations):
            name = dig(destination, *keys)
            if ("Service", str(name)) not in there:
                yield _missing("Service", name, ("spec", rules, index, destinations, position, *keys))


def _missing(kind: str, name: object, pointer: Pointer) -> Problem:
    return Problem(
        rule="k8s-reference",
        pointer=pointer,
        message=f"there is no {kind} {quote(name)} among the objects beside it",
        help="name one that is there",
    )


def _selects(content: Content, template: Content) -> Iterator[Problem]:
    keys = _SELECTORS.get(str(content.get("kind")))
    if keys is None:
        return
    selector, labels = dig(content, *keys), dig(template, "metadata", "labels")
    if not as_map(selector) or not is_within(selector, labels):
        message = f"the selector {quote(selector)} does not select the pods' labels {quote(labels)}"
        yield Problem(
            rule="k8s-selector", pointer=keys, message=message, help="select labels that the pods have"
        )


def _reaches(content: Content, template: Content) -> Iterator[Problem]:
    if content.get("kind") != "Service":
        return
    ports = port_names(as_map(template.get("spec")))
    for index, port in maps(as_map(content.get("spec")), "ports"):
        target = port.get("targetPort", port.get("port"))
        if isinstance(target, str | int) and target not in ports:
            message = f"the Service leads to port {quote(target)}, which no container has"
            pointer = ("spec", "ports", index, "targetPort")
            yield Problem(rule="k8s-reference", pointer=pointer, message=message)
