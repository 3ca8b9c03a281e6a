"""How many pods a service has: the autoscaler that chooses, by CPU or by requests, and the budget for evictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from lockgate.plan import indicators
from lockgate.plan.model import Plan, Service
from lockgate.plan.promql import text
from lockgate.spec.model import RequestScaling
from lockgate.targets.kubernetes.names import metadata, selector
from lockgate.targets.kubernetes.rollout import workload

if TYPE_CHECKING:
    from lockgate.targets.kubernetes.types import Autoscaler, DisruptionBudget, ScaledObject, ScaledObjectSpec

# A rate needs two scrapes in its window.
_WINDOW_SECONDS = 120
_FAILURES_BEFORE_FALLBACK = 3


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


def scaled_object(service: Service, scaling: RequestScaling, plan: Plan) -> ScaledObject:
    """KEDA's, of which it makes an autoscaler. Where Prometheus is silent, no pod that runs is taken away."""
    idle: dict[str, object] = {"idleReplicaCount": 0} if scaling.to_zero else {}
    spec = {
        "scaleTargetRef": workload(service),
        **idle,
        "minReplicaCount": service.serve.replicas_min,
        "maxReplicaCount": service.serve.replicas_max,
        "fallback": {
            "failureThreshold": _FAILURES_BEFORE_FALLBACK,
            "replicas": service.serve.replicas_min,
            "behavior": "currentReplicasIfHigher",
        },
        "triggers": [{"type": "prometheus", "metadata": _trigger(service, scaling, plan)}],
    }
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": metadata(service, plan, service.name),
        "spec": cast("ScaledObjectSpec", spec),
    }


def _trigger(service: Service, scaling: RequestScaling, plan: Plan) -> dict[str, str]:
    """No value means no requests only where others count them: a pod that nobody scrapes is not idle."""
    counted = text(indicators.requests(indicators.matchers(service), _WINDOW_SECONDS))
    return {
        "serverAddress": plan.spec.project.prometheus,
        "query": scaling.demand if scaling.demand is not None else counted,
        "threshold": str(scaling.requests_per_second),
        "ignoreNullValues": "false" if scaling.demand is None else "true",
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
