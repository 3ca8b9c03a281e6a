"""What applying an environment means, as decisions on plain data: the order, what is left alone, what is pruned."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from lockgate.plan.delivery import LiveField, live_fields, part_of
from lockgate.plan.model import Plan
from lockgate.tuples import NamedTuple

Document: TypeAlias = Mapping[str, Any]

_CONFIGURATION = (
    ("v1", "ServiceAccount"),
    ("v1", "ConfigMap"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("policy/v1", "PodDisruptionBudget"),
    ("monitoring.coreos.com/v1", "PodMonitor"),
    ("monitoring.coreos.com/v1", "PrometheusRule"),
    ("argoproj.io/v1alpha1", "AnalysisTemplate"),
)
_TRAFFIC_AND_PODS = (
    ("v1", "Service"),
    ("gateway.networking.k8s.io/v1", "HTTPRoute"),
    ("networking.istio.io/v1", "VirtualService"),
    ("apps/v1", "Deployment"),
    ("argoproj.io/v1alpha1", "Rollout"),
    ("serving.kserve.io/v1beta1", "InferenceService"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("keda.sh/v1alpha1", "ScaledObject"),
)
KINDS = _CONFIGURATION + _TRAFFIC_AND_PODS
"""What is emitted for services, in the order in which it is applied: what pods need is there before they are.

Pruning goes the other way round and touches nothing else: a namespace would take everything with it.
"""

_RUN_PODS = frozenset({"Deployment", "Rollout", "InferenceService"})
_LABEL = "app.kubernetes.io/"


class Key(NamedTuple):
    """Which object; whatever the version of its group, it is the same one."""

    api_version: str
    kind: str
    namespace: str | None
    name: str

    @property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]

    @property
    def identity(self) -> tuple[str, str, str | None, str]:
        return self.group, self.kind, self.namespace, self.name

    @property
    def runs_pods(self) -> bool:
        """Whether deleting it takes away what answers requests."""
        return self.kind in _RUN_PODS

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


def key_of(document: Document) -> Key:
    metadata = document["metadata"]
    return Key(document["apiVersion"], document["kind"], metadata.get("namespace"), metadata["name"])


def in_order(documents: Iterable[Document]) -> tuple[Document, ...]:
    """Namespaces, configuration, kinds that are the user's own, then what brings traffic and pods."""
    ranks = {kind: float(rank) for rank, (_, kind) in enumerate(KINDS)}
    ranks["Namespace"] = -1.0
    return tuple(sorted(documents, key=lambda it: ranks.get(it["kind"], len(_CONFIGURATION) - 0.5)))


def of_model(documents: Iterable[Document], model: str) -> tuple[Document, ...]:
    """The objects of the model's service."""
    return tuple(it for it in documents if _labels(it).get(f"{_LABEL}name") == model)


def with_live_fields(document: Document, live: Document | None, plan: Plan, environment: str) -> Document:
    """The object with what a rollout owns of it as it is in the cluster, so that applying moves no traffic.

    A controller may change it meanwhile: it looks at the object after each change, and sets it again.
    """
    if live is None or _backends(document) != _backends(live):
        return document
    merged = copy.deepcopy(dict(document))
    for field in _fields_of(document, plan, environment):
        _carry(merged, live, field.pointer.split("/")[1:])
    return merged


def selector(plan: Plan) -> str:
    """What of a namespace may be this project's."""
    return f"{_LABEL}managed-by=lockgate,{_LABEL}part-of={part_of(plan)}"


def superfluous(found: Iterable[Document], wanted: Iterable[Document], environment: str) -> tuple[Key, ...]:
    """Which of the cluster's objects are the environment's and no longer wanted, in the order in which they go.

    What a controller has made and labelled like its owner is not among them: it goes with its owner.
    """
    kept = {key_of(document).identity for document in wanted}
    keys = [key_of(it) for it in found if _is_of(it, environment) and not _is_owned(it)]
    return tuple(key for key in reversed(keys) if key.identity not in kept)


def _fields_of(document: Document, plan: Plan, environment: str) -> Iterator[LiveField]:
    """Only those that the rollout of the object's own service sets: another service's may have been one before."""
    key, model = key_of(document), _labels(document).get(f"{_LABEL}name")
    services = tuple(it for it in plan.services if it.name == model)
    for field in live_fields(plan._replace(services=services), environment):
        if (field.group, field.kind) == (key.group, key.kind):
            yield field


def _backends(document: Document) -> frozenset[str]:
    """A route's: between others than its own a rollout moves no traffic."""
    spec = document.get("spec") or {}
    match document.get("kind"):
        case "HTTPRoute":
            backends = [it for rule in spec.get("rules") or [] for it in rule.get("backendRefs") or []]
            return frozenset(str(it.get("name")) for it in backends)
        case "VirtualService":
            routes = [it for rule in spec.get("http") or [] for it in rule.get("route") or []]
            return frozenset(str((it.get("destination") or {}).get("host")) for it in routes)
        case _:
            return frozenset()


def _carry(document: dict[str, Any], live: Document, parts: Sequence[str]) -> None:
    """Set what stands there in the cluster, where both have the place for it."""
    target: Any = document
    source: Any = live
    for part in parts[:-1]:
        target, source = _below(target, part), _below(source, part)
    value = _below(source, parts[-1])
    if value is not None and isinstance(target, dict):
        target[parts[-1]] = copy.deepcopy(value)


def _below(value: Any, part: str) -> Any:  # noqa: ANN401 - any object of a cluster
    if isinstance(value, Mapping):
        return value.get(part)
    if isinstance(value, list) and part.isdigit() and int(part) < len(value):
        return value[int(part)]
    return None


def _is_of(document: Document, environment: str) -> bool:
    """By two labels, for a model and an environment may both have dashes in their names."""
    labels = _labels(document)
    name = labels.get(f"{_LABEL}name")
    return bool(name) and labels.get(f"{_LABEL}instance") == f"{name}-{environment}"


def _is_owned(document: Document) -> bool:
    return bool(document["metadata"].get("ownerReferences"))


def _labels(document: Document) -> Mapping[str, Any]:
    labels = document["metadata"].get("labels")
    return labels if isinstance(labels, Mapping) else {}
