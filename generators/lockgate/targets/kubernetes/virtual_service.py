"""A service behind Istio's gateway → its own VirtualService, whose weights a rollout sets.

https://istio.io/latest/docs/reference/config/networking/virtual-service/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lockgate.plan.model import Plan, Service
from lockgate.spec.model import Gateway
from lockgate.targets.kubernetes.names import SERVICE_PORT, canary_name, metadata, stable_name
from lockgate.targets.kubernetes.route import PAGES, PREFIXES

if TYPE_CHECKING:
    from lockgate.targets.kubernetes.types import StringMatch, VirtualService

PRIMARY = "primary"
"""The route whose weights a rollout sets. Argo Rollouts puts its own before it, and takes them away again."""


def virtual_service(service: Service, gateway: Gateway, plan: Plan) -> VirtualService:
    """With exactly two destinations where a rollout moves traffic between them, else with one."""
    destinations = [(stable_name(service), 100), (canary_name(service), 0)]
    is_moved = service.serve.rollout.strategy in ("canary", "cautious")
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": metadata(service, plan, service.name),
        "spec": {
            "hosts": [gateway.hostname],
            "gateways": [f"{gateway.namespace}/{gateway.name}"],
            "http": [
                {
                    "name": PRIMARY,
                    "match": [{"uri": uri} for uri in _uris()],
                    "route": [
                        {"destination": {"host": name, "port": {"number": SERVICE_PORT}}, "weight": weight}
                        for name, weight in (destinations if is_moved else destinations[:1])
                    ],
                }
            ],
        },
    }


def predictions() -> list[dict[str, StringMatch]]:
    """What of the requests asks for a prediction: the rest is not worth a copy."""
    return [{"method": {"exact": "POST"}, "path": {"prefix": f"{path}/"}} for path in PREFIXES]


def _uris() -> Iterator[StringMatch]:
    """A prefix of Istio's is one of the text, and may end within a word."""
    for path in PREFIXES:
        yield {"exact": path}
        yield {"prefix": f"{path}/"}
    for path in PAGES:
        yield {"exact": path}
