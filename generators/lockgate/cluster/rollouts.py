"""What runs of a service in a cluster, against its manifests; where a rollout failed, of which image, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lockgate.cluster.client import Cluster
from lockgate.cluster.drift import Difference, differences
from lockgate.cluster.evidence import Evidence, gather
from lockgate.cluster.reading import Document, block, blocks, text
from lockgate.cluster.states import FAILED, Course, State, of_deployment, of_inference_service, of_rollout
from lockgate.plan.delivery import LiveField
from lockgate.plan.model import Service
from lockgate.targets.kubernetes.inference_service import CONTAINER as KSERVE_CONTAINER
from lockgate.targets.kubernetes.names import CONTAINER, deployment_name, predictor_name
from lockgate.targets.kubernetes.pod import VERSION_LABEL
from lockgate.targets.kubernetes.rollout import workload
from lockgate.tuples import NamedTuple

_DEPLOYMENT = ("apps/v1", "Deployment")
_REPLICA_SET = ("apps/v1", "ReplicaSet")
_INFERENCE_SERVICE = ("serving.kserve.io/v1beta1", "InferenceService")
_MOST_NAMED = 2


class Seen(NamedTuple):
    """A service as the cluster has it. `image` and `version` are of its newest pods, and empty where that is not told.

    `has_failed` is whether it is this version whose rollout failed; then `evidence` says what was seen.
    """

    state: State
    word: str
    object: str
    image: str
    version: str
    revision: str
    pod_hash: str
    has_failed: bool
    differences: tuple[Difference, ...]
    evidence: Evidence | None


class _Workload(NamedTuple):
    """What runs a service's pods, and their template."""

    document: Document
    course: Course
    pods: Document


def look(
    cluster: Cluster, service: Service, desired: Sequence[Document], live: Iterable[LiveField] = ()
) -> Seen:
    """`desired` are the manifests; `live` is what controllers set of them. ClusterError as the client has it."""
    found = _workload(cluster, service)
    name = _name(service)
    if found is None:
        word = "nothing runs" if service.release is not None else "nothing is pinned, and nothing runs"
        return Seen(State.ABSENT, word, name, "", "", "", "", False, (), None)  # noqa: FBT003
    course = found.course
    has_failed = course.state in FAILED and course.is_of_new
    changed = _differences(cluster, desired, tuple(live))
    state, word = _judged(service, course, changed)
    return Seen(
        state=state,
        word=word,
        object=name,
        image=_image(found.pods),
        version=text(found.pods, "metadata", "labels", VERSION_LABEL),
        revision=course.revision,
        pod_hash=course.pod_hash,
        has_failed=has_failed,
        differences=changed,
        evidence=gather(cluster, found.document, course) if has_failed else None,
    )


def _judged(service: Service, course: Course, changed: tuple[Difference, ...]) -> tuple[State, str]:
    """Whether a rollout goes on or has failed says more than that fields differ."""
    if course.state is not State.IN_SYNC:
        return course.state, course.word
    if service.release is None:
        return State.DRIFTED, "it runs, and nothing is pinned"
    if not changed:
        return State.IN_SYNC, course.word
    more = len(changed) - _MOST_NAMED
    named = ", ".join(map(str, changed[:_MOST_NAMED]))
    return State.DRIFTED, named + (f", and {more} more" if more > 0 else "")


def _name(service: Service) -> str:
    if service.serve.platform == "kserve":
        return f"InferenceService/{service.name}"
    return f"{workload(service)['kind']}/{service.name}"


def _workload(cluster: Cluster, service: Service) -> _Workload | None:
    if service.serve.platform == "kserve":
        return _inference_service(cluster, service)
    if service.serve.rollout.strategy == "rolling":
        deployment = cluster.get(*_DEPLOYMENT, service.namespace, service.name)
        if deployment is None:
            return None
        return _Workload(deployment, of_deployment(deployment), block(deployment, "spec", "template"))
    return _rollout(cluster, service)


def _rollout(cluster: Cluster, service: Service) -> _Workload | None:
    """The pods of the newest revision are what its ReplicaSet says: the Deployment may have changed since."""
    reference = workload(service)
    rollout = cluster.get(reference["apiVersion"], reference["kind"], service.namespace, service.name)
    if rollout is None:
        return None
    template = cluster.get(*_DEPLOYMENT, service.namespace, deployment_name(service))
    course = of_rollout(rollout, template)
    replicas = None
    if course.pod_hash:
        replicas = cluster.get(*_REPLICA_SET, service.namespace, f"{service.name}-{course.pod_hash}")
    return _Workload(rollout, course, block(replicas or template, "spec", "template"))


def _inference_service(cluster: Cluster, service: Service) -> _Workload | None:
    found = cluster.get(*_INFERENCE_SERVICE, service.namespace, service.name)
    if found is None:
        return None
    predictor = cluster.get(*_DEPLOYMENT, service.namespace, predictor_name(service))
    pods = block(found, "spec", "predictor")
    as_template = {"metadata": {"labels": block(pods, "labels")}, "spec": pods}
    return _Workload(found, of_inference_service(found, predictor), as_template)


def _image(template: Document) -> str:
    """Of the server: others may have added containers of their own."""
    containers = blocks(template, "spec", "containers")
    servers = [it for it in containers if it.get("name") in (CONTAINER, KSERVE_CONTAINER)]
    return text(servers[0], "image") if servers else ""


def _differences(
    cluster: Cluster, desired: Sequence[Document], live: tuple[LiveField, ...]
) -> tuple[Difference, ...]:
    found: list[Difference] = []
    for document in desired:
        metadata: Mapping[str, str] = document["metadata"]
        api_version, kind = document["apiVersion"], document["kind"]
        group = api_version.rpartition("/")[0]
        pointers = [it.pointer for it in live if (it.group, it.kind) == (group, kind)]
        running = cluster.get(api_version, kind, metadata.get("namespace"), metadata["name"])
        found += differences(document, running, pointers)
    return tuple(found)
