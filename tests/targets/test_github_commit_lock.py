"""The job that commits locks: what it may do, and its scripts with real Git against a bare repository."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.targets.emitted import emitted
from tests.targets.pipeline_plans import plan

from lockgate.spec.model import App

Content = dict[str, Any]

APP = App(client_id_variable="APP_CLIENT", private_key_secret="APP_KEY")
BRANCH = "fix/$(touch${IFS}pwned)"
WHO = ("-c", "user.name=Flora", "-c", "user.email=flora@example.com")


@pytest.fixture
def head(tmp_path: Path) -> Path:
    """A clone at the head of a pull request with two models, as the job checks it out; `remote.git` is beside it."""
    root = tmp_path / "head"
    for model in ("a", "b"):
        (root / "pipelines" / model).mkdir(parents=True)
        (root / "pipelines" / model / "dvc.yaml").write_text("stages: {}\n")
    (root / "pipelines/a/dvc.lock").write_text("the author's\n")
    git(root, "init", "--quiet", f"--initial-branch={BRANCH}")
    commit(root, "Change one thing")
    git(tmp_path, "clone", "--quiet", "--bare", "head", "remote.git")
    git(root, "remote", "add", "origin", str(tmp_path / "remote.git"))
    return root


def test_without_an_app_no_job_commits_anything() -> None:
    pull_request, *_ = emitted(plan())

    assert "commit_lock" not in pull_request["jobs"]


def test_the_apps_token_may_write_contents_and_the_job_itself_nothing() -> None:
    job = _job()
    (app,) = (step for step in job["steps"] if step["id"] == "app")

    assert job["permissions"] == {"contents": "read"}
    assert app["with"] == {
        "client-id": "${{ vars.APP_CLIENT }}",
        "private-key": "${{ secrets.APP_KEY }}",
        "permission-contents": "write",
    }


def test_it_runs_for_branches_of_the_repository_only_and_after_all_else() -> None:
    job = _job()

    assert job["needs"] == ["prove", "report", "comment", "verdict"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"]
    assert "github.event_name == 'pull_request'" in job["if"]


def test_it_installs_nothing_and_runs_nothing_of_the_pull_requests() -> None:
    assert [step.get("uses", "").partition("@")[0] for step in _job()["steps"]] == [
        "actions/checkout",
        "actions/download-artifact",
        "",
        "actions/create-github-app-token",
        "",
    ]


@pytest.mark.parametrize("answer", ["equal bytes", "equal metrics", "different", "not trained"])
def test_a_lock_that_names_the_model_stays_the_authors(head: Path, answer: str) -> None:
    found(head, "a", answer)

    assert take(head) == "new=false\n"


def test_locks_that_nobody_recorded_are_committed_and_nothing_else(head: Path) -> None:
    found(head, "a", "not recorded")
    found(head, "b", "not recorded")
    (head / "stray.txt").write_text("x")

    assert take(head) == "new=true\n"
    assert push(head).returncode == 0
    remote = head.parent / "remote.git"
    assert git(remote, "show", "--format=%an <%ae>", "--name-status", BRANCH).split("\n\n") == [
        "acme-locks[bot] <acme-locks[bot]@users.noreply.github.com>",
        "M\tpipelines/a/dvc.lock\nA\tpipelines/b/dvc.lock\n",
    ]
    assert git(remote, "show", f"{BRANCH}:pipelines/a/dvc.lock") == "CI's of a\n"
    assert not (head / "pwned").exists()


def test_a_lock_that_is_as_committed_makes_no_commit(head: Path) -> None:
    found(head, "a", "not recorded", lock="the author's\n")

    assert take(head) == "new=false\n"


def test_no_commit_of_its_own_follows_another(head: Path) -> None:
    found(head, "a", "not recorded")
    assert take(head) == "new=true\n"
    assert push(head).returncode == 0

    found(head, "a", "not recorded", lock="CI's, otherwise again\n")
    assert take(head) == "new=false\n"


@pytest.mark.parametrize("moved", ["forwards", "back"])
def test_a_head_that_has_moved_is_left_as_it_is(head: Path, moved: str) -> None:
    commit(head, "A second thing")
    git(head, "push", "--quiet", "origin", f"HEAD:refs/heads/{BRANCH}")
    found(head, "a", "not recorded")
    sha = git(head, "rev-parse", "HEAD").strip()
    take(head)
    elsewhere = head.parent / "elsewhere"
    git(head.parent, "clone", "--quiet", "remote.git", "elsewhere")
    if moved == "forwards":
        commit(elsewhere, "Somebody was faster")
    else:
        git(elsewhere, "reset", "--quiet", "--hard", "HEAD^")
    git(elsewhere, "push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{BRANCH}")
    before = git(head.parent / "remote.git", "rev-parse", BRANCH)

    assert push(head, sha).returncode != 0
    assert git(head.parent / "remote.git", "rev-parse", BRANCH) == before


@pytest.mark.parametrize("model", ["c", "*", "-f", "a b", "$(touch pwned)", ".."])
def test_results_of_a_model_that_the_head_does_not_have_are_left(head: Path, model: str) -> None:
    found(head, model, "not recorded")

    assert take(head) == "new=false\n"
    assert not (head / "pwned").exists()


def test_a_link_in_the_place_of_a_lock_is_replaced_and_not_followed(head: Path) -> None:
    (head / "pipelines/a/dvc.lock").unlink()
    (head / "pipelines/a/dvc.lock").symlink_to("../../.git/config")
    (head / "pipelines/b").rename(head / "elsewhere")
    (head / "pipelines/b").symlink_to("../elsewhere")
    commit(head, "Links")
    config = (head / ".git/config").read_text()
    found(head, "a", "not recorded")
    found(head, "b", "not recorded")

    assert take(head) == "new=true\n"
    assert git(head, "diff", "--cached", "--raw", "--abbrev=1").split("\t")[1:] == ["pipelines/a/dvc.lock\n"]
    assert (head / ".git/config").read_text() == config


def found(head: Path, model: str, answer: str, lock: str | None = None) -> None:
    """What the job that proved the model left."""
    results = head.parent / "results"
    for folder in (results / "pipelines" / model, results / "artifacts" / model):
        folder.mkdir(parents=True, exist_ok=True)
    (results / "pipelines" / model / "dvc.lock").write_text(lock or f"CI's of {model}\n")
    (results / "artifacts" / model / "provenance.json").write_text(
        f'{{\n  "actual_md5": null,\n  "answer": "{answer}",\n  "expected_md5": null\n}}\n'
    )


def take(head: Path) -> str:
    """The step's output."""
    output = head.parent / "output"
    output.write_text("")
    done = _script("locks", head, {"RESULTS": str(head.parent / "results"), "GITHUB_OUTPUT": str(output)})
    assert done.returncode == 0, done.stderr
    return output.read_text()


def push(head: Path, sha: str | None = None) -> subprocess.CompletedProcess[str]:
    """Commit and push as for a pull request whose head was at that commit."""
    proved = sha or git(head, "rev-parse", "HEAD").strip()
    return _script("push", head, {"BOT": "acme-locks[bot]", "BRANCH": BRANCH, "HEAD_SHA": proved})


def commit(root: Path, subject: str) -> None:
    git(root, "add", "--all")
    git(root, *WHO, "commit", "--quiet", "--allow-empty", f"--message={subject}")


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout


def _job() -> Content:
    pull_request, *_ = emitted(plan(app=APP))
    return dict(pull_request["jobs"]["commit_lock"])


def _script(step_id: str, folder: Path, given: Content) -> subprocess.CompletedProcess[str]:
    """Run a step's script as GitHub's runner does."""
    (step,) = (step for step in _job()["steps"] if step["id"] == step_id)
    environment = {**step["env"], **given, "PATH": os.environ["PATH"], "HOME": str(folder.parent)}
    return subprocess.run(
        ("bash", "-e", "-c", step["run"]),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
