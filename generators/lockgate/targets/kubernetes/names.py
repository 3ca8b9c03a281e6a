"""Names and labels of a service's objects, each at most 63 characters and never changed: others select by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockgate.plan.delivery import part_of
from lockgate.plan.model import Plan, Service

if TYPE_CHECKING:
    from lockgate.targets.kubernetes.types import Labels, Metadata

CONTAINER = "server"
PORT_NAME = "http"
PORT = 8080
SERVICE_PORT = 80

_MANAGED_BY = {"app.kubernetes.io/managed-by": "lockgate"}


def canary_name(service: Service) -> str:
    return f"{service.name}-canary"


def stable_name(service: Service) -> str:
    """Behind a gateway, the Service that clients call: who goes around the gateway gets no new version."""
    return service.name if service.serve.gateway is not None else f"{service.name}-stable"


def preview_name(service: Service) -> str:
    return f"{service.name}-preview"


def shadow_name(service: Service) -> str:
    return f"{service.name}-shadow"


def predictor_name(service: Service) -> str:
    """What KServe calls the Deployment and the Service that it makes of an InferenceService."""
    return f"{service.name}-predictor"


def is_watched(service: Service) -> bool:
    """Whether something that is written here counts on Prometheus having the server's metrics."""
    serve = service.serve
    by_requests = serve.scaling is not None and serve.scaling.demand is None
    return serve.slo is not None or serve.rollout.analysis is not None or by_requests


def object_names(service: Service) -> tuple[str, ...]:
    """All names that objects of the service have, whatever its strategy, and whether released or not."""
    return (
        service.name,
        f"{service.name}-template",
        canary_name(service),
        stable_name(service),
        preview_name(service),
        shadow_name(service),
        predictor_name(service),
    )


def deployment_name(service: Service) -> str:
    """A Deployment that only lends its template to a Rollout has a name of its own.

    With the same name, a change of the strategy would scale the pods that serve to zero before others are ready.
    """
    return service.name if service.serve.rollout.strategy == "rolling" else f"{service.name}-template"


def selector(service: Service) -> Labels:
    """What tells the pods of a service from all others; it never changes, so no version is in it."""
    return {
        "app.kubernetes.io/name": service.name,
        "app.kubernetes.io/instance": f"{service.name}-{service.environment}",
    }


def labels(service: Service, plan: Plan) -> Labels:
    """Without the version, so that a promotion changes the Deployment and no other object."""
    component = {"app.kubernetes.io/component": CONTAINER}
    return selector(service) | component | environment_labels(plan)


def environment_labels(plan: Plan) -> Labels:
    return {"app.kubernetes.io/part-of": part_of(plan)} | _MANAGED_BY


def metadata(service: Service, plan: Plan, name: str) -> Metadata:
    return {"name": name, "namespace": service.namespace, "labels": labels(service, plan)}
