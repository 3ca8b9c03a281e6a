"""Which files beside a service's own objects say how it is watched; its kustomization lists them."""

from __future__ import annotations

from lockgate.plan.delivery import part_of
from lockgate.plan.model import Plan, Service

PROMETHEUS_RULE = "prometheus-rule.yaml"
DASHBOARD = "dashboard.yaml"


def files(service: Service) -> tuple[str, ...]:
    """Their names in the service's folder. Nothing watches what has not been released."""
    if service.release is None:
        return ()
    return (DASHBOARD,) if service.serve.slo is None else (PROMETHEUS_RULE, DASHBOARD)


def labels(service: Service, plan: Plan) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": service.name,
        "app.kubernetes.io/instance": f"{service.name}-{service.environment}",
        "app.kubernetes.io/part-of": part_of(plan),
        "app.kubernetes.io/managed-by": "lockgate",
    }
