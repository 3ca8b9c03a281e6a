"""How many pods a service has: the autoscaler that chooses, and the budget for evictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockgate.plan.model import Plan, Service
from lockgate.targets.kubernetes.names import metadata, selector
from lockgate.targets.kubernetes.rollout import workload

if TYPE_CHECKING:
    from lockgate.targets.kubernetes.types import Autoscaler, DisruptionBudget


def autoscaler(service: Service, plan: Plan) -> Autoscaler:
    target = {"type": "Utilization", "averageUtilization": service.serve.target_cpu_percent}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(service, plan, service.name),
        "spec": {
            "scaleTargetRef": workload(service),
            "minReplicas": service.serve.replicas_min,
            "maxReplicas": service.serve.replicas_max,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }


def disruption_budget(service: Service, plan: Plan) -> DisruptionBudget:
    """One pod at a time may be evicted. `minAvailable` would keep a node with a single pod from ever being drained."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(service, plan, service.name),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": selector(service)},
        },
    }
