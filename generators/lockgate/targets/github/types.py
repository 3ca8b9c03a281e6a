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
        "shell": NotRequired[Literal["bash"]],
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
        "env": NotRequired[Mapping[str, Value]],
        "strategy": NotRequired[Strategy],
        "outputs": NotRequired[Mapping[str, str]],
        "steps": list[Step],
    },
)


class Choice(TypedDict):
    description: str
    type: Literal["choice"]
    options: list[str]
    required: bool


Inputs: TypeAlias = Mapping[str, Choice]


class Workflow(TypedDict):
    """`on` maps each event to its filters, or to what is asked of who starts it by hand."""

    name: str
    on: Mapping[str, Mapping[str, list[str]] | Mapping[str, Inputs] | list[Mapping[str, str]]]
    permissions: Permissions
    concurrency: Concurrency
    jobs: dict[str, Job]
