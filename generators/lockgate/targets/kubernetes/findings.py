"""A plan → what of it Kubernetes or Argo Rollouts could not do, at the place in the spec that asks for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TypeAlias

from lockgate.diagnostics import Finding
from lockgate.plan.model import Plan, Record, Service
from lockgate.spec.model import Serve
from lockgate.targets.kubernetes.emit import service_files
from lockgate.targets.kubernetes.names import object_names, predictor_name
from lockgate.targets.kubernetes.passthrough import pod_problems
from lockgate.targets.kubernetes.shape import Pointer

Location: TypeAlias = tuple[str | int, ...]

_ANY_RELEASE = Record(model="", version="0.0.0", image="", artifact_sha256="", metrics={})


def findings(plan: Plan) -> tuple[Finding, ...]:
    """Each place in the spec once for each rule, even where several environments share it."""
    found = [*_collisions(plan)]
    for service in plan.services:
        found += [*_canary(service), *_pod(service)]
    return tuple({(finding.rule, finding.location): finding for finding in reversed(found)}.values())[::-1]


def _collisions(plan: Plan) -> Iterator[Finding]:
    owners: dict[tuple[str, str, str], Service] = {}
    for service in _suspects(plan):
        for kind, name in _objects(service, plan):
            owner = owners.setdefault((kind, service.namespace, name), service)
            if owner is not service:
                yield _collision(kind, name, owner, service)
                break


def _suspects(plan: Plan) -> list[Service]:
    """Services that may share a name with another of their namespace: only of these need the objects be made."""
    owners = Counter((service.namespace, name) for service in plan.services for name in object_names(service))
    return [
        service
        for service in plan.services
        if any(owners[service.namespace, name] > 1 for name in object_names(service))
    ]


def _objects(service: Service, plan: Plan) -> list[tuple[str, str]]:
    """Kinds and names of the objects, also of those that come with the first release, or that KServe makes."""
    released = service._replace(release=service.release or _ANY_RELEASE)
    contents = [
        file.content
        for file in service_files(released, plan)
        if not isinstance(file.content, str) and "metadata" in file.content
    ]
    made = [(content["kind"], content["metadata"]["name"]) for content in contents]
    if service.serve.platform == "kserve":
        made += [("Deployment", predictor_name(service)), ("Service", predictor_name(service))]
    return made


def _collision(kind: str, name: str, owner: Service, service: Service) -> Finding:
    same = owner.name == service.name
    return Finding(
        rule="name-collision",
        location=("environments", service.environment, "namespace") if same else ("models", service.name),
        at_key=not same,
        message=(
            f"{owner.name!r} in {owner.environment!r} and {service.name!r} in {service.environment!r} would both be"
            f" the {kind} {name!r} of the namespace {service.namespace!r}"
        ),
        help="give each environment a namespace of its own" if same else "rename one of the two models",
    )


def _canary(service: Service) -> Iterator[Finding]:
    """Without a gateway a share of the traffic is one of the pods, and the fewest pods must show it."""
    rollout, pods = service.serve.rollout, service.serve.replicas_min
    if rollout.strategy != "canary" or service.serve.gateway is not None:
        return
    where = f"in {service.environment!r}"
    if pods < 2:
        yield Finding(
            rule="canary-needs-replicas",
            location=(*_origin(service, lambda serve: serve.rollout.strategy), "rollout"),
            message=f"a canary needs a pod beside the old version's, and {where} there may be only 1",
            help="set 'replicas.min' to 2 or more, or make the rollout blue-green or rolling",
        )
        return
    for index, step in enumerate(rollout.steps):
        if not 1 <= (step.weight_percent * pods + 50) // 100 < pods:
            yield Finding(
                rule="canary-arithmetic",
                location=(
                    *_origin(service, lambda serve: serve.rollout),
                    "rollout",
                    "steps",
                    index,
                    "weight",
                ),
                message=f"{step.weight_percent} % cannot be shown by {pods} pods, the fewest {where}",
                help=_weights_help(pods),
            )


def _weights_help(pods: int) -> str:
    low, high = -(-100 // pods), 100 * (pods - 1) // pods
    return f"with {pods} pods, take a weight from {low} to {high}; or raise 'replicas.min'"


def _pod(service: Service) -> Iterator[Finding]:
    for problem in pod_problems(service.serve.pod):
        written_in = _origin(service, partial(_pod_value, pointer=problem.pointer))
        yield Finding(
            rule=problem.rule,
            location=(*written_in, "pod", *problem.pointer),
            message=problem.message,
            help=problem.help,
            at_key=problem.at_key,
        )


def _origin(service: Service, read: Callable[[Serve], object]) -> Location:
    """The block that says it: the model's own, unless the environment says something else."""
    own = service.model.serve
    if own is not None and read(own) == read(service.serve):
        return ("models", service.name, "serve")
    return ("environments", service.environment, "models", service.name, "serve")


def _pod_value(serve: Serve, pointer: Pointer) -> object:
    value: object = serve.pod
    for part in pointer:
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value
