"""The workflow that applies what was merged to the environments that it changes: one job each, as that environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockgate.plan.model import Plan
from lockgate.plan.patience import patience_seconds
from lockgate.targets.github.steps import (
    ENVIRONMENT,
    PIPES,
    check_out,
    log_in,
    only_here,
    prepare_for_cluster,
    pushing,
)

if TYPE_CHECKING:
    from lockgate.spec.model import Delivery
    from lockgate.targets.github.types import Inputs, Job, Step, Workflow

NAME = "Lockgate deploy"

_MARGIN_MINUTES = 15
_ENVIRONMENTS = "needs.plan.outputs.environments"

# After a forced push nobody knows the commit before: then every environment counts as changed.
_CHANGED = """\
git diff --name-only "$BEFORE" HEAD -- manifests > "$CHANGED" || git ls-files -- manifests > "$CHANGED"
echo "environments=/$(cut --delimiter=/ --fields=2 "$CHANGED" | sort --unique | tr '\\n' '/')" >> "$GITHUB_OUTPUT"
"""


def workflow(plan: Plan, delivery: Delivery) -> Workflow:
    """No run waits for another: GitHub drops one that waits where a later one comes, be it of other environments.

    The jobs of one environment wait for each other.
    """
    environments = list(plan.spec.environments)
    return {
        "name": NAME,
        "on": {
            "push": {"branches": [plan.spec.project.branch], "paths": ["manifests/**"]},
            "workflow_dispatch": {"inputs": _asked(environments)},
        },
        "permissions": {},
        "concurrency": {"group": "lockgate-deploy-${{ github.run_id }}", "cancel-in-progress": False},
        "jobs": {
            "plan": _plan(plan),
            **{f"deploy-{name}": _deploy(plan, delivery, name) for name in environments},
        },
    }


def _asked(environments: list[str]) -> Inputs:
    return {
        "environment": {
            "description": "What to deploy as the branch has it now",
            "type": "choice",
            "options": environments,
            "required": True,
        }
    }


def _plan(plan: Plan) -> Job:
    """Who has to approve production is not asked where only staging changes."""
    return {
        "name": "plan",
        "if": only_here(plan.spec.project),
        "permissions": {"contents": "read"},
        "runs-on": plan.spec.ci.runner,
        "timeout-minutes": 5,
        "outputs": {
            "environments": "${{ inputs.environment && format('/{0}/', inputs.environment)"
            " || steps.changed.outputs.environments }}",
        },
        "steps": [
            check_out(),
            {
                "name": "Find the environments that change",
                "id": "changed",
                "env": {"BEFORE": "${{ github.event.before }}", "CHANGED": "${{ runner.temp }}/changed.txt"},
                "run": _CHANGED,
            },
        ],
    }


def _deploy(plan: Plan, delivery: Delivery, environment: str) -> Job:
    seconds = patience_seconds(plan, environment, delivery.timeout_seconds)
    return {
        "name": f"deploy {environment}",
        "needs": ["plan"],
        "if": f"${{{{ contains({_ENVIRONMENTS}, '/{environment}/') }}}}",
        "environment": environment,
        "concurrency": {"group": f"lockgate-deploy-{environment}", "cancel-in-progress": False},
        "permissions": {"contents": "read", "id-token": "write"},
        "runs-on": delivery.runner,
        "timeout-minutes": -(-seconds // 60) + _MARGIN_MINUTES,
        "env": {ENVIRONMENT: environment},
        "steps": [*prepare_for_cluster(plan.spec.project), *log_in(delivery), _applied()],
    }


def _applied() -> Step:
    """A commit that is no longer the newest leaves the environment to the run of the one that is."""
    return {
        "name": "Deploy and wait for the rollouts",
        "id": "deploy",
        "env": pushing(None),
        "shell": PIPES,
        "run": f'lockgate deploy "${ENVIRONMENT}" --newest origin | tee --append "$GITHUB_STEP_SUMMARY"',
    }
