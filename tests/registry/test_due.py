"""`lockgate due --open-pr`: one pull request a promotion, with a real `gh` and a Git remote on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import Lockgate
from tests.cli.hosted import hosted
from tests.cli.project_tree import edit, git
from tests.posting.stand_in import GitHub
from tests.registry.team import commit_and_push, head

OPEN = ("due", "--open-pr")
ENVIRONMENTS = ("staging", "production")


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    with hosted(tmp_path / "github", monkeypatch) as host:
        yield host


def test_each_promotion_that_is_due_has_a_pull_request(
    released: Path, remote: Path, github: GitHub, lockgate: Lockgate
) -> None:
    before = head(released)
    done = lockgate(*OPEN)
    titles = [f"Promote iris 1.0.1 in {it}" for it in ENVIRONMENTS]
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"{pull['html_url']}: {title}" for pull, title in zip(github.pulls, titles, strict=True)
    ]
    assert [it["head"]["ref"] for it in github.pulls] == [f"lockgate/{it}/iris/1.0.1" for it in ENVIRONMENTS]
    changed = git(remote, "diff", "--name-only", before, "lockgate/staging/iris/1.0.1").split()
    assert {it.partition("/")[0] for it in changed} == {".lockgate", "manifests", "mlops.yaml"}
    assert (git(released, "status", "--porcelain"), head(released)) == ("", before)


def test_a_second_run_leaves_what_is_open_as_it_is(
    released: Path, github: GitHub, lockgate: Lockgate
) -> None:
    lockgate(*OPEN)
    done = lockgate(*OPEN)
    assert done.out.splitlines() == [f"{it['html_url']} is open already" for it in github.pulls]
    assert len(github.pulls) == len(ENVIRONMENTS)


def test_one_that_conflicts_is_made_anew_and_one_that_was_closed_is_not(
    released: Path, remote: Path, github: GitHub, lockgate: Lockgate
) -> None:
    lockgate(*OPEN)
    staging, production = github.pulls
    commit_and_push(released, "Go on")
    staging["state"], production["mergeable"] = "closed", False
    done = lockgate(*OPEN)
    assert done.out.splitlines() == [
        f"{staging['html_url']} was closed: it is not opened again",
        f"{production['html_url']} is made anew: the branch that it goes to has moved on",
    ]
    parents = [head(remote, f"{it['head']['ref']}~1") for it in (staging, production)]
    assert parents == [head(released, "HEAD~1"), head(released)]


def test_where_promotions_are_automatic_they_merge_themselves(
    released: Path, github: GitHub, lockgate: Lockgate
) -> None:
    edit(released, "staging: {namespace: ml-staging}", "staging: {namespace: ml-staging, promote: automatic}")
    assert lockgate("render").code == 0
    commit_and_push(released)
    done = lockgate(*OPEN)
    assert [it.get("auto_merge") for it in github.pulls] == [True, None]
    assert done.out.splitlines()[1] == f"{github.pulls[0]['html_url']} merges itself when its checks pass"
