"""A service whose metrics count → the PodMonitor by which the Prometheus Operator finds its pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockgate.plan.model import Plan, Service
from lockgate.targets.kubernetes.names import PORT_NAME, metadata, selector

if TYPE_CHECKING:
    from lockgate.targets.kubernetes.types import PodMonitor

_INTERVAL = "30s"


def pod_monitor(service: Service, plan: Plan) -> PodMonitor:
    """The pods' hash tells a new version from the old one, whatever their Services are."""
    endpoint: dict[str, object] = {"port": PORT_NAME, "path": "/metrics", "interval": _INTERVAL}
    if service.serve.tls_secret is not None:
        # Pods are asked by their addresses, and a certificate names the Service.
        endpoint |= {"scheme": "https", "tlsConfig": {"insecureSkipVerify": True}}
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": metadata(service, plan, service.name),
        "spec": {
            "selector": {"matchLabels": selector(service)},
            "podTargetLabels": ["rollouts-pod-template-hash"],
            "podMetricsEndpoints": [endpoint],
        },
    }
