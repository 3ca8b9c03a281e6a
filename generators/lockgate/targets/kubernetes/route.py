"""A service behind a gateway of the Gateway API → its own HTTPRoute, whose weights a rollout sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockgate.plan.model import Plan, Service
from lockgate.spec.model import Gateway
from lockgate.targets.kubernetes.names import SERVICE_PORT, canary_name, metadata, stable_name

if TYPE_CHECKING:
    from lockgate.targets.kubernetes.types import HttpRoute

HEADER, CANDIDATE = "x-lockgate-rollout", "candidate"
"""A request with this header and value reaches the version that a cautious rollout tests."""

PREFIXES = ("/v1", "/v2")
PAGES = ("/", "/openapi.json")
"""What clients call. The metrics are not among it: they are for those inside the cluster."""


def route(service: Service, gateway: Gateway, plan: Plan) -> HttpRoute:
    """With exactly two backends where a rollout moves traffic between them, else with one."""
    backends = [(stable_name(service), 100), (canary_name(service), 0)]
    is_moved = service.serve.rollout.strategy in ("canary", "cautious")
    matches = [*(("PathPrefix", path) for path in PREFIXES), *(("Exact", path) for path in PAGES)]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": metadata(service, plan, service.name),
        "spec": {
            "parentRefs": [
                {
                    "group": "gateway.networking.k8s.io",
                    "kind": "Gateway",
                    "name": gateway.name,
                    "namespace": gateway.namespace,
                }
            ],
            "hostnames": [gateway.hostname],
            "rules": [
                {
                    "matches": [{"path": {"type": kind, "value": path}} for kind, path in matches],
                    "backendRefs": [
                        {"group": "", "kind": "Service", "name": name, "port": SERVICE_PORT, "weight": weight}
                        for name, weight in (backends if is_moved else backends[:1])
                    ],
                }
            ],
        },
    }
