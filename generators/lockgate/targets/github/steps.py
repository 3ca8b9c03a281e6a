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

SAME_REPOSITORY = "github.event.pull_request.head.repo.full_name == github.repository"
"""Whether the pull request is of this repository's branch, not of a fork."""

BASE_SHA = "${{ github.event.pull_request.base.sha || github.event.merge_group.base_sha }}"


# Where the requirements pin Lockgate, its version without its extras, and of the rest the versions alone. Where that
# cannot be had so, everything: pip wants the hashes of a file all installed, and takes no folder for a version.
_INSTALL_LIGHT = """\
light="$REQUIREMENTS.light"
sed -E 's/^([A-Za-z0-9._-]+) *\\[[^]]*\\]/\\1/' "$REQUIREMENTS" > "$light"
if grep -q -e --hash= "$light" || ! grep -Eq '^lockgate *==' "$light" \\
  || ! python -m pip install lockgate --constraint "$light"; then
  python -m pip install --requirement "$REQUIREMENTS"
fi
rm "$light"
"""


def prepare(project: Project) -> list[Step]:
    """The project at the commit that is checked, with its whole history, and what it needs installed."""
    return [
        _check_out(),
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


def prepare_light(project: Project) -> list[Step]:
    """The same with Lockgate alone installed, for what reads and writes but runs no pipeline."""
    return [
        _check_out(),
        {
            "name": "Set up Python",
            "id": "python",
            "uses": uses("actions/setup-python"),
            # No cache: there is one by these requirements, and it is of all that they install.
            "with": {"python-version": project.python},
        },
        {
            "name": "Install Lockgate",
            "id": "lockgate",
            "env": {"REQUIREMENTS": project.requirements},
            "run": _INSTALL_LIGHT,
        },
    ]


def _check_out() -> Step:
    return {
        "name": "Check out",
        "id": "checkout",
        "uses": uses("actions/checkout"),
        "with": {"fetch-depth": 0, "persist-credentials": False},
    }


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
