"""The job that commits a `dvc.lock` which its author did not, as a GitHub App. It runs nothing of the pull request's.

What an App pushes starts the checks again, so the new head has its own. Only a lock that names no model of the
change's inputs is replaced, and never one of this job's own: no two commits of it follow each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockgate.plan.model import Plan
from lockgate.spec.model import App
from lockgate.targets.github.pins import uses
from lockgate.targets.github.steps import MODEL_ARTIFACT_PREFIX, SAME_REPOSITORY, become_app, token

if TYPE_CHECKING:
    from lockgate.targets.github.types import Job, Step

SUBJECT = "Record what CI trained in dvc.lock"
_RESULTS = "${{ runner.temp }}/results"
_PROVED = (
    "!cancelled() && github.event_name == 'pull_request' && needs.prove.result == 'success'"
    " && needs.report.result == 'success'"
)

# `lockgate run` writes the line so. Straight into the index: what the pull request has in its place, a link say, is
# neither followed nor written to, and a model whose pipeline it does not have is none of its own.
_TAKE = """\
for lock in "$RESULTS"/pipelines/*/dvc.lock; do
  model="$(basename "$(dirname "$lock")")"
  if grep -Fqx '  "answer": "not recorded",' "$RESULTS/artifacts/$model/provenance.json" \\
    && git cat-file -e "HEAD:pipelines/$model/dvc.yaml"; then
    blob="$(git hash-object -w --no-filters "$lock")"
    git update-index --add --cacheinfo "100644,$blob,pipelines/$model/dvc.lock"
  fi
done
if git diff --cached --quiet || [ "$(git log -1 --format=%s)" = "$SUBJECT" ]; then new=false; else new=true; fi
echo "new=$new" >> "$GITHUB_OUTPUT"
"""

# gh hands the token over: it stands in no argument and in no file.
# The lease makes the push fail where the branch is no longer at the commit that was proved.
_PUSH = """\
git -c user.name="$BOT" -c user.email="$BOT@users.noreply.github.com" commit --quiet --message="$SUBJECT"
git -c credential.helper= -c credential.helper='!gh auth git-credential' \\
  push --force-with-lease="refs/heads/$BRANCH:$HEAD_SHA" origin "HEAD:refs/heads/$BRANCH"
"""


def commit_lock_job(plan: Plan, app: App) -> Job:
    """Last of all: what its push starts cancels what still runs for the old head."""
    return {
        "name": "commit dvc.lock",
        "needs": ["prove", "report", "comment", "verdict"],
        "if": f"${{{{ {_PROVED} && {SAME_REPOSITORY} }}}}",
        "permissions": {"contents": "read"},
        "runs-on": plan.spec.ci.runner,
        "timeout-minutes": 10,
        "steps": [_check_out(), _results(), _take(), _app_token(app), _push(app)],
    }


def _check_out() -> Step:
    return {
        "name": "Check out the head that was proved",
        "id": "checkout",
        "uses": uses("actions/checkout"),
        "with": {"ref": "${{ github.event.pull_request.head.sha }}", "persist-credentials": False},
    }


def _results() -> Step:
    return {
        "name": "Download the results",
        "id": "results",
        "uses": uses("actions/download-artifact"),
        "with": {"pattern": f"{MODEL_ARTIFACT_PREFIX}*", "path": _RESULTS, "merge-multiple": True},
    }


def _take() -> Step:
    return {
        "name": "Take the locks that nobody has committed",
        "id": "locks",
        "env": {"RESULTS": _RESULTS, "SUBJECT": SUBJECT},
        "run": _TAKE,
    }


def _app_token(app: App) -> Step:
    step = become_app(app, "contents")
    return {"name": step["name"], "id": step["id"], "if": "${{ steps.locks.outputs.new == 'true' }}", **step}


def _push(app: App) -> Step:
    return {
        "name": "Commit and push them",
        "id": "push",
        "if": "${{ steps.locks.outputs.new == 'true' }}",
        "env": {
            **token(app),
            "BOT": "${{ steps.app.outputs.app-slug }}[bot]",
            "SUBJECT": SUBJECT,
            "BRANCH": "${{ github.event.pull_request.head.ref }}",
            "HEAD_SHA": "${{ github.event.pull_request.head.sha }}",
        },
        "run": _PUSH,
    }
