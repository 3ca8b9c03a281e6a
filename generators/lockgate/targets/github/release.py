"""The workflow after a merge: what is new is recorded and tagged, gets its image, and its promotions are opened.

Each job has what it needs and no more: where the user's code and steps run, nothing may be written; what writes to the
branch runs nothing of the project's. Every job can run again after any failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockgate.plan.model import Plan
from lockgate.targets.github.image import image_job
from lockgate.targets.github.pins import uses
from lockgate.targets.github.steps import (
    API,
    IMAGE_ARTIFACT_PREFIX,
    MODEL,
    PIPES,
    RELEASE_ARTIFACT_PREFIX,
    become_app,
    newest,
    only_here,
    prepare_light,
    prepare_uncached,
    pushing,
    reading,
    token,
    user_step,
)

if TYPE_CHECKING:
    from lockgate.targets.github.types import Job, Permissions, Step, Workflow

NAME = "Lockgate release"
_HOURLY = "17 * * * *"
_RELEASES = "needs.plan.outputs.releases"
_IMAGES = "needs.plan.outputs.images"
_PLANNED = "!cancelled() && needs.plan.result == 'success'"

# The commit that brought the model's lock is the merge; what it was reviewed in is read from GitHub, not from it.
_REQUEST = """\
commit="$(git log -1 --first-parent --format=%H -- "pipelines/$MODEL/dvc.lock")"
gh api "$REPOSITORY/commits/$commit/pulls" --jq "$FACTS" > "$ARGUMENTS"
number="$(gh api "$REPOSITORY/commits/$commit/pulls" --jq "$NUMBER")"
if [ -n "$number" ]; then
  gh api --paginate "$REPOSITORY/pulls/$number/reviews?per_page=100" --jq "$APPROVERS" | sort --unique >> "$ARGUMENTS"
fi
"""
_MERGED = "map(select(.merged_at)) | first // empty"
_FACTS = f'{_MERGED} | "--report=\\(.html_url)", (.labels[].name | "--label=\\(.)")'
_APPROVERS = '.[] | select(.state == "APPROVED") | "--approver=\\(.user.login)"'

_RECORD = """\
if [ -f image/arguments.txt ]; then cat image/arguments.txt >> "$ARGUMENTS"; fi
mapfile -t arguments < "$ARGUMENTS"
lockgate release "$MODEL" --publish origin "${arguments[@]}" | tee --append "$GITHUB_STEP_SUMMARY"
"""


def workflow(plan: Plan) -> Workflow:
    """On each push to the branch; by the clock, too, where an environment waits for a while to pass."""
    soaks = any(environment.soak_seconds for environment in plan.spec.environments.values())
    return {
        "name": NAME,
        "on": {
            "push": {"branches": [plan.spec.project.branch]},
            **({"schedule": [{"cron": _HOURLY}]} if soaks else {}),
        },
        "permissions": {},
        "concurrency": {"group": "lockgate-release", "cancel-in-progress": False},
        "jobs": _jobs(plan),
    }


def _jobs(plan: Plan) -> dict[str, Job]:
    jobs = {"plan": _plan(plan), "fetch": _fetch(plan)}
    has_images = bool(plan.services) and plan.spec.project.image_registry is not None
    if has_images:
        condition = f"${{{{ {_PLANNED} && {_IMAGES} != '[]' }}}}"
        jobs["image"] = image_job(plan, condition, f"${{{{ fromJSON({_IMAGES} || '[]') }}}}")
    jobs["record"] = _record(plan, ["plan", "fetch", *(["image"] if has_images else [])])
    if plan.services:
        jobs["promote"] = _promote(plan)
    return jobs


def _plan(plan: Plan) -> Job:
    return {
        "name": "plan",
        "if": only_here(plan.spec.project),
        "permissions": {"contents": "read"},
        "runs-on": plan.spec.ci.runner,
        "timeout-minutes": 15,
        "outputs": {
            "releases": "${{ steps.due.outputs.releases }}",
            "images": "${{ steps.due.outputs.images }}",
        },
        "steps": [
            *prepare_light(plan.spec.project),
            {
                "name": "Find what is due",
                "id": "due",
                "run": 'lockgate due --format github-output >> "$GITHUB_OUTPUT"\n'
                'lockgate due >> "$GITHUB_STEP_SUMMARY"\n',
            },
        ],
    }


def _fetch(plan: Plan) -> Job:
    before = plan.spec.ci.steps_before
    return {
        "name": "fetch ${{ matrix.model }}",
        "needs": ["plan"],
        "if": f"${{{{ {_RELEASES} != '[]' }}}}",
        "permissions": reading(plan.spec.ci),
        "runs-on": plan.spec.ci.runner,
        "timeout-minutes": 30,
        "strategy": {"fail-fast": False, "matrix": {"include": f"${{{{ fromJSON({_RELEASES} || '[]') }}}}"}},
        "steps": [
            *prepare_uncached(plan.spec.project),
            *(user_step(step, f"before_{place}") for place, step in enumerate(before, start=1)),
            *_fetched(),
        ],
    }


def _fetched() -> list[Step]:
    return [
        {
            "name": "Fetch what was judged",
            "id": "fetch",
            "env": {"PATHS": "${{ matrix.paths }}"},
            "run": "printf '%s' \"$PATHS\" | xargs --delimiter='\\n' python -m dvc pull --",
        },
        {
            "name": "Keep it for the next jobs",
            "id": "keep",
            "uses": uses("actions/upload-artifact"),
            "with": {
                "name": f"{RELEASE_ARTIFACT_PREFIX}{MODEL}",
                "path": f"artifacts/{MODEL}",
                "if-no-files-found": "error",
                "overwrite": True,
            },
        },
    ]


def _record(plan: Plan, needs: list[str]) -> Job:
    app = plan.spec.ci.app
    permissions: Permissions = {"contents": "read" if app else "write", "pull-requests": "read"}
    return {
        "name": f"record {MODEL}",
        "needs": needs,
        "if": f"${{{{ {_PLANNED} && {_RELEASES} != '[]' }}}}",
        "permissions": permissions,
        "runs-on": plan.spec.ci.runner,
        "timeout-minutes": 15,
        "strategy": {
            "fail-fast": False,
            "max-parallel": 1,
            "matrix": {"include": f"${{{{ fromJSON({_RELEASES} || '[]') }}}}"},
        },
        "steps": [
            *prepare_light(plan.spec.project),
            _download("artifact", f"{RELEASE_ARTIFACT_PREFIX}{MODEL}", f"artifacts/{MODEL}"),
            *_built(needs),
            _request(),
            *([become_app(app, "contents")] if app else []),
            _written(plan),
        ],
    }


def _built(needs: list[str]) -> list[Step]:
    if "image" not in needs:
        return []
    download = _download("image", f"{IMAGE_ARTIFACT_PREFIX}{MODEL}", "image")
    return [{"name": download["name"], "id": "image", "if": "${{ matrix.image != '' }}", **download}]


def _download(step_id: str, name: str, path: str) -> Step:
    return {
        "name": f"Download the {step_id}",
        "id": step_id,
        "uses": uses("actions/download-artifact"),
        "with": {"name": name, "path": path},
    }


def _request() -> Step:
    return {
        "name": "Find who approved it",
        "id": "request",
        "env": {
            **token(None),
            "REPOSITORY": API,
            "MODEL": MODEL,
            "ARGUMENTS": "${{ runner.temp }}/arguments.txt",
            "FACTS": _FACTS,
            "NUMBER": f"{_MERGED} | .number",
            "APPROVERS": _APPROVERS,
        },
        "run": _REQUEST,
    }


def _written(plan: Plan) -> Step:
    return {
        "name": "Record and tag the release",
        "id": "record",
        "env": {
            **pushing(plan.spec.ci.app),
            "MODEL": MODEL,
            "ARGUMENTS": "${{ runner.temp }}/arguments.txt",
        },
        "shell": PIPES,
        "run": _RECORD,
    }


def _promote(plan: Plan) -> Job:
    app = plan.spec.ci.app
    permissions: Permissions = (
        {"contents": "read"} if app else {"contents": "write", "pull-requests": "write"}
    )
    return {
        "name": "promote",
        "needs": ["plan", "record"],
        "if": f"${{{{ {_PLANNED} }}}}",
        "permissions": permissions,
        "runs-on": plan.spec.ci.runner,
        "timeout-minutes": 15,
        "steps": [
            *newest(prepare_light(plan.spec.project), plan.spec.project.branch),
            *([become_app(app, "contents", "pull-requests")] if app else []),
            {
                "name": "Open the promotions that are due",
                "id": "promote",
                "env": pushing(app),
                "shell": PIPES,
                "run": 'lockgate due --open-pr | tee --append "$GITHUB_STEP_SUMMARY"',
            },
        ],
    }
