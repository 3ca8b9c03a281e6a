"""What the emitted workflows say: rights, pins, conditions, and how strings of the spec's come through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.replacing import replace
from tests.targets.emitted import emitted
from tests.targets.pipeline_plans import MODEL, PROJECT, pipeline, plan, train_stage, user_step

from lockgate.plan.model import Pipeline
from lockgate.spec.model import App
from lockgate.targets.github import annotate, emit
from lockgate.targets.github.paths import counting_paths
from lockgate.targets.github.pins import CML_PIN, PINS
from lockgate.yaml.dump import dump

CHECKOUT = f"actions/checkout@{PINS['actions/checkout'].sha}"
STEPS = (user_step("Start the feature store", run="make features", env={"STORE": "local", "TRIES": 3}),)

APP = App(client_id_variable="APP_CLIENT", private_key_secret="APP_KEY")

Content = dict[str, Any]


def workflows() -> list[Content]:
    """Those of a pull request."""
    return emitted(plan(before=STEPS, after=STEPS, app=APP))[:2]


def jobs() -> Iterator[tuple[str, Content]]:
    for workflow in workflows():
        yield from workflow["jobs"].items()


def steps() -> Iterator[Content]:
    for _, job in jobs():
        yield from job["steps"]


def test_three_workflows_are_emitted_where_nothing_is_served() -> None:
    assert [file.path for file in emit(plan())] == [
        ".github/workflows/lockgate-pr.yml",
        ".github/workflows/lockgate-fork-report.yml",
        ".github/workflows/lockgate-release.yml",
    ]


def test_names_that_others_rely_on_are_these() -> None:
    pull_request, fork_report = workflows()

    assert pull_request["name"] == "Lockgate"
    assert {key: job["name"] for key, job in pull_request["jobs"].items()} == {
        "check": "check",
        "prove": "prove ${{ matrix.model }}",
        "report": "report",
        "comment": "comment",
        "verdict": "lockgate",
        "commit_lock": "commit dvc.lock",
    }
    assert fork_report["on"] == {"workflow_run": {"workflows": ["Lockgate"], "types": ["completed"]}}


def test_nothing_is_allowed_but_what_a_job_lists() -> None:
    assert [workflow["permissions"] for workflow in workflows()] == [{}, {}]
    assert {f"{place}.{key}": job["permissions"] for place, (key, job) in enumerate(jobs())} == {
        "0.check": {"contents": "read"},
        "1.prove": {"contents": "read"},
        "2.report": {"contents": "read"},
        "3.comment": {"pull-requests": "write"},
        "4.verdict": {},
        "5.commit_lock": {"contents": "read"},
        "6.find": {"actions": "read", "pull-requests": "read"},
        "7.comment": {"actions": "read", "pull-requests": "write"},
    }


def test_a_job_that_may_write_checks_nothing_out_but_cml() -> None:
    writing = [job for _, job in jobs() if "write" in job["permissions"].values()]
    checked_out = [step["with"] for job in writing for step in job["steps"] if step.get("uses") == CHECKOUT]

    assert len(writing) == 2
    assert [inputs["repository"] for inputs in checked_out] == ["iterative/cml"] * 2
    assert [inputs["ref"] for inputs in checked_out] == [CML_PIN.sha] * 2


def test_no_checkout_leaves_its_token_behind() -> None:
    inputs = [step["with"] for step in steps() if step.get("uses") == CHECKOUT]

    assert [given["persist-credentials"] for given in inputs] == [False] * 6


def test_every_action_is_pinned_in_the_table() -> None:
    used = {step["uses"] for step in steps() if "uses" in step}

    assert used <= {f"{action}@{pin.sha}" for action, pin in PINS.items()}


def test_no_script_holds_an_expression() -> None:
    assert [step["run"] for step in steps() if "${{" in step.get("run", "")] == []


def test_every_job_gives_up_in_time_and_every_step_has_an_id_of_its_own() -> None:
    for _, job in jobs():
        ids = [step["id"] for step in job["steps"]]
        assert job["timeout-minutes"]
        assert len(set(ids)) == len(ids)


def test_the_users_steps_stand_around_the_pipeline_as_they_were_written() -> None:
    before = user_step("Log in", uses=CHECKOUT, inputs={"role": "${{ vars.ROLE }}", "strict": True})
    pull_request, *_ = emitted(plan(before=(before,), after=STEPS))
    shown = pull_request["jobs"]["prove"]["steps"]

    assert [step["id"] for step in shown][3:] == ["before_1", "pipeline", "results", "after_1"]
    assert shown[3] == {
        "name": "Log in",
        "id": "before_1",
        "uses": CHECKOUT,
        "with": {"role": "${{ vars.ROLE }}", "strict": True},
    }
    assert shown[-1] == {
        "name": "Start the feature store",
        "id": "after_1",
        "env": {"STORE": "local", "TRIES": 3},
        "run": "make features",
    }


def test_an_expression_in_the_name_of_a_step_is_text() -> None:
    pull_request, *_ = emitted(plan(before=(user_step("${{ secrets.KEY }}", run="true"),)))

    assert pull_request["jobs"]["prove"]["steps"][3]["name"] == "${{ '${{' }} secrets.KEY }}"


def test_a_models_own_requirements_are_installed_where_there_are_any() -> None:
    own = replace(
        pipeline((train_stage("a"),)), model=replace(MODEL, requirements="models/a/requirements.txt")
    )
    with_own, without = ([step["id"] for step in _prove(one)] for one in (own, pipeline((train_stage("a"),))))

    assert with_own[:4] == ["checkout", "python", "requirements", "model_requirements"]
    assert "model_requirements" not in without


def test_project_values_reach_the_jobs() -> None:
    project = replace(PROJECT, python="3.13", requirements="ci/locked.txt")
    pull_request, *_ = emitted(plan(project=project, runner="gpu-large"))
    check, prove = (pull_request["jobs"][key] for key in ("check", "prove"))

    assert check["runs-on"] == "gpu-large"
    assert check["steps"][2]["with"] == {"python-version": "3.13"}
    assert prove["steps"][1]["with"] == {
        "python-version": "3.13",
        "cache": "pip",
        "cache-dependency-path": "ci/locked.txt",
    }
    assert [steps[place]["env"] for steps, place in ((check["steps"], 3), (prove["steps"], 2))] == [
        {"REQUIREMENTS": "ci/locked.txt", "PACKAGE": "lockgate"},
        {"REQUIREMENTS": "ci/locked.txt"},
    ]


def test_what_needs_no_check_installs_nothing() -> None:
    (pull_request, _) = workflows()
    check = pull_request["jobs"]["check"]
    changed = "${{ steps.changes.outputs.changed == 'true' }}"

    assert [(step["id"], step.get("if")) for step in check["steps"]] == [
        ("checkout", None),
        ("changes", None),
        ("python", changed),
        ("lockgate", changed),
        ("check", changed),
        ("affected", changed),
    ]


def test_the_paths_that_count_are_what_lockgate_reads_writes_and_runs() -> None:
    one = replace(pipeline((train_stage("a"),)), watch=("models/a/", "./data/a.csv", "pipelines/a"))
    project = replace(PROJECT, requirements="ci/locked.txt")

    assert counting_paths(plan(one, project=project)) == (
        ".dvc/config",
        ".dvcignore",
        ".github",
        ".lockgate",
        "ci/locked.txt",
        "data/a.csv",
        "manifests",
        "mlops.yaml",
        "models/a",
        "pipelines",
        "registry",
    )


def test_where_a_pipeline_reads_the_whole_project_everything_counts() -> None:
    assert counting_paths(plan(replace(pipeline((train_stage("a"),)), watch=("models/a", ".")))) == (".",)


def test_a_candidate_is_compared_with_what_is_live() -> None:
    (step,) = (step for step in _prove(pipeline((train_stage("a"),))) if step["id"] == "pipeline")

    assert step["run"] == 'lockgate run "$MODEL" --base "$BASE_SHA" --no-gate-exit'
    assert step["env"] == {
        "MODEL": "${{ matrix.model }}",
        "BASE_SHA": "${{ github.event.pull_request.base.sha || github.event.merge_group.base_sha }}",
    }


def test_only_the_verdict_runs_whatever_happens() -> None:
    """A required check that is skipped counts as passed, so a run that somebody cancels has to turn it red."""
    always = [key for key, job in jobs() if "always()" in job.get("if", "")]

    assert always == ["verdict"]


def test_tags_and_reasons_are_written_behind_what_they_are_about() -> None:
    text = dump({"on": {"workflow_run": {}}, "permissions": {"pull-requests": "write"}, "uses": CHECKOUT})

    assert annotate(text.replace(" {}", "")) == (
        '"on":\n'
        "  workflow_run: # zizmor: ignore[dangerous-triggers]"
        " runs no code that is not merged\n"
        "permissions:\n"
        "  pull-requests: write # posts reports, opens promotions and rollbacks\n"
        f"uses: {CHECKOUT} # v7.0.1\n"
    )


def test_an_action_that_is_not_in_the_table_gets_no_tag() -> None:
    text = f"- uses: acme/deploy@{'a' * 40}\n"

    assert annotate(text) == text


@pytest.mark.parametrize(
    "script", [f"uses: {CHECKOUT}\n", f"a\n\n- uses: {CHECKOUT}\n  pull-requests: write\n\n"]
)
def test_a_script_that_looks_like_a_workflow_keeps_its_text(script: str) -> None:
    content = {"steps": [{"run": script, "uses": CHECKOUT}]}

    annotated = annotate(dump(content))

    assert yaml.safe_load(annotated) == content
    assert annotated.count("# v7.0.1") == 1


def test_comments_change_nothing_of_what_a_workflow_says() -> None:
    for workflow in workflows():
        assert yaml.safe_load(annotate(dump(workflow))) == workflow


def _prove(one: Pipeline) -> list[Content]:
    pull_request, *_ = emitted(plan(one))
    return list(pull_request["jobs"]["prove"]["steps"])
