"""How manifests reach a cluster: what the tools that follow the repository must agree on with what they deliver."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from lockgate.plan.model import Plan, Service
from lockgate.tuples import NamedTuple

_LONGEST_REPOSITORY = 42  # with a dash and an environment's name, a Kubernetes name of 63 characters
_HASH_SELECTOR = "/spec/selector/rollouts-pod-template-hash"


class _Route(NamedTuple):
    """What leads traffic to a service, where its rules stand, and within the first one its destinations."""

    group: str
    kind: str
    rules: str
    destinations: str


_ROUTES = {
    "gateway-api": _Route("gateway.networking.k8s.io", "HTTPRoute", "/spec/rules", "backendRefs"),
    "istio": _Route("networking.istio.io", "VirtualService", "/spec/http", "route"),
}


class LiveField(NamedTuple):
    """A field that a controller in the cluster sets on objects of that kind, as a JSON pointer.

    Who applies manifests leaves it as it is, or a rollout's traffic would jump back each time.
    """

    group: str
    kind: str
    pointer: str


def object_name(plan: Plan, environment: str) -> str:
    """The name of the object that delivers the environment: the repository's and the environment's."""
    repository = plan.spec.project.repository.rsplit("/", 1)[-1].lower()
    prefix = re.sub(r"[^a-z0-9]+", "-", repository)[:_LONGEST_REPOSITORY].strip("-") or "models"
    return f"{prefix if prefix[0].isalpha() else f'r-{prefix}'[:_LONGEST_REPOSITORY]}-{environment}"


def part_of(plan: Plan) -> str:
    """The repository's name as a label's value, which starts and ends with a letter or digit."""
    return _as_label(plan.spec.project.repository.rsplit("/", 1)[-1])


def repository_url(plan: Plan) -> str:
    """Where the repository is cloned from."""
    return f"https://{plan.spec.project.repository}"


def manifests_path(environment: str) -> str:
    """The folder whose kustomization lists all of the environment's objects."""
    return f"manifests/{environment}"


def live_fields(plan: Plan, environment: str) -> tuple[LiveField, ...]:
    """What rollouts own of the environment's objects, each once.

    Argo Rollouts tells a Service's old pods from its new ones by a hash in its selector, which server-side apply
    replaces as a whole; a route's weights are the rollout's own, and a cautious one adds rules to the route.
    """
    services = [service for service in plan.services if service.environment == environment]
    return tuple(dict.fromkeys(_live_fields(services)))


def by_kind(fields: Iterable[LiveField]) -> dict[tuple[str, str], tuple[str, ...]]:
    """The pointers of each group and kind, as both tools want them."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for field in fields:
        found[field.group, field.kind] = (*found.get((field.group, field.kind), ()), field.pointer)
    return found


@cache
def _as_label(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "-", name)[:63].strip("-_.") or "models"


def _live_fields(services: Iterable[Service]) -> Iterator[LiveField]:
    for service in services:
        if service.serve.platform == "kserve" or service.serve.rollout.strategy == "rolling":
            continue
        yield LiveField(group="", kind="Service", pointer=_HASH_SELECTOR)
        if service.serve.gateway is not None:
            route = _ROUTES[service.serve.gateway.router]
            whole = service.serve.rollout.strategy == "cautious"
            for pointer in (route.rules,) if whole else _weights(route):
                yield LiveField(group=route.group, kind=route.kind, pointer=pointer)


def _weights(route: _Route) -> tuple[str, ...]:
    return tuple(f"{route.rules}/0/{route.destinations}/{position}/weight" for position in (0, 1))
