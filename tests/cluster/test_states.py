"""What statuses say, as Argo Rollouts, Deployments and KServe write them."""

from __future__ import annotations

from typing import Any

import pytest

from lockgate.cluster.states import State, of_deployment, of_inference_service, of_rollout

ABORT = "RolloutAborted: Rollout aborted update to revision 2"
STEPS = {"strategy": {"canary": {"steps": [{"setWeight": 20}, {"pause": {}}, {"setWeight": 50}]}}}
COMPLETE = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
LATE = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "too late"}
READY = {"type": "Ready", "status": "True"}


def rollout(**status: Any) -> dict[str, Any]:
    hashes = {"currentPodHash": "new", "stableRS": "old", "observedGeneration": "3"}
    return {"metadata": {"generation": 3}, "spec": STEPS, "status": {**hashes, **status}}


def deployment(**status: Any) -> dict[str, Any]:
    counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), 2)
    found = {"observedGeneration": 3, "conditions": [COMPLETE], **counts, **status}
    return {"metadata": {"generation": 3}, "spec": {"replicas": 2}, "status": found}


def service(**status: Any) -> dict[str, Any]:
    found = {"observedGeneration": 3, "conditions": [READY], **status}
    return {"metadata": {"generation": 3}, "status": found}


@pytest.mark.parametrize(
    ("status", "state", "word"),
    [
        ({"phase": "Healthy"}, State.IN_SYNC, ""),
        ({"phase": "Degraded", "abort": True, "message": ABORT}, State.ABORTED, ABORT),
        ({"phase": "Degraded", "abort": True}, State.ABORTED, "somebody aborted it"),
        ({"phase": "Degraded", "message": "ProgressDeadlineExceeded: x"}, State.DEGRADED, None),
        ({"phase": "Progressing", "currentStepIndex": 0}, State.ROLLING, "progressing at step 1 of 3"),
        (
            {"phase": "Paused", "currentStepIndex": 1, "pauseConditions": [{"reason": "CanaryPauseStep"}]},
            State.ROLLING,
            "paused at step 2 of 3: CanaryPauseStep",
        ),
        (
            {"phase": "Paused", "pauseConditions": [{"reason": "InconclusiveAnalysisRun"}]},
            State.ROLLING,
            "paused: its analysis is inconclusive, and waits for a person",
        ),
        ({}, State.ROLLING, "starting"),
        ({"phase": "Healthy", "observedGeneration": "2"}, State.ROLLING, None),
        ({"phase": "Degraded", "abort": True, "observedGeneration": "2"}, State.ROLLING, None),
        ({"phase": 7, "abort": "yes", "message": ["x"], "pauseConditions": "x"}, State.ROLLING, "starting"),
    ],
)
def test_a_rollout(status: dict[str, Any], state: State, word: str | None) -> None:
    course = of_rollout(rollout(**status), None)
    assert course.state is state
    assert word in (None, course.word)


def test_a_rollout_that_has_not_seen_its_template_yet_is_rolling() -> None:
    aborted = rollout(phase="Degraded", abort=True, workloadObservedGeneration="1")
    assert of_rollout(aborted, {"metadata": {"generation": 2}}).state is State.ROLLING


@pytest.mark.parametrize(
    ("status", "is_of_new"),
    [
        ({}, True),
        ({"stableRS": "new"}, False),
        ({"stableRS": ""}, True),
        ({"conditions": [{"type": "InvalidSpec", "status": "True"}]}, False),
    ],
)
def test_whether_it_is_the_new_version_that_fails(status: dict[str, Any], is_of_new: bool) -> None:
    assert of_rollout(rollout(phase="Degraded", **status), None).is_of_new is is_of_new


@pytest.mark.parametrize(
    ("status", "state", "word"),
    [
        ({}, State.IN_SYNC, ""),
        ({"conditions": [LATE]}, State.DEGRADED, "too late"),
        ({"updatedReplicas": 1}, State.ROLLING, "1 of 2 pods are of the newest revision"),
        ({"replicas": 3}, State.ROLLING, "1 of 3 pods are of an older revision"),
        ({"availableReplicas": 1}, State.IN_SYNC, "1 of 2 pods are available"),
        ({"availableReplicas": 1, "conditions": []}, State.ROLLING, "1 of 2 pods are available"),
        ({"observedGeneration": 2, "conditions": [LATE]}, State.ROLLING, None),
    ],
)
def test_a_deployment(status: dict[str, Any], state: State, word: str | None) -> None:
    course = of_deployment(deployment(**status))
    assert course.state is state
    assert word in (None, course.word)


@pytest.mark.parametrize(
    ("found", "predictor", "state", "is_of_new"),
    [
        (service(), deployment(), State.IN_SYNC, False),
        (service(conditions=[]), deployment(), State.ROLLING, False),
        (service(), deployment(updatedReplicas=1), State.ROLLING, False),
        (service(), deployment(conditions=[LATE]), State.DEGRADED, True),
        (
            service(modelStatus={"transitionStatus": "BlockedByFailedLoad"}),
            deployment(),
            State.DEGRADED,
            True,
        ),
        (service(modelStatus={"transitionStatus": "InvalidSpec"}), deployment(), State.DEGRADED, False),
        (service(), None, State.ROLLING, False),
        (service(observedGeneration=2), deployment(conditions=[LATE]), State.ROLLING, False),
    ],
)
def test_an_inference_service(
    found: dict[str, Any], predictor: dict[str, Any] | None, state: State, is_of_new: bool
) -> None:
    course = of_inference_service(found, predictor)
    assert (course.state, course.is_of_new) == (state, is_of_new)
