"""The workflow of a pull request: check the spec, prove the models that it touches, report, comment, and judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockgate.plan.model import Plan
from lockgate.targets.github.comment import post_steps
from lockgate.targets.github.commit_lock import commit_lock_job
from lockgate.targets.github.paths import counting_paths
from lockgate.targets.github.pins import uses
from lockgate.targets.github.steps import (
    BASE_SHA,
    MODEL_ARTIFACT_PREFIX,
    REPORT_ARTIFACT,
    SAME_REPOSITORY,
    prepare,
    prepare_light,
    reading,
    user_step,
)

if TYPE_CHECKING:
    from lockgate.targets.github.types import Job, Step, Workflow

NAME = "Lockgate"

_ANY_MODEL = "needs.check.outputs.models != '[]'"

# What nothing generated, no pipeline and no spec is made of needs no Python to be passed.
_CHANGES = """\
mapfile -t paths <<< "$PATHS"
if git diff --quiet "$BASE_SHA...HEAD" -- "${paths[@]}"; then changed=false; else changed=true; fi
echo "changed=$changed" >> "$GITHUB_OUTPUT"
"""

# The only ways to pass: nothing that counts has changed, or all that has is proved and reported and no gate blocks.
_JUDGE = """\
case "$RESULTS" in "$UNTOUCHED"*|"$NO_MODEL/pass"|"$NO_MODEL/warn"|"$PROVED/pass"|"$PROVED/warn") exit 0 ;;
  "$NO_MODEL/fail"|"$PROVED/fail") why="$BLOCKED" ;; success/*) why="$BROKEN" ;; *) why="$REFUSED" ;; esac
echo "::error::$why"; echo "$why" >> "$GITHUB_STEP_SUMMARY"; exit 1
"""
_WHY = {
    "BLOCKED": "A gate blocks; the report says which.",
    "BROKEN": "A job broke or was cancelled before there was a verdict: nothing is proved. See the jobs above.",
    "REFUSED": "The job 'check' did not pass; its log says what is wrong.",
}


def workflow(plan: Plan) -> Workflow:
    """What runs for a pull request and for a merge group; `comment` alone writes anything, and who commits locks."""
    return {
        "name": NAME,
        "on": {
            "pull_request": {"types": ["opened", "synchronize", "reopened"]},
            "merge_group": {"types": ["checks_requested"]},
        },
        "permissions": {},
        "concurrency": {
            "group": "lockgate-pr-${{ github.event.pull_request.number || github.ref }}",
            "cancel-in-progress": True,
        },
        "jobs": _jobs(plan),
    }


def _jobs(plan: Plan) -> dict[str, Job]:
    jobs = {
        "check": _check(plan),
        "prove": _prove(plan),
        "report": _report(plan),
        "comment": _comment(plan),
        "verdict": _verdict(plan),
    }
    ci = plan.spec.ci
    if ci.app is None or not ci.commit_lock:
        return jobs
    return {**jobs, "commit_lock": commit_lock_job(plan, ci.app)}


def _check(plan: Plan) -> Job:
    check_out, *install = prepare_light(plan.spec.project)
    return {
        "name": "check",
        "permissions": {"contents": "read"},
        "runs-on": plan.spec.ci.runner,
        "timeout-minutes": 15,
        "outputs": {
            "changed": "${{ steps.changes.outputs.changed }}",
            "models": "${{ steps.changes.outputs.changed == 'false' && '[]' || steps.affected.outputs.models }}",
        },
        "steps": [
            check_out,
            _changes(plan),
            *(_where_changed(step) for step in (*install, *_check_steps())),
        ],
    }


def _where_changed(step: Step) -> Step:
    condition = "${{ steps.changes.outputs.changed == 'true' }}"
    return {"name": step["name"], "id": step["id"], "if": condition, **step}


def _changes(plan: Plan) -> Step:
    return {
        "name": "Look whether the change touches anything of Lockgate's",
        "id": "changes",
        "env": {"BASE_SHA": BASE_SHA, "GIT_LITERAL_PATHSPECS": "1", "PATHS": "\n".join(counting_paths(plan))},
        "run": _CHANGES,
    }


def _check_steps() -> list[Step]:
    return [
        {
            "name": "Check the spec and the generated files",
            "id": "check",
            "run": "lockgate check --format github",
        },
        {
            "name": "Find the models that the change touches",
            "id": "affected",
            "env": {"BASE_SHA": BASE_SHA},
            "run": 'lockgate affected --base "$BASE_SHA" --format github-output >> "$GITHUB_OUTPUT"',
        },
    ]


def _prove(plan: Plan) -> Job:
    ci = plan.spec.ci
    before = [user_step(step, f"before_{place}") for place, step in enumerate(ci.steps_before, start=1)]
    after = [user_step(step, f"after_{place}") for place, step in enumerate(ci.steps_after, start=1)]
    return {
        "name": "prove ${{ matrix.model }}",
        "needs": ["check"],
        "if": f"${{{{ {_ANY_MODEL} }}}}",
        "permissions": reading(ci),
        "runs-on": "${{ matrix.runner }}",
        "timeout-minutes": "${{ matrix.timeout_minutes }}",
        "strategy": {
            "fail-fast": False,
            "matrix": {"include": "${{ fromJSON(needs.check.outputs.models || '[]') }}"},
        },
        "steps": [
            *prepare(plan.spec.project),
            *_model_requirements(plan),
            *before,
            _run_pipeline(),
            _keep_results(),
            *after,
        ],
    }


def _model_requirements(plan: Plan) -> list[Step]:
    if not any(pipeline.model.requirements for pipeline in plan.pipelines):
        return []
    return [
        {
            "name": "Install the model's own requirements",
            "id": "model_requirements",
            "if": "${{ matrix.requirements }}",
            "env": {"REQUIREMENTS": "${{ matrix.requirements }}"},
            "run": 'python -m pip install --requirement "$REQUIREMENTS"',
        }
    ]


def _run_pipeline() -> Step:
    return {
        "name": "Run the pipeline",
        "id": "pipeline",
        "env": {"MODEL": "${{ matrix.model }}", "BASE_SHA": BASE_SHA},
        "run": 'lockgate run "$MODEL" --base "$BASE_SHA" --no-gate-exit',
    }


def _keep_results() -> Step:
    files = ("*.json", "*.csv", "card.md", "model/signature.json", "champion/*.json", "champion/card.md")
    paths = (*(f"artifacts/{{model}}/{name}" for name in files), "pipelines/{model}/dvc.lock")
    return {
        "name": "Keep the results",
        "id": "results",
        "if": "${{ !cancelled() }}",
        "uses": uses("actions/upload-artifact"),
        "with": {
            "name": MODEL_ARTIFACT_PREFIX + "${{ matrix.model }}",
            "path": "".join(path.replace("{model}", "${{ matrix.model }}") + "\n" for path in paths),
            "overwrite": True,
        },
    }


def _report(plan: Plan) -> Job:
    return {
        "name": "report",
        "needs": ["check", "prove"],
        "if": "${{ !cancelled() && needs.check.result == 'success' && needs.check.outputs.changed == 'true' }}",
        "permissions": {"contents": "read"},
        "runs-on": plan.spec.ci.runner,
        "timeout-minutes": 15,
        "outputs": {"verdict": "${{ steps.report.outputs.verdict }}"},
        "steps": [
            *prepare_light(plan.spec.project),
            {
                "name": "Download the results",
                "id": "results",
                "if": f"${{{{ {_ANY_MODEL} }}}}",
                "uses": uses("actions/download-artifact"),
                "with": {"pattern": MODEL_ARTIFACT_PREFIX + "*", "merge-multiple": True},
            },
            *_report_steps(),
        ],
    }


def _report_steps() -> list[Step]:
    return [
        {
            "name": "Write the report",
            "id": "report",
            "env": {"BASE_SHA": BASE_SHA},
            "run": 'lockgate report --base "$BASE_SHA" --format html --output reports/report.html\n'
            'lockgate report --base "$BASE_SHA" --format md --output reports/report.md'
            ' --verdict-output "$GITHUB_OUTPUT"\n',
        },
        {
            "name": "Show the report",
            "id": "summary",
            "run": 'cat reports/report.md >> "$GITHUB_STEP_SUMMARY"',
        },
        {
            "name": "Keep the report",
            "id": "keep",
            "uses": uses("actions/upload-artifact"),
            "with": {
                "name": REPORT_ARTIFACT,
                "path": "reports/report.md\nreports/report.html\n",
                "if-no-files-found": "error",
                "overwrite": True,
            },
        },
    ]


def _comment(plan: Plan) -> Job:
    happened = "!cancelled() && needs.report.result == 'success' && github.event_name == 'pull_request'"
    return {
        "name": "comment",
        "needs": ["report"],
        "if": f"${{{{ {happened} && {SAME_REPOSITORY} }}}}",
        "permissions": {"pull-requests": "write"},
        "runs-on": plan.spec.ci.runner,
        "timeout-minutes": 10,
        "steps": [
            {
                "name": "Download the report",
                "id": "report",
                "uses": uses("actions/download-artifact"),
                "with": {"name": REPORT_ARTIFACT, "path": "report"},
            },
            *post_steps("${{ github.event.pull_request.number }}"),
        ],
    }


def _verdict(plan: Plan) -> Job:
    results = (
        "needs.check.result",
        "needs.check.outputs.changed",
        "needs.check.outputs.models == '[]' && 'no models' || 'models'",
        "needs.prove.result",
        "needs.report.result",
        "needs.report.outputs.verdict",
    )
    return {
        "name": "lockgate",
        "needs": ["check", "prove", "report"],
        # GitHub takes a required check that is skipped for one that has passed: this job must never be.
        "if": "${{ always() }}",
        "permissions": {},
        "runs-on": plan.spec.ci.runner,
        "timeout-minutes": 5,
        "steps": [
            {
                "name": "Judge",
                "id": "judge",
                "env": {
                    "RESULTS": "/".join(f"${{{{ {result} }}}}" for result in results),
                    "UNTOUCHED": "success/false/no models/skipped/skipped/",
                    "NO_MODEL": "success/true/no models/skipped/success",
                    "PROVED": "success/true/models/success/success",
                    **_WHY,
                },
                "run": _JUDGE,
            }
        ],
    }
