"""What a user may lay over a pod's spec, and what is refused: the rest of the pod's safety is not theirs to drop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from lockgate.targets.kubernetes.fields import pod_fields
from lockgate.targets.kubernetes.security import weaknesses
from lockgate.targets.kubernetes.shape import Pointer
from lockgate.tuples import NamedTuple

# Lists replace: laid over, they would drop all that makes the server's container safe.
_CLOSED = ("containers", "ephemeralContainers")


class PodProblem(NamedTuple):
    """`pointer` leads into the pod as the user wrote it; `at_key` is about its last key rather than the value."""

    pointer: Pointer
    rule: Literal["pod-passthrough", "pod-security"]
    message: str
    help: str
    at_key: bool


def pod_problems(pod: Mapping[str, Any]) -> Iterator[PodProblem]:
    """What is wrong with the fields laid over the generated pod."""
    for problem in pod_fields(pod):
        yield PodProblem(
            problem.pointer, "pod-passthrough", problem.message, problem.help, at_key=not problem.known
        )
    for key in _CLOSED:
        if key in pod:
            yield _closed(key)
    for weakness in weaknesses(pod):
        message = f"{weakness.what}: pods are held to the Pod Security Standard 'restricted'"
        yield _refused(weakness.pointer, message)
    if pod.get("automountServiceAccountToken") is True:
        yield _refused(
            ("automountServiceAccountToken",), "the server calls no API of Kubernetes: it gets no token"
        )


def _closed(key: str) -> PodProblem:
    return PodProblem(
        (key,),
        "pod-passthrough",
        f"{key!r} cannot be laid over: a list replaces, and the server's own container would be gone",
        "use a patch of the deployment.yaml that sets what you need under '/spec/template/spec/containers/0'",
        at_key=True,
    )


def _refused(pointer: Pointer, message: str) -> PodProblem:
    return PodProblem(pointer, "pod-security", message, "take it out", at_key=isinstance(pointer[-1], str))
