"""Steps that several jobs take. A value reaches a script through `env` only."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from lockgate.spec.model import Project
from lockgate.spec.model import Step as UserStep
from lockgate.targets.github.pins import uses

if TYPE_CHECKING:
    from lockgate.targets.github.types import Step

REPORT_ARTIFACT = "lockgate-report"
MODEL_ARTIFACT_PREFIX = "lockgate-model-"

BASE_SHA = "${{ github.event.pull_request.base.sha || github.event.merge_group.base_sha }}"


def prepare(project: Project) -> list[Step]:
    """The project at the commit that is checked, with its whole history, and what it needs installed."""
    return [
        {
            "name": "Check out",
            "id": "checkout",
            "uses": uses("actions/checkout"),
            "with": {"fetch-depth": 0, "persist-credentials": False},
        },
        {
            "name": "Set up Python",
            "id": "python",
            "uses": uses("actions/setup-python"),
            "with": {
                "python-version": project.python,
                "cache": "pip",
                "cache-dependency-path": project.requirements,
            },
        },
        {
            "name": "Install the requirements",
            "id": "requirements",
            "env": {"REQUIREMENTS": project.requirements},
            "run": 'python -m pip install --requirement "$REQUIREMENTS"',
        },
    ]


def user_step(step: UserStep, step_id: str) -> Step:
    """The user's step as it stands in the spec; only its name is kept from being read as an expression."""
    keys = {
        "name": step.name.replace("${{", "${{ '${{' }}"),
        "id": step_id,
        "uses": step.uses,
        "with": dict(step.inputs),
        "env": dict(step.env),
        "run": step.run,
    }
    return cast("Step", {key: value for key, value in keys.items() if value not in (None, {})})
