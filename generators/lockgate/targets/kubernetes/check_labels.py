"""Checks of names, labels and label selectors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lockgate.spec.validate import quote
from lockgate.targets.kubernetes.problem import Problem
from lockgate.targets.kubernetes.shape import Pointer, as_map

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")
_KEY = re.compile(
    r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?",
)


def check_name(name: object, what: str) -> Iterator[Problem]:
    """A name that Kubernetes takes for every kind of object that is written here."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield Problem(
            rule="k8s-name",
            pointer=("name",),
            message=f"{what} is {quote(name)}",
            help="take lower-case letters, digits and dashes, at most 63, with a letter or digit at both ends",
        )


def check_labels(labels: object, pointer: Pointer) -> Iterator[Problem]:
    if labels is not None and not isinstance(labels, Mapping):
        yield Problem(
            rule="k8s-label", pointer=pointer, message=f"labels are {quote(labels)}, expected a map"
        )
    for key, value in as_map(labels).items():
        if not _KEY.fullmatch(key):
            yield Problem(
                rule="k8s-label", pointer=(*pointer, key), message=f"{quote(key)} is no label's key"
            )
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            yield Problem(
                rule="k8s-label",
                pointer=(*pointer, key),
                message=f"the label {quote(key)} is {quote(value)}",
                help="take a text of at most 63 letters, digits, '-', '_' and '.', a letter or digit at both ends",
            )


def is_within(labels: object, others: object) -> bool:
    """Whether a selector of those labels selects what has the others."""
    have = as_map(others)
    return all(key in have and have[key] == value for key, value in as_map(labels).items())
