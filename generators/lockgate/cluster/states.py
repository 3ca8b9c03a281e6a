"""What the status of a workload says: how far a rollout is, and whether it has failed. Pure, over plain objects."""

from __future__ import annotations

from enum import StrEnum

from lockgate.cluster.reading import Document, block, blocks, text, whole
from lockgate.tuples import NamedTuple

_ROLLOUT_REVISION = "rollout.argoproj.io/revision"
_DEPLOYMENT_REVISION = "deployment.kubernetes.io/revision"
_UNSEEN = "the controller has not looked at the newest change yet"


class State(StrEnum):
    """What runs of a service, against what its manifests say."""

    IN_SYNC = "in sync"
    ROLLING = "rolling"
    DRIFTED = "drifted"
    ABORTED = "aborted"
    DEGRADED = "degraded"
    ABSENT = "absent"


FAILED = frozenset({State.ABORTED, State.DEGRADED})


class Course(NamedTuple):
    """How a rollout goes. `is_of_new` is whether it is the newest revision that fails, and not the cluster under it.

    `revision` and `pod_hash` name that revision; the hash is empty where its controller tells none.
    """

    state: State
    word: str
    revision: str = ""
    pod_hash: str = ""
    is_of_new: bool = False


def of_rollout(rollout: Document, template: Document | None) -> Course:
    """An Argo Rollout; `template` is the Deployment whose pod template it runs."""
    pod_hash, stable = text(rollout, "status", "currentPodHash"), text(rollout, "status", "stableRS")
    state, word = _phase(rollout)
    if not _is_observed(rollout) or not _is_template_observed(rollout, template):
        state, word = State.ROLLING, _UNSEEN
    is_refused = _condition(rollout, "InvalidSpec").get("status") == "True"
    return Course(
        state=state,
        word=word,
        revision=text(rollout, "metadata", "annotations", _ROLLOUT_REVISION),
        pod_hash=pod_hash,
        is_of_new=bool(pod_hash) and pod_hash != stable and not is_refused,
    )


def of_deployment(deployment: Document) -> Course:
    """A Deployment that runs its pods itself."""
    state, word = _progress(deployment)
    return Course(
        state=state,
        word=word,
        revision=text(deployment, "metadata", "annotations", _DEPLOYMENT_REVISION),
        is_of_new=state is State.DEGRADED,
    )


def of_inference_service(service: Document, predictor: Document | None) -> Course:
    """An InferenceService of KServe; `predictor` is the Deployment that KServe makes of it."""
    below = (
        of_deployment(predictor) if predictor is not None else Course(State.ROLLING, "there are no pods yet")
    )
    transition = text(service, "status", "modelStatus", "transitionStatus")
    ready = _condition(service, "Ready")
    if not _is_observed(service):
        return below._replace(state=State.ROLLING, word=_UNSEEN, is_of_new=False)
    if transition in ("BlockedByFailedLoad", "InvalidSpec"):
        why = text(service, "status", "modelStatus", "lastFailureInfo", "message") or transition
        return below._replace(state=State.DEGRADED, word=why, is_of_new=transition != "InvalidSpec")
    if below.state is not State.IN_SYNC or ready.get("status") == "True":
        return below
    return below._replace(state=State.ROLLING, word=text(ready, "message") or "not ready yet")


def _phase(rollout: Document) -> tuple[State, str]:
    phase, message = text(rollout, "status", "phase"), text(rollout, "status", "message")
    if block(rollout, "status").get("abort") is True or message.startswith("RolloutAborted"):
        return State.ABORTED, message or "somebody aborted it"
    if phase == "Healthy":
        return State.IN_SYNC, ""
    if phase == "Degraded":
        return State.DEGRADED, message or text(_condition(rollout, "Progressing"), "message")
    if phase == "Paused":
        return State.ROLLING, f"paused{_step(rollout)}: {_pause(rollout) or message or 'no reason is given'}"
    return State.ROLLING, f"{phase.lower() or 'starting'}{_step(rollout)}" + (
        f": {message}" if message else ""
    )


def _step(rollout: Document) -> str:
    steps = blocks(rollout, "spec", "strategy", "canary", "steps")
    at = whole(rollout, "status", "currentStepIndex")
    return f" at step {min(at + 1, len(steps))} of {len(steps)}" if steps and at is not None else ""


def _pause(rollout: Document) -> str:
    reasons = [text(it, "reason") for it in blocks(rollout, "status", "pauseConditions")]
    if "InconclusiveAnalysisRun" in reasons:
        return "its analysis is inconclusive, and waits for a person"
    return ", ".join(it for it in reasons if it)


def _progress(deployment: Document) -> tuple[State, str]:
    progressing = _condition(deployment, "Progressing")
    if not _is_observed(deployment):
        return State.ROLLING, _UNSEEN
    if progressing.get("status") == "False" and progressing.get("reason") == "ProgressDeadlineExceeded":
        return State.DEGRADED, text(progressing, "message") or "it made no progress within its deadline"
    wanted = whole(deployment, "spec", "replicas")
    wanted = 1 if wanted is None else wanted
    counts = {it: whole(deployment, "status", f"{it}Replicas") or 0 for it in ("updated", "available")}
    existing = whole(deployment, "status", "replicas") or 0
    if counts["updated"] < wanted:
        return State.ROLLING, f"{counts['updated']} of {wanted} pods are of the newest revision"
    if existing > counts["updated"]:
        return State.ROLLING, f"{existing - counts['updated']} of {existing} pods are of an older revision"
    if counts["available"] >= wanted:
        return State.IN_SYNC, ""
    word = f"{counts['available']} of {wanted} pods are available"
    # What was available once and is no longer has not failed to roll out.
    is_complete = progressing.get("reason") == "NewReplicaSetAvailable"
    return (State.IN_SYNC if is_complete else State.ROLLING), word


def _is_observed(workload: Document) -> bool:
    """Whether the status is of the newest change: Argo Rollouts writes the generation as text."""
    generation = whole(workload, "metadata", "generation")
    observed = whole(workload, "status", "observedGeneration")
    return generation is None or (observed is not None and observed >= generation)


def _is_template_observed(rollout: Document, template: Document | None) -> bool:
    generation = whole(template, "metadata", "generation")
    observed = whole(rollout, "status", "workloadObservedGeneration")
    return generation is None or observed is None or observed >= generation


def _condition(workload: Document, kind: str) -> Document:
    return next((it for it in blocks(workload, "status", "conditions") if it.get("type") == kind), {})
