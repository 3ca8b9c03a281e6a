"""Plan → files: an environment's namespace and kustomization, and each of its services in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lockgate.plan import monitoring
from lockgate.plan.model import Plan, Record, Service
from lockgate.targets.file import File
from lockgate.targets.kubernetes.analysis import analysis_templates
from lockgate.targets.kubernetes.inference_service import inference_service
from lockgate.targets.kubernetes.monitor import pod_monitor
from lockgate.targets.kubernetes.names import environment_labels, is_watched, metadata
from lockgate.targets.kubernetes.network import network_policy, services
from lockgate.targets.kubernetes.rollout import rollout
from lockgate.targets.kubernetes.route import route
from lockgate.targets.kubernetes.scaling import autoscaler, disruption_budget, scaled_object
from lockgate.targets.kubernetes.virtual_service import virtual_service
from lockgate.targets.kubernetes.workload import deployment

if TYPE_CHECKING:
    from lockgate.targets.kubernetes.types import Kustomization, Object, ServiceAccount


def emit(plan: Plan) -> tuple[File, ...]:
    """All files under `manifests/`. Of a service without a release only what needs no model."""
    files = [file for environment in plan.spec.environments for file in _environment(environment, plan)]
    for service in plan.services:
        files += service_files(service, plan)
    return tuple(files)


def service_files(service: Service, plan: Plan) -> tuple[File, ...]:
    """The objects of one service and the kustomization that lists them."""
    objects = dict(_objects(service, plan))
    files = objects | {"kustomization.yaml": _kustomization([*objects, *monitoring.files(service)])}
    return tuple(File(path=f"{service.directory}/{name}", content=content) for name, content in files.items())


def _objects(service: Service, plan: Plan) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "service-account.yaml", _service_account(service, plan)
    if service.release is not None:
        yield from _workload(service, service.release, plan)
        yield "pod-disruption-budget.yaml", disruption_budget(service, plan)
        if is_watched(service):
            yield "pod-monitor.yaml", pod_monitor(service, plan)
    yield from services(service, plan).items()
    gateway = service.serve.gateway
    if gateway is not None and gateway.router == "istio":
        yield "virtual-service.yaml", virtual_service(service, gateway, plan)
    elif gateway is not None:
        yield "http-route.yaml", route(service, gateway, plan)
    yield "network-policy.yaml", network_policy(service, plan)


def _workload(service: Service, release: Record, plan: Plan) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What runs the pods, what exchanges them for those of a new version, and what decides on their number."""
    if service.serve.platform == "kserve":
        yield "inference-service.yaml", inference_service(service, release, plan)
        return
    yield "deployment.yaml", deployment(service, release, plan)
    if service.serve.rollout.strategy != "rolling":
        yield from analysis_templates(service, plan)
        yield "rollout.yaml", rollout(service, plan)
    if service.serve.scaling is None:
        yield "horizontal-pod-autoscaler.yaml", autoscaler(service, plan)
    else:
        yield "scaled-object.yaml", scaled_object(service, service.serve.scaling, plan)


def _service_account(service: Service, plan: Plan) -> ServiceAccount:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(service, plan, service.name),
        "automountServiceAccountToken": False,
    }


def _environment(environment: str, plan: Plan) -> tuple[File, File]:
    directory = f"manifests/{environment}"
    served = [service.name for service in plan.services if service.environment == environment]
    return (
        File(path=f"{directory}/namespace.yaml", content=_namespace(environment, plan)),
        File(path=f"{directory}/kustomization.yaml", content=_kustomization(["namespace.yaml", *served])),
    )


def _namespace(environment: str, plan: Plan) -> Object:
    """Holds its pods to the Pod Security Standard "restricted"."""
    modes = ("enforce", "audit", "warn")
    security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in modes}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": plan.spec.environments[environment].namespace,
            "labels": environment_labels(plan) | security,
        },
    }


def _kustomization(resources: list[str]) -> Kustomization:
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": resources,
    }
