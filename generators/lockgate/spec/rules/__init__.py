"""What the schema cannot say. Each rule takes the document, with and without defaults, and yields findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lockgate.diagnostics import Finding
from lockgate.spec.rules import data, deployments, gates, planned, promotion, secrets, serving, stages, steps

_RULES = (
    planned.check,
    secrets.check,
    data.check,
    gates.check,
    stages.check,
    serving.check,
    deployments.check,
    promotion.check,
    steps.check,
)


def check(filled: Mapping[str, Any], written: Mapping[str, Any]) -> Iterator[Finding]:
    """All findings about a document that the schema accepts."""
    for rule in _RULES:
        yield from rule(filled, written)
