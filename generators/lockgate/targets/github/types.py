"""The part of a GitHub Actions workflow that is generated, as GitHub's own schema has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NotRequired, TypeAlias, TypedDict

Value: TypeAlias = str | int | float | bool

Permissions = TypedDict(
    "Permissions",
    {
        "actions": NotRequired[Literal["read"]],
        "attestations": NotRequired[Literal["write"]],
        "contents": NotRequired[Literal["read", "write"]],
        "id-token": NotRequired[Literal["write"]],
        "packages": NotRequired[Literal["write"]],
        "pull-requests": NotRequired[Literal["read", "write"]],
    },
)

Strategy = TypedDict(
    "Strategy", {"fail-fast": bool, "max-parallel": NotRequired[int], "matrix": Mapping[str, str]}
)

Concurrency = TypedDict("Concurrency", {"group": str, "cancel-in-progress": bool})

Step = TypedDict(
    "Step",
    {
        "name": str,
        "id": str,
        "if": NotRequired[str],
        "continue-on-error": NotRequired[bool],
        "uses": NotRequired[str],
        "with": NotRequired[Mapping[str, Value]],
        "working-directory": NotRequired[str],
        "env": NotRequired[Mapping[str, Value]],
        "run": NotRequired[str],
    },
)

Job = TypedDict(
    "Job",
    {
        "name": str,
        "needs": NotRequired[list[str]],
        "if": NotRequired[str],
        "environment": NotRequired[str],
        "concurrency": NotRequired[Concurrency],
        "permissions": Permissions,
        "runs-on": str,
        "timeout-minutes": int | str,
        "strategy": NotRequired[Strategy],
        "outputs": NotRequired[Mapping[str, str]],
        "steps": list[Step],
    },
)


class Workflow(TypedDict):
    """`on` maps each event to its filters."""

    name: str
    on: Mapping[str, Mapping[str, list[str]] | list[Mapping[str, str]]]
    permissions: Permissions
    concurrency: Concurrency
    jobs: dict[str, Job]
