"""Plan → the objects with which Flux keeps each cluster as the repository says; nothing where the mode is another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from lockgate.plan.delivery import (
    LiveField,
    by_kind,
    live_fields,
    manifests_path,
    object_name,
    repository_url,
)
from lockgate.plan.model import Plan
from lockgate.spec.model import Delivery, Environment
from lockgate.targets.file import File

_TIMEOUT = "5m"
_RETRY_INTERVAL = "2m"


class IgnoreRule(TypedDict):
    target: Mapping[str, str]
    paths: list[str]


class FluxObject(TypedDict):
    apiVersion: str
    kind: str
    metadata: Mapping[str, object]
    spec: Mapping[str, object]


def emit(plan: Plan) -> tuple[File, ...]:
    """Two objects beside each environment's kustomization, which does not list them: they are applied once."""
    delivery = plan.spec.delivery
    if delivery is None or delivery.mode != "flux":
        return ()
    return tuple(
        File(path=f"{manifests_path(environment.name)}/{name}", content=content)
        for environment in plan.spec.environments.values()
        for name, content in (
            ("flux-git-repository.yaml", _git_repository(environment, delivery, plan)),
            ("flux-kustomization.yaml", _kustomization(environment, delivery, plan)),
        )
    )


def _git_repository(environment: Environment, delivery: Delivery, plan: Plan) -> FluxObject:
    spec: dict[str, object] = {
        "interval": f"{delivery.interval_seconds}s",
        "url": repository_url(plan),
        "ref": {"branch": plan.spec.project.branch},
    }
    return {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": _metadata(environment, delivery, plan),
        "spec": spec | {"secretRef": {"name": delivery.secret}} if delivery.secret else spec,
    }


def _kustomization(environment: Environment, delivery: Delivery, plan: Plan) -> FluxObject:
    """`ignore` needs kustomize-controller 1.9; without it Flux would take a rollout's traffic back."""
    spec: dict[str, object] = {
        "interval": f"{delivery.interval_seconds}s",
        "retryInterval": _RETRY_INTERVAL,
        "timeout": _TIMEOUT,
        "sourceRef": {"kind": "GitRepository", "name": object_name(plan, environment.name)},
        "path": f"./{manifests_path(environment.name)}",
        "prune": True,
    }
    ignored = _ignored(live_fields(plan, environment.name))
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": _metadata(environment, delivery, plan),
        "spec": spec | {"ignore": ignored} if ignored else spec,
    }


def _metadata(environment: Environment, delivery: Delivery, plan: Plan) -> dict[str, object]:
    return {
        "name": object_name(plan, environment.name),
        "namespace": delivery.namespace or "flux-system",
        "labels": {"app.kubernetes.io/managed-by": "lockgate"},
    }


def _ignored(fields: Sequence[LiveField]) -> list[IgnoreRule]:
    return [
        {"target": ({"group": group} if group else {}) | {"kind": kind}, "paths": list(pointers)}
        for (group, kind), pointers in by_kind(fields).items()
    ]
