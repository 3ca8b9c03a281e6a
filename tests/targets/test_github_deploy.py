"""The workflows that deploy and watch: who may do what, on which commit, as whom, and when there is none of them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.cli.project_tree import git
from tests.targets import pipeline_plans
from tests.targets.emitted import emitted
from tests.targets.released_plans import PUSH, served

from lockgate.plan.model import Plan

Content = dict[str, Any]

WATCHED = "{mode: flux, runner: in-cluster, steps: [{name: Log in to the cluster, run: make kubeconfig}]}"


def workflow(plan: Plan, name: str) -> Content:
    (found,) = (it for it in emitted(plan) if it["name"] == name)
    return found


def deploy() -> Content:
    return workflow(served(delivery=PUSH), "Lockgate deploy")


def watch(*, delivery: str = PUSH, app: bool = True) -> Content:
    return workflow(served(delivery=delivery, app=app), "Lockgate watch")


def step(job: Content, step_id: str) -> Content:
    (found,) = (it for it in job["steps"] if it["id"] == step_id)
    return dict(found)


def names(plan: Plan) -> list[str]:
    return [it["name"] for it in emitted(plan) if it["name"] in ("Lockgate deploy", "Lockgate watch")]


@pytest.mark.parametrize(
    ("delivery", "expected"),
    [
        ("", []),
        ("{mode: argocd}", []),
        (WATCHED, ["Lockgate watch"]),
        (PUSH, ["Lockgate deploy", "Lockgate watch"]),
    ],
)
def test_each_mode_of_delivery_has_what_it_needs(delivery: str, expected: list[str]) -> None:
    assert names(served(delivery=delivery)) == expected


def test_what_serves_nothing_is_neither_deployed_nor_watched() -> None:
    nothing = served(delivery=PUSH)._replace(services=())

    assert names(nothing) == []
    assert names(pipeline_plans.plan()) == []


def test_it_deploys_after_a_push_that_changes_manifests_and_by_hand_what_is_named() -> None:
    triggers = deploy()["on"]

    assert triggers["push"] == {"branches": ["main"], "paths": ["manifests/**"]}
    assert triggers["workflow_dispatch"]["inputs"]["environment"]["options"] == ["staging", "production"]


def test_each_environment_is_deployed_as_itself_and_waits_for_its_own_runs_only() -> None:
    jobs = deploy()["jobs"]

    for name in ("staging", "production"):
        job = jobs[f"deploy-{name}"]
        assert (job["environment"], job["env"]) == (name, {"LOCKGATE_ENVIRONMENT": name})
        assert job["concurrency"] == {"group": f"lockgate-deploy-{name}", "cancel-in-progress": False}
        assert job["if"] == f"${{{{ contains(needs.plan.outputs.environments, '/{name}/') }}}}"
    assert deploy()["concurrency"]["group"] == "lockgate-deploy-${{ github.run_id }}"


def test_a_deploying_job_may_say_who_it_is_and_read() -> None:
    jobs = deploy()["jobs"]

    assert {key: job["permissions"] for key, job in jobs.items()} == {
        "plan": {"contents": "read"},
        "deploy-staging": {"contents": "read", "id-token": "write"},
        "deploy-production": {"contents": "read", "id-token": "write"},
    }


def test_the_newest_commit_is_deployed_after_the_users_log_in() -> None:
    job = deploy()["jobs"]["deploy-production"]

    assert step(job, "checkout")["with"]["ref"] == "main"
    assert step(job, "lockgate")["env"]["PACKAGE"] == "lockgate[cluster]"
    assert [it["id"] for it in job["steps"]][-2:] == ["login_1", "deploy"]
    assert "--newest origin" in step(job, "deploy")["run"]


def test_a_job_may_take_as_long_as_a_rollout_and_a_quarter_of_an_hour() -> None:
    plan = served(delivery=PUSH.replace("mode: push", "mode: push, timeout: 2h"))

    assert workflow(plan, "Lockgate deploy")["jobs"]["deploy-staging"]["timeout-minutes"] == 135


def test_a_command_that_fails_before_a_pipe_fails_its_step() -> None:
    plan = served(delivery=PUSH)
    piped = [
        it
        for content in emitted(plan)
        for job in content["jobs"].values()
        for it in job["steps"]
        if it.get("run", "").startswith("lockgate") and "| tee" in it["run"]
    ]

    assert len(piped) >= 4
    assert [it["id"] for it in piped if it.get("shell") != "bash"] == []


def test_the_watcher_looks_every_ten_minutes_off_the_hour_and_after_each_deployment() -> None:
    assert watch()["on"] == {
        "schedule": [{"cron": "3-59/10 * * * *"}],
        "workflow_run": {"workflows": ["Lockgate deploy"], "types": ["completed"], "branches": ["main"]},
        "workflow_dispatch": {},
    }
    assert "workflow_run" not in watch(delivery=WATCHED)["on"]


def test_who_reaches_the_cluster_may_write_nothing_and_who_may_write_reaches_none() -> None:
    jobs = watch(app=False)["jobs"]

    look, back = jobs["look-staging"], jobs["roll-back-staging"]
    assert look["permissions"] == {"contents": "read", "id-token": "write"}
    assert back["permissions"] == {"contents": "write", "pull-requests": "write"}
    assert [it["id"] for it in back["steps"] if it["id"].startswith("login")] == []
    assert step(back, "lockgate")["env"]["PACKAGE"] == "lockgate"


def test_the_app_opens_rollbacks_where_there_is_one() -> None:
    back = watch()["jobs"]["roll-back-production"]

    assert back["permissions"] == {"contents": "read"}
    assert step(back, "open")["env"]["GH_TOKEN"] == "${{ steps.app.outputs.token }}"


def test_the_watcher_waits_for_no_reviewers() -> None:
    assert [key for key, job in watch()["jobs"].items() if "environment" in job] == []


def test_nothing_is_rolled_back_where_nothing_was_found() -> None:
    found = "needs.look-staging.outputs.incidents"

    assert watch()["jobs"]["roll-back-staging"]["if"] == (
        f"${{{{ !cancelled() && {found} != '' && {found} != '0' }}}}"
    )


def test_a_watcher_of_argo_cd_or_flux_runs_where_the_cluster_can_be_reached() -> None:
    jobs = watch(delivery=WATCHED)["jobs"]

    assert jobs["look-staging"]["runs-on"] == "in-cluster"
    assert jobs["roll-back-staging"]["runs-on"] == "ubuntu-24.04"


def test_no_script_holds_an_expression() -> None:
    jobs = {**deploy()["jobs"], **watch()["jobs"]}

    assert [it for job in jobs.values() for it in job["steps"] if "${{" in it.get("run", "")] == []


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits: the first brings both environments, the second changes staging and the README."""
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "--quiet")
    for name in ("staging", "production"):
        (root / "manifests" / name).mkdir(parents=True)
        (root / "manifests" / name / "namespace.yaml").write_text("kind: Namespace\n")
    _commit(root)
    (root / "manifests/staging/namespace.yaml").write_text("kind: Namespace # changed\n")
    (root / "README.md").write_text("Flowers\n")
    _commit(root)
    return root


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("HEAD^", "environments=/staging/\n"),
        ("0" * 40, "environments=/production/staging/\n"),
        ("", "environments=/production/staging/\n"),
        ("HEAD", "environments=/\n"),
    ],
)
def test_the_plan_names_the_environments_that_the_push_changes(
    repository: Path, tmp_path: Path, before: str, expected: str
) -> None:
    output = tmp_path / "output"
    environment = {
        **os.environ,
        "BEFORE": before,
        "CHANGED": str(tmp_path / "changed"),
        "GITHUB_OUTPUT": str(output),
    }

    script = step(deploy()["jobs"]["plan"], "changed")["run"]
    subprocess.run(["bash", "-e", "-c", script], cwd=repository, env=environment, check=True)

    assert output.read_text() == expected


def _commit(root: Path) -> None:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    git(root, "add", "--all")
    git(root, *who, "commit", "--quiet", "--message=Change")
