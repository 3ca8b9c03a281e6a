"""Plan → files: an environment's namespace and kustomization, and each of its services in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lockgate.plan.model import Plan, Service
from lockgate.targets.file import File
from lockgate.targets.kubernetes.names import environment_labels, metadata
from lockgate.targets.kubernetes.network import network_policy, services
from lockgate.targets.kubernetes.rollout import rollout
from lockgate.targets.kubernetes.scaling import autoscaler, disruption_budget
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
    files = objects | {"kustomization.yaml": _kustomization(list(objects))}
    return tuple(File(path=f"{service.directory}/{name}", content=content) for name, content in files.items())


def _objects(service: Service, plan: Plan) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "service-account.yaml", _service_account(service, plan)
    if service.release is not None:
        yield "deployment.yaml", deployment(service, service.release, plan)
        if service.serve.rollout.strategy != "rolling":
            yield "rollout.yaml", rollout(service, plan)
        yield "horizontal-pod-autoscaler.yaml", autoscaler(service, plan)
        yield "pod-disruption-budget.yaml", disruption_budget(service, plan)
    yield from services(service, plan).items()
    yield "network-policy.yaml", network_policy(service, plan)


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
