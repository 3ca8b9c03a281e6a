"""Who reaches a service: its Services, and the NetworkPolicy that keeps everybody else out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lockgate.plan.model import Plan, Service
from lockgate.spec.model import Serve
from lockgate.targets.kubernetes.names import (
    PORT_NAME,
    SERVICE_PORT,
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
_PUBLIC_PORT = 443
# Addresses inside networks; what is kept or traced outside the cluster goes to the others.
_INSIDE = {
    "0.0.0.0/0": ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"],
    "::/0": ["fc00::/7", "fe80::/10"],
}
_IN_CLUSTER = re.compile(r"[a-z0-9-]+[.](?P<namespace>[a-z0-9-]+)[.]svc([.].*)?")


def services(service: Service, plan: Plan) -> dict[str, ServiceObject]:
    """The Service that clients call, and those that Argo Rollouts narrows down to one version, by file name.

    A canary's clients call a Service that is not narrowed: without a traffic router, it is the mix of pods
    behind it that gives the new version its share.
    """
    if service.serve.platform == "kserve":
        return {}
    names = {"service.yaml": service.name}
    match service.serve.rollout.strategy:
        case "canary" | "cautious":
            if service.serve.gateway is None:
                names |= {"service-stable.yaml": stable_name(service)}
            names |= {"service-canary.yaml": canary_name(service)}
        case "blue-green":
            names |= {"service-preview.yaml": preview_name(service)}
        case "rolling":
            pass
    return {file: _service(service, plan, name) for file, name in names.items()}


def _service(service: Service, plan: Plan, name: str) -> ServiceObject:
    """A mesh and an ingress take the protocol from `appProtocol`, and those that do not, from the port's name."""
    protocol = "http" if service.serve.tls_secret is None else "https"
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(service, plan, name),
        "spec": {
            "selector": selector(service),
            "ports": [
                {"name": protocol, "port": SERVICE_PORT, "targetPort": PORT_NAME, "appProtocol": protocol},
            ],
        },
    }


def network_policy(service: Service, plan: Plan) -> NetworkPolicy:
    """In come requests from the own namespace, the clients', the gateway's and the monitoring.

    Out goes DNS, and what the spec asks to be kept or traced.
    """
    gateway = () if service.serve.gateway is None else (service.serve.gateway.namespace,)
    clients = dict.fromkeys([*service.serve.clients, *gateway, _MONITORING_NAMESPACE])
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
                },
                *_egress(service.serve),
            ],
        },
    }


def _egress(serve: Serve) -> Iterator[dict[str, object]]:
    """Object storage is at addresses that nobody can list, so what is kept may go anywhere outside by HTTPS."""
    if serve.predictions_log is not None:
        yield _to_outside(_PUBLIC_PORT)
    if serve.tracing is None:
        return
    endpoint = urlsplit(serve.tracing.endpoint)
    port = endpoint.port or (_PUBLIC_PORT if endpoint.scheme == "https" else SERVICE_PORT)
    inside = _IN_CLUSTER.fullmatch(endpoint.hostname or "")
    if inside is not None:
        to = [_in_namespaces(inside["namespace"])]
        yield {"to": to, "ports": [{"protocol": "TCP", "port": port}]}
    elif port != _PUBLIC_PORT or serve.predictions_log is None:
        yield _to_outside(port)


def _to_outside(port: int) -> dict[str, object]:
    return {
        "to": [{"ipBlock": {"cidr": cidr, "except": list(inside)}} for cidr, inside in _INSIDE.items()],
        "ports": [{"protocol": "TCP", "port": port}],
    }


def _in_namespaces(*names: str) -> dict[str, object]:
    names_in = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(names)}
    return {"namespaceSelector": {"matchExpressions": [names_in]}}
