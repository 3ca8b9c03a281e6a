"""The workflow that posts the report of a pull request from a fork, whose own run has no token that may post."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockgate.targets.github import pull_request
from lockgate.targets.github.comment import post_steps
from lockgate.targets.github.pins import uses
from lockgate.targets.github.steps import REPORT_ARTIFACT

if TYPE_CHECKING:
    from lockgate.plan.model import Plan
    from lockgate.targets.github.types import Job, Step, Workflow

_RUN = "github.event.workflow_run"
_FROM_A_FORK = (
    f"${{{{ {_RUN}.event == 'pull_request' && {_RUN}.conclusion != 'cancelled'"
    f" && {_RUN}.head_repository.full_name != github.repository }}}}"
)
_FOUND = "${{ steps.pull_request.outputs.number }}"

# Of a fork's branch GitHub names no pull request in the event; one whose head has moved on is not the one.
_FIND = """\
number="$(gh api --method GET "repos/$REPOSITORY/pulls" -f state=open -f head="$HEAD" --jq "$FILTER")"
echo "number=$number" >> "$GITHUB_OUTPUT"
"""
_FILTER = 'map(select(.head.sha == env.HEAD_SHA)) | first | .number // ""'

# U+200B behind each @ keeps it from notifying anybody; a character reference alone would not.
_TAME = """\
sed 's/@/@\\&#8203;/g' report/report.md | head --bytes=60000 > report/tamed.md
mv report/tamed.md report/report.md
"""


def workflow(plan: Plan) -> Workflow:
    """What runs when the pull-request workflow is done. It reads that run's report as text and nothing else."""
    return {
        "name": "Lockgate fork report",
        "on": {"workflow_run": {"workflows": [pull_request.NAME], "types": ["completed"]}},
        "permissions": {},
        "concurrency": {
            "group": f"lockgate-fork-report-${{{{ {_RUN}.head_repository.id }}}}-${{{{ {_RUN}.head_branch }}}}",
            "cancel-in-progress": True,
        },
        "jobs": {"comment": _comment(plan)},
    }


def _comment(plan: Plan) -> Job:
    return {
        "name": "comment on a fork's pull request",
        "if": _FROM_A_FORK,
        "permissions": {"actions": "read", "pull-requests": "write"},
        "runs-on": plan.spec.ci.runner,
        "timeout-minutes": 10,
        "steps": [_find_pull_request(), *map(_if_found, [_download(), _tame(), *post_steps(_FOUND)])],
    }


def _find_pull_request() -> Step:
    return {
        "name": "Find the pull request",
        "id": "pull_request",
        "env": {
            "GH_TOKEN": "${{ github.token }}",
            "REPOSITORY": "${{ github.repository }}",
            "HEAD": f"${{{{ {_RUN}.head_repository.owner.login }}}}:${{{{ {_RUN}.head_branch }}}}",
            "HEAD_SHA": f"${{{{ {_RUN}.head_sha }}}}",
            "FILTER": _FILTER,
        },
        "run": _FIND,
    }


def _download() -> Step:
    return {
        "name": "Download the report",
        "id": "report",
        "continue-on-error": True,
        "uses": uses("actions/download-artifact"),
        "with": {
            "name": REPORT_ARTIFACT,
            "path": "report",
            "run-id": f"${{{{ {_RUN}.id }}}}",
            "github-token": "${{ github.token }}",
        },
    }


def _tame() -> Step:
    return {"name": "Cap its size and neutralise mentions", "id": "tame", "run": _TAME}
