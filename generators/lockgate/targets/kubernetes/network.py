"""Who reaches a service: its Services, and the NetworkPolicy that keeps everybody else out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockgate.plan.model import Plan, Service
from lockgate.targets.kubernetes.names import (
    PORT_NAME,
    canary_name,
    metadata,
    preview_name,
    selector,
    stable_name,
)

if TYPE_CHECKING:
    from lockgate.targets.kubernetes.types import NetworkPolicy, ServiceObject

# Where Prometheus runs, and where the cluster's DNS does.
_MONITORING_NAMESPACE = "monitoring"
_DNS_NAMESPACE = "kube-system"
_SERVICE_PORT = 80


def services(service: Service, plan: Plan) -> dict[str, ServiceObject]:
    """The Service that clients call, and those that Argo Rollouts narrows down to one version, by file name.

    A canary's clients call a Service that is not narrowed: without a traffic router, it is the mix of pods
    behind it that gives the new version its share.
    """
    names = {"service.yaml": service.name}
    match service.serve.rollout.strategy:
        case "canary":
            names |= {
                "service-stable.yaml": stable_name(service),
                "service-canary.yaml": canary_name(service),
            }
        case "blue-green":
            names |= {"service-preview.yaml": preview_name(service)}
        case "rolling":
            pass
    return {file: _service(service, plan, name) for file, name in names.items()}


def _service(service: Service, plan: Plan, name: str) -> ServiceObject:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(service, plan, name),
        "spec": {
            "selector": selector(service),
            "ports": [
                {"name": PORT_NAME, "port": _SERVICE_PORT, "targetPort": PORT_NAME, "appProtocol": "http"},
            ],
        },
    }


def network_policy(service: Service, plan: Plan) -> NetworkPolicy:
    """In come requests from the own namespace, the clients' and the monitoring; out goes nothing but DNS."""
    clients = dict.fromkeys([*service.serve.clients, _MONITORING_NAMESPACE])
    sources = [{"podSelector": {}}, _in_namespaces(*clients)]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(service, plan, service.name),
        "spec": {
            "podSelector": {"matchLabels": selector(service)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": sources, "ports": [{"protocol": "TCP", "port": PORT_NAME}]}],
            "egress": [
                {
                    "to": [_in_namespaces(_DNS_NAMESPACE)],
                    "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")],
                }
            ],
        },
    }


def _in_namespaces(*names: str) -> dict[str, object]:
    names_in = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(names)}
    return {"namespaceSelector": {"matchExpressions": [names_in]}}
