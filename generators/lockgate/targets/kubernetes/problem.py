"""What is wrong with a Kubernetes object, before anybody knows where in the spec it comes from."""

from __future__ import annotations

from typing import Literal, TypeAlias

from lockgate.targets.kubernetes.shape import Pointer
from lockgate.tuples import NamedTuple

Rule: TypeAlias = Literal[
    "k8s-container",
    "k8s-field",
    "k8s-image-digest",
    "k8s-label",
    "k8s-name",
    "k8s-object",
    "k8s-port",
    "k8s-probe",
    "k8s-quantity",
    "k8s-reference",
    "k8s-replicas",
    "k8s-resources",
    "k8s-restricted",
    "k8s-selector",
    "k8s-strategy",
    "k8s-volume-mount",
]


class Problem(NamedTuple):
    """`pointer` leads to what is wrong, from the root of what was checked."""

    rule: Rule
    pointer: Pointer
    message: str
    help: str = ""


def under(prefix: Pointer, problem: Problem) -> Problem:
    """The problem, seen from further out."""
    return problem._replace(pointer=(*prefix, *problem.pointer))
