"""`lockgate status --cluster`: what runs, against what Git says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import Lockgate
from tests.cli.project_tree import edit
from tests.cluster.conftest import image
from tests.cluster.running import ABORTED, NAMESPACE, abort, install, run_deployment, time_out
from tests.cluster.stand_in import CONTEXT, StandIn

LOOK = ("status", "--cluster", "--env", "production")


def looked(lockgate: Lockgate) -> dict[str, Any]:
    done = lockgate(*LOOK, "--format", "json")
    assert (done.code, done.err) == (0, "")
    return {it["model"]: it["cluster"] for it in json.loads(done.out)["services"]}


def change(cluster: StandIn, kind: str, name: str, *path: str | int, value: object) -> None:
    """By hand, as `kubectl edit` would."""
    found: Any = cluster.find(kind, name, NAMESPACE)
    place = found
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    cluster.put(found)


def test_what_runs_as_the_manifests_say_is_in_sync(live: Path, cluster: StandIn, lockgate: Lockgate) -> None:
    install(cluster, live)
    assert lockgate(*LOOK).out == (
        "Environment  Model  Pinned  Newest  State   In the cluster  More\n"
        "production   iris   1.0.1   1.0.1   newest  in sync         -\n"
        "production   wine   1.0.1   1.0.1   newest  in sync         -\n"
    )


def test_json_says_what_runs(live: Path, cluster: StandIn, lockgate: Lockgate) -> None:
    install(cluster, live)
    assert looked(lockgate)["iris"] == {
        "state": "in sync",
        "message": "",
        "object": "Rollout/iris",
        "image": image("iris", "1.0.1"),
        "version": "1.0.1",
        "revision": "7",
        "differences": [],
    }


def test_a_failed_rollout_is_told_in_its_own_words(live: Path, cluster: StandIn, lockgate: Lockgate) -> None:
    install(cluster, live)
    abort(cluster)
    time_out(cluster)
    found = looked(lockgate)
    assert (found["iris"]["state"], found["iris"]["message"]) == ("aborted", ABORTED)
    assert found["wine"]["state"] == "degraded"


def test_a_field_that_was_changed_by_hand_is_named(live: Path, cluster: StandIn, lockgate: Lockgate) -> None:
    install(cluster, live)
    change(cluster, "HorizontalPodAutoscaler", "wine", "spec", "maxReplicas", value=50)
    found = looked(lockgate)["wine"]
    assert found["state"] == "drifted"
    assert found["differences"] == [
        {"object": "HorizontalPodAutoscaler/wine", "pointer": "/spec/maxReplicas"}
    ]


def test_an_object_that_is_gone_is_drift(live: Path, cluster: StandIn, lockgate: Lockgate) -> None:
    install(cluster, live)
    gone = cluster.find("NetworkPolicy", "wine", NAMESPACE)
    assert gone is not None
    cluster.remove(gone)
    assert looked(lockgate)["wine"]["message"] == "NetworkPolicy/wine is not there"


def test_what_a_rollout_sets_is_no_drift(live: Path, cluster: StandIn, lockgate: Lockgate) -> None:
    install(cluster, live)
    change(
        cluster,
        "Service",
        "iris-canary",
        "spec",
        "selector",
        "rollouts-pod-template-hash",
        value="6d4cf56db6",
    )
    assert looked(lockgate)["iris"]["state"] == "in sync"


def test_another_version_than_the_pinned_one_is_named(
    live: Path, cluster: StandIn, lockgate: Lockgate
) -> None:
    install(cluster, live)
    assert lockgate("rollback", "wine", "production").code == 0
    assert lockgate(*LOOK).out.splitlines()[-1] == (
        "production   wine   1.0.0   1.0.1   behind  drifted         1.0.1 runs"
    )


def test_a_cluster_without_the_service_says_absent(live: Path, cluster: StandIn, lockgate: Lockgate) -> None:
    found = looked(lockgate)
    assert {it["state"] for it in found.values()} == {"absent"}


def test_a_service_on_kserve_is_read_by_its_own_object(
    live: Path, cluster: StandIn, lockgate: Lockgate
) -> None:
    edit(live, "serve: {rollout: rolling}", "serve: {platform: kserve, rollout: rolling}")
    assert lockgate("render").code == 0
    install(cluster, live)
    service = cluster.find("InferenceService", "wine", NAMESPACE)
    assert service is not None
    service["status"] = {"observedGeneration": 3, "conditions": [{"type": "Ready", "status": "True"}]}
    cluster.put(service)
    metadata = {"name": "wine-predictor", "namespace": NAMESPACE, "generation": 3}
    made = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"replicas": 2}}
    run_deployment(cluster, made)
    found = looked(lockgate)["wine"]
    assert (found["object"], found["state"]) == ("InferenceService/wine", "in sync")
    assert (found["image"], found["version"]) == (image("wine", "1.0.1"), "1.0.1")


def test_a_controller_that_has_not_looked_yet_is_rolling(
    live: Path, cluster: StandIn, lockgate: Lockgate
) -> None:
    install(cluster, live)
    abort(cluster)
    change(cluster, "Rollout", "iris", "metadata", "generation", value=4)
    assert looked(lockgate)["iris"]["state"] == "rolling"


def test_a_cell_of_markdown_holds_nothing_but_text(live: Path, cluster: StandIn, lockgate: Lockgate) -> None:
    install(cluster, live)
    abort(cluster, message="RolloutAborted: | <b>\x1b[31m `x`")
    row = lockgate(*LOOK, "--format", "md").out.splitlines()[2]
    assert row.endswith("| aborted | RolloutAborted: \\| \\<b\\> \\[31m \\`x\\` |")


def test_without_cluster_none_is_asked(live: Path, cluster: StandIn, lockgate: Lockgate) -> None:
    told = json.loads(lockgate("status", "--format", "json").out)["services"]
    assert ["cluster" in it for it in told] == [False] * 4
    assert cluster.requests == []


def test_a_context_can_be_named(live: Path, cluster: StandIn, lockgate: Lockgate) -> None:
    install(cluster, live)
    assert lockgate(*LOOK, "--context", CONTEXT).code == 0
    done = lockgate(*LOOK, "--context", "nowhere")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: cannot use the kubeconfig: ")


def test_a_cluster_that_refuses_is_no_state(live: Path, cluster: StandIn, lockgate: Lockgate) -> None:
    cluster.refused["GET .*/rollouts/"] = 403
    done = lockgate(*LOOK)
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "error: the cluster refused (403): refused: "
        "GET /apis/argoproj.io/v1alpha1/namespaces/ml/rollouts/iris\n"
        "  = help: ask for this right, or name another context with --context\n"
    )
