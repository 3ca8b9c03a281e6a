"""Plan → the Applications that keep each cluster as the repository says; nothing where the mode is another."""

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

_IN_CLUSTER = "https://kubernetes.default.svc"
_SYNC_OPTIONS = ("ServerSideApply=true", "RespectIgnoreDifferences=true", "PruneLast=true")
_RETRY = {"limit": 5, "backoff": {"duration": "30s", "factor": 2, "maxDuration": "5m"}}


class IgnoredField(TypedDict):
    group: str
    kind: str
    jsonPointers: list[str]


class Application(TypedDict):
    apiVersion: str
    kind: str
    metadata: Mapping[str, object]
    spec: Mapping[str, object]


def emit(plan: Plan) -> tuple[File, ...]:
    """An Application beside each environment's kustomization, which does not list it: it is applied once, by hand."""
    delivery = plan.spec.delivery
    if delivery is None or delivery.mode != "argocd":
        return ()
    return tuple(
        File(
            path=f"{manifests_path(environment.name)}/argocd-application.yaml",
            content=_application(environment, delivery, plan),
        )
        for environment in plan.spec.environments.values()
    )


def _application(environment: Environment, delivery: Delivery, plan: Plan) -> Application:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": object_name(plan, environment.name),
            "namespace": delivery.namespace or "argocd",
            "labels": {"app.kubernetes.io/managed-by": "lockgate"},
        },
        "spec": _spec(environment, delivery, plan),
    }


def _spec(environment: Environment, delivery: Delivery, plan: Plan) -> dict[str, object]:
    """Healing is on: what somebody changes in the cluster by hand goes back to what the branch says."""
    spec: dict[str, object] = {
        "project": delivery.project,
        "source": {
            "repoURL": repository_url(plan),
            "targetRevision": plan.spec.project.branch,
            "path": manifests_path(environment.name),
        },
        "destination": {"server": _IN_CLUSTER, "namespace": environment.namespace},
        "syncPolicy": {
            "automated": {"prune": True, "selfHeal": True},
            "syncOptions": list(_SYNC_OPTIONS),
            "retry": _RETRY,
        },
    }
    ignored = _ignored(live_fields(plan, environment.name))
    return spec | {"ignoreDifferences": ignored} if ignored else spec


def _ignored(fields: Sequence[LiveField]) -> list[IgnoredField]:
    return [
        {"group": group, "kind": kind, "jsonPointers": list(pointers)}
        for (group, kind), pointers in by_kind(fields).items()
    ]
