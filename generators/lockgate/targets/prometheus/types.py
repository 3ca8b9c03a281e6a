"""The part of a PrometheusRule that is written; a rule records a series or is an alert."""

from __future__ import annotations

from typing import NotRequired, TypeAlias, TypedDict

Texts: TypeAlias = dict[str, str]


class RecordingRule(TypedDict):
    record: str
    expr: str
    labels: Texts


# "for" is no name that a class can give to a key.
AlertRule = TypedDict(
    "AlertRule",
    {"alert": str, "expr": str, "for": NotRequired[str], "labels": Texts, "annotations": Texts},
)


class Group(TypedDict):
    name: str
    rules: list[RecordingRule | AlertRule]


class Metadata(TypedDict):
    name: str
    namespace: str
    labels: Texts


class PrometheusRule(TypedDict):
    apiVersion: str
    kind: str
    metadata: Metadata
    spec: dict[str, list[Group]]
