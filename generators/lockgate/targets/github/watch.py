"""The workflow that looks at what runs, and opens the pull request that rolls back what failed.

Two jobs an environment: who reaches the cluster may write nothing, and who may write reaches no cluster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockgate.plan.model import Plan
from lockgate.targets.github import deploy
from lockgate.targets.github.pins import uses
from lockgate.targets.github.steps import (
    ENVIRONMENT,
    INCIDENTS_ARTIFACT_PREFIX,
    PIPES,
    become_app,
    log_in,
    newest,
    only_here,
    prepare_for_cluster,
    prepare_light,
    pushing,
)

if TYPE_CHECKING:
    from lockgate.spec.model import Delivery
    from lockgate.targets.github.types import Job, Permissions, Step, Workflow

# Off the full hour, where GitHub has the most to start and leaves some of it out.
_EVERY_TEN_MINUTES = "3-59/10 * * * *"
_FILE = "incidents.json"

# A rollout that failed is what this job is here to find, and no failure of its own: what it cannot tell is one.
_LOOK = f"""\
lockgate watch "${ENVIRONMENT}" --format json > {_FILE} || code="$?"
jq --raw-output '"incidents=\\(.incidents | length)"' {_FILE} >> "$GITHUB_OUTPUT"
jq --exit-status '.incidents != [] and .unclear == []' {_FILE} || exit "${{code:-0}}"
"""


def workflow(plan: Plan, delivery: Delivery) -> Workflow:
    """By the clock, after each deployment where CI deploys, and by hand."""
    branch = plan.spec.project.branch
    after = {"workflows": [deploy.NAME], "types": ["completed"], "branches": [branch]}
    return {
        "name": "Lockgate watch",
        "on": {
            "schedule": [{"cron": _EVERY_TEN_MINUTES}],
            **({"workflow_run": after} if delivery.mode == "push" else {}),
            "workflow_dispatch": {},
        },
        "permissions": {},
        "concurrency": {"group": "lockgate-watch", "cancel-in-progress": False},
        "jobs": {
            name: job
            for environment in dict.fromkeys(service.environment for service in plan.services)
            for name, job in (
                (f"look-{environment}", _look(plan, delivery, environment)),
                (f"roll-back-{environment}", _roll_back(plan, environment)),
            )
        },
    }


def _look(plan: Plan, delivery: Delivery, environment: str) -> Job:
    """Not as the environment: that would wait for its reviewers each time."""
    return {
        "name": f"look at {environment}",
        "if": only_here(plan.spec.project),
        "permissions": {"contents": "read", "id-token": "write"},
        "runs-on": delivery.runner,
        "timeout-minutes": 15,
        "env": {ENVIRONMENT: environment},
        "outputs": {"incidents": "${{ steps.look.outputs.incidents }}"},
        "steps": [
            *prepare_for_cluster(plan.spec.project),
            *log_in(delivery),
            {"name": "Look at what runs", "id": "look", "run": _LOOK},
            _keep(environment),
        ],
    }


def _keep(environment: str) -> Step:
    return {
        "name": "Keep what was found",
        "id": "keep",
        "if": "${{ !cancelled() }}",
        "uses": uses("actions/upload-artifact"),
        "with": {"name": f"{INCIDENTS_ARTIFACT_PREFIX}{environment}", "path": _FILE, "overwrite": True},
    }


def _roll_back(plan: Plan, environment: str) -> Job:
    app = plan.spec.ci.app
    look = f"needs.look-{environment}.outputs.incidents"
    permissions: Permissions = (
        {"contents": "read"} if app else {"contents": "write", "pull-requests": "write"}
    )
    return {
        "name": f"roll back {environment}",
        "needs": [f"look-{environment}"],
        "if": f"${{{{ !cancelled() && {look} != '' && {look} != '0' }}}}",
        "permissions": permissions,
        "runs-on": plan.spec.ci.runner,
        "timeout-minutes": 15,
        "steps": [
            *newest(prepare_light(plan.spec.project), plan.spec.project.branch),
            {
                "name": "Download what was found",
                "id": "incidents",
                "uses": uses("actions/download-artifact"),
                "with": {
                    "name": f"{INCIDENTS_ARTIFACT_PREFIX}{environment}",
                    "path": "${{ runner.temp }}",
                },
            },
            *([become_app(app, "contents", "pull-requests")] if app else []),
            {
                "name": "Open what rolls back",
                "id": "open",
                "env": {**pushing(app), "INCIDENTS": f"${{{{ runner.temp }}}}/{_FILE}"},
                "shell": PIPES,
                "run": 'lockgate watch --incidents "$INCIDENTS" --open-pr | tee --append "$GITHUB_STEP_SUMMARY"',
            },
        ],
    }
