"""What a cluster has of a team's manifests: as it should be, or with a rollout that failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.cluster.stand_in import StandIn

from lockgate.cluster.manifests import read_objects

REVISION = "rollout.argoproj.io/revision"
NAMESPACE = "ml"
NEW_HASH, OLD_HASH = "6d4cf56db6", "5b8f7c9d4c"
DEADLINE = 'ReplicaSet "wine-7c9" has timed out progressing.'
ABORTED = 'RolloutAborted: Rollout aborted update to revision 7: Metric "availability" assessed Failed'


def install(cluster: StandIn, root: Path, environment: str = "production") -> None:
    """All that the environment's manifests say, with the status of what runs well."""
    for document in read_objects(root, environment):
        cluster.put({**document, "metadata": {**document["metadata"], "generation": 3}, "status": {}})
    for it in cluster.objects():
        if it["kind"] == "Rollout":
            _run_rollout(cluster, it)
        elif it["kind"] == "Deployment":
            run_deployment(cluster, it)


def abort(cluster: StandIn, model: str = "iris", revision: str = "7", message: str = ABORTED) -> None:
    """The rollout has gone back to the pods before, and the Deployment still says the new ones."""
    rollout = _rollout(cluster, model)
    rollout["metadata"]["annotations"] = {REVISION: revision}
    rollout["status"] |= {"abort": True, "phase": "Degraded", "message": message, "stableRS": OLD_HASH}
    cluster.put(rollout)


def measure(cluster: StandIn, model: str = "iris", metric: str = "availability", **fields: Any) -> None:
    """An analysis run of the newest pods in which the metric failed."""
    values = [{"phase": "Failed", "value": f"[0.{number}]"} for number in (99, 98, 97, 96, 95, 94)]
    result = {
        "name": metric,
        "phase": "Failed",
        "message": "failed (1) > failureLimit (0)",
        "measurements": values,
    }
    cluster.put(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AnalysisRun",
            "metadata": {
                "name": f"{model}-{NEW_HASH}-7",
                "namespace": NAMESPACE,
                "labels": {"rollouts-pod-template-hash": NEW_HASH},
                "annotations": {REVISION: "7"},
                "ownerReferences": [{"kind": "Rollout", "name": model}],
            },
            "status": {"phase": "Failed", "metricResults": [{**result, **fields}]},
        }
    )


def warn(cluster: StandIn, kind: str, model: str, message: str, number: int = 1) -> None:
    cluster.put(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{model}.{number}", "namespace": NAMESPACE},
            "involvedObject": {"kind": kind, "name": model, "namespace": NAMESPACE},
            "type": "Warning",
            "reason": "RolloutAborted",
            "message": message,
            "count": 2,
            "lastTimestamp": f"2026-11-03T02:00:{number:02}Z",
        }
    )


def time_out(cluster: StandIn, model: str = "wine", revision: str = "4") -> None:
    """A Deployment's new pods never became ready."""
    deployment = cluster.find("Deployment", model, NAMESPACE)
    assert deployment is not None
    condition = {
        "type": "Progressing",
        "status": "False",
        "reason": "ProgressDeadlineExceeded",
        "message": DEADLINE,
    }
    deployment["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": revision}
    deployment["status"] |= {"conditions": [condition], "updatedReplicas": 1, "availableReplicas": 0}
    cluster.put(deployment)


def run_deployment(cluster: StandIn, deployment: dict[str, Any]) -> None:
    count = deployment["spec"].get("replicas", 1)
    counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), count)
    complete = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
    deployment["status"] = {"observedGeneration": 3, **counts, "conditions": [complete]}
    cluster.put(deployment)


def _run_rollout(cluster: StandIn, rollout: dict[str, Any]) -> None:
    name = rollout["metadata"]["name"]
    rollout["metadata"]["annotations"] = {REVISION: "7"}
    rollout["status"] = {
        "phase": "Healthy",
        "observedGeneration": "3",
        "workloadObservedGeneration": "3",
        "currentPodHash": NEW_HASH,
        "stableRS": NEW_HASH,
    }
    cluster.put(rollout)
    template = cluster.find("Deployment", f"{name}-template", NAMESPACE)
    assert template is not None
    cluster.put(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": f"{name}-{NEW_HASH}", "namespace": NAMESPACE},
            "spec": {"template": template["spec"]["template"]},
        }
    )


def _rollout(cluster: StandIn, model: str) -> dict[str, Any]:
    found = cluster.find("Rollout", model, NAMESPACE)
    assert found is not None
    return found
