"""The workflow that posts the report of a pull request from a fork, whose own run has no token that may post."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockgate.plan.model import Plan
from lockgate.targets.github import pull_request
from lockgate.targets.github.comment import post_steps
from lockgate.targets.github.pins import uses
from lockgate.targets.github.steps import API, GH_TOKENS, REPORT_ARTIFACT

if TYPE_CHECKING:
    from lockgate.targets.github.types import Job, Step, Workflow

_RUN = "github.event.workflow_run"
_FROM_A_FORK = (
    f"${{{{ {_RUN}.event == 'pull_request' && {_RUN}.conclusion != 'cancelled'"
    f" && {_RUN}.head_repository.full_name != github.repository }}}}"
)
_NUMBER = "${{ needs.find.outputs.number }}"
_TO_POST = "${{ needs.find.outputs.number != '' && needs.find.outputs.reports != '0' }}"

# Of a fork's branch GitHub names no pull request in the event; one whose head has moved on is not the one.
_FIND = """\
number="$(gh api --method GET "$PULLS" -f state=open -f head="$HEAD" --jq "$FILTER")"
reports="$(gh api --method GET "$ARTIFACTS" -f name="$NAME" --jq .total_count)"
printf 'number=%s\\nreports=%s\\n' "$number" "$reports" >> "$GITHUB_OUTPUT"
"""
_FILTER = 'map(select(.head.sha == env.HEAD_SHA)) | first | .number // ""'

# GitHub looks for mentions after it has read Markdown, character references included: U+200B behind each @ ends them.
_TAME = """\
sed -E 's/&(#0*64|#[xX]0*40|commat);/@/g; s/@/@\\&#8203;/g' report/report.md | head --bytes=60000 > report/tamed.md
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
        "jobs": {"find": _find(plan), "comment": _comment(plan)},
    }


def _find(plan: Plan) -> Job:
    return {
        "name": "find the pull request",
        "if": _FROM_A_FORK,
        "permissions": {"actions": "read", "pull-requests": "read"},
        "runs-on": plan.spec.ci.runner,
        "timeout-minutes": 5,
        "outputs": {
            "number": "${{ steps.find.outputs.number }}",
            "reports": "${{ steps.find.outputs.reports }}",
        },
        "steps": [_find_step()],
    }


def _find_step() -> Step:
    return {
        "name": "Find the pull request and its report",
        "id": "find",
        "env": {
            **GH_TOKENS,
            "PULLS": f"{API}/pulls",
            "ARTIFACTS": f"{API}/actions/runs/${{{{ {_RUN}.id }}}}/artifacts",
            "NAME": REPORT_ARTIFACT,
            "HEAD": f"${{{{ {_RUN}.head_repository.owner.login }}}}:${{{{ {_RUN}.head_branch }}}}",
            "HEAD_SHA": f"${{{{ {_RUN}.head_sha }}}}",
            "FILTER": _FILTER,
        },
        "run": _FIND,
    }


def _comment(plan: Plan) -> Job:
    return {
        "name": "comment on the pull request",
        "needs": ["find"],
        "if": _TO_POST,
        "permissions": {"actions": "read", "pull-requests": "write"},
        "runs-on": plan.spec.ci.runner,
        "timeout-minutes": 10,
        "steps": [_download(), _tame(), *post_steps(_NUMBER)],
    }


def _download() -> Step:
    return {
        "name": "Download the report",
        "id": "report",
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
