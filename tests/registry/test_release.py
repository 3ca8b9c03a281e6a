"""`lockgate release` on real Git repositories with a real remote."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest
from tests.cli.conftest import Lockgate
from tests.cli.project_tree import git
from tests.registry.team import (
    IMAGE,
    INPUTS,
    clone,
    commit_and_push,
    head,
    join_remote,
    make_project,
    pull,
    tags,
    train,
)

from lockgate.spec.schema import schema_path
from lockgate.yaml import parse
from lockgate.yaml.nodes import plain_value

PUBLISH = ("--publish", "origin")


def record(root: Path, version: str, model: str = "iris") -> dict[str, object]:
    data: dict[str, object] = plain_value(parse((root / f"registry/{model}/{version}.yaml").read_text()))
    return data


def test_the_first_release_is_recorded_and_tagged(team: Path, remote: Path, lockgate: Lockgate) -> None:
    digest = train(team, "iris", "one")
    commit = commit_and_push(team)
    done = lockgate("release", "iris", *PUBLISH, "--image", IMAGE, "--approver", "Grace")
    assert (done.code, done.err) == (0, "")
    assert done.out == "iris: released as 1.0.0 (major: the first release)\ntagged iris@v1.0.0\n"
    pull(team)
    told = record(team, "1.0.0")
    assert (told["commit"], told["artifact_sha256"], told["image"]) == (commit, digest, IMAGE)
    assert told["approvers"] == ["Grace"]
    assert git(team, "show", "--format=%s", "--name-only").split() == [
        "Release",
        "iris",
        "1.0.0",
        "registry/iris/1.0.0.md",
        "registry/iris/1.0.0.yaml",
    ]
    assert head(remote, "iris@v1.0.0^{commit}") == commit


def test_a_record_is_what_the_published_schema_says(released: Path) -> None:
    schema = json.loads(schema_path().with_name("record.schema.json").read_bytes())
    validator = jsonschema_rs.Draft202012Validator(schema)
    assert [error.message for error in validator.iter_errors(record(released, "1.0.0"))] == []


def test_gto_reads_the_tags_and_agrees(released: Path) -> None:
    gto = shutil.which("gto", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if gto is None:
        pytest.skip("needs GTO: pip install gto")
    shown = subprocess.run([gto, "show", "--json"], capture_output=True, text=True, check=True).stdout
    assert {name: it["version"] for name, it in json.loads(shown).items()} == {"iris": "v1.0.1"}
    checked = subprocess.run(
        [gto, "check-ref", "iris@v1.0.1", "--json"], capture_output=True, text=True, check=True
    ).stdout
    event = json.loads(checked)
    assert (event["artifact"], event["version"], event["event"]) == ("iris", "v1.0.1", "registration")


def test_a_run_that_is_repeated_releases_nothing(released: Path, remote: Path, lockgate: Lockgate) -> None:
    before = head(remote, "main")
    done = lockgate("release", "iris", *PUBLISH)
    assert (done.code, done.out) == (0, "iris: nothing to release, its artifact is that of 1.0.1\n")
    assert head(remote, "main") == before


def test_a_run_repeated_after_a_later_release_releases_nothing(
    team: Path, remote: Path, lockgate: Lockgate
) -> None:
    train(team, "iris", "one")
    first = commit_and_push(team)
    lockgate("release", "iris", *PUBLISH)
    pull(team)
    train(team, "iris", "two")
    commit_and_push(team)
    lockgate("release", "iris", *PUBLISH)
    git(team, "checkout", "--quiet", first)
    train(team, "iris", "one")
    assert lockgate("release", "iris", *PUBLISH).out == (
        "iris: nothing to release, this commit was released as 1.0.0\n"
    )
    assert tags(remote) == ["iris@v1.0.0", "iris@v1.0.1"]


def test_an_older_commit_is_not_released_after_a_later_one(team: Path, lockgate: Lockgate) -> None:
    train(team, "iris", "one")
    older = commit_and_push(team)
    train(team, "iris", "two")
    later = commit_and_push(team)
    lockgate("release", "iris", *PUBLISH)
    git(team, "checkout", "--quiet", older)
    train(team, "iris", "one")
    assert lockgate("release", "iris", *PUBLISH).out == (
        f"iris: nothing to release, 1.0.0 was released from a later commit, {later[:7]}\n"
    )


def test_several_models_of_one_merge_are_recorded_in_one_commit(
    team: Path, remote: Path, lockgate: Lockgate
) -> None:
    for model in ("iris", "wine"):
        train(team, model, model)
    commit = commit_and_push(team)
    assert lockgate("release", *PUBLISH).code == 0
    assert tags(remote) == ["iris@v1.0.0", "wine@v1.0.0"]
    assert head(remote, "main^") == commit


def test_of_two_releases_that_race_the_second_takes_the_next_version(
    released: Path, remote: Path, lockgate: Lockgate
) -> None:
    """The remote moves between the fetch and the push: a hook lets the other release go first, once."""
    other = clone(remote, released.parent / "other")
    train(other, "iris", "four")
    git(other, "add", "--all")
    git(other, "commit", "--quiet", "--message", "Two")
    train(released, "iris", "three")
    git(other, "push", "--quiet")
    git(released, "fetch", "--quiet")
    git(released, "reset", "--quiet", "--soft", "origin/main")
    commit_and_push(released, "Three")
    hook = released / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f"#!/bin/sh\nrm {hook}\nunset GIT_DIR\n"
        f"cd {other} && {sys.executable} -m lockgate release iris --publish origin\n"
    )
    hook.chmod(0o755)
    done = lockgate("release", "iris", *PUBLISH)
    assert done.out.splitlines()[0].startswith("iris: released as 1.0.3 ")
    assert tags(remote) == [f"iris@v1.0.{patch}" for patch in range(4)]
    pull(released)
    assert lockgate("check").code == 0


def test_a_deleted_tag_comes_back_as_it_was(released: Path, remote: Path, lockgate: Lockgate) -> None:
    before = head(remote, "iris@v1.0.0")
    git(remote, "tag", "--delete", "iris@v1.0.0")
    assert lockgate("release", "iris", *PUBLISH).out.endswith("tagged iris@v1.0.0\n")
    assert head(remote, "iris@v1.0.0") == before


def test_a_tag_made_by_somebody_else_for_the_same_release_is_fine(
    released: Path, remote: Path, lockgate: Lockgate
) -> None:
    message = git(remote, "for-each-ref", "--format=%(contents)", "refs/tags/iris@v1.0.0")
    commit = head(remote, "iris@v1.0.0^{commit}")
    options = ("-c", "user.name=Eve", "-c", "user.email=eve@example.com")
    git(remote, *options, "tag", "--force", "--annotate", "--message", message, "iris@v1.0.0", commit)
    done = lockgate("release", "iris", *PUBLISH)
    assert (done.code, done.err) == (0, "")


def test_a_tag_of_that_name_for_something_else_is_an_error(
    released: Path, remote: Path, lockgate: Lockgate
) -> None:
    git(remote, "tag", "--force", "iris@v1.0.0", "main")
    done = lockgate("release", "iris", *PUBLISH)
    assert done.code == 1
    assert done.err.startswith(
        "error: the tag 'iris@v1.0.0' of 'origin' is not the one that registry/iris/1.0.0.yaml asks for\n"
    )


def test_a_remote_that_refuses_the_tag_gets_it_with_the_next_run(
    team: Path, remote: Path, lockgate: Lockgate
) -> None:
    train(team, "iris", "one")
    commit_and_push(team)
    hook = remote / "hooks/update"
    hook.write_text('#!/bin/sh\ncase "$1" in refs/tags/*) exit 1;; esac\n')
    hook.chmod(0o755)
    done = lockgate("release", "iris", *PUBLISH)
    assert done.code == 1
    assert done.err.startswith("error: the records are there, a tag is not: ")
    hook.unlink()
    assert lockgate("release", "iris", *PUBLISH).out.endswith("tagged iris@v1.0.0\n")


def test_a_remote_that_cannot_be_reached_leaves_everything_as_it_was(
    team: Path, remote: Path, lockgate: Lockgate
) -> None:
    train(team, "iris", "one")
    commit_and_push(team)
    remote.rename(remote.with_name("away.git"))
    done = lockgate("release", "iris", *PUBLISH)
    assert done.code == 1
    assert done.err.startswith("error: cannot fetch 'main' from 'origin': ")
    remote.with_name("away.git").rename(remote)
    assert lockgate("release", "iris", *PUBLISH).code == 0


def test_a_commit_that_was_pushed_over_is_not_released(team: Path, remote: Path, lockgate: Lockgate) -> None:
    start = head(team)
    train(team, "iris", "one")
    lost = commit_and_push(team)
    git(remote, "update-ref", "refs/heads/main", start)
    done = lockgate("release", "iris", *PUBLISH)
    assert done.code == 1
    assert done.err.startswith(f"error: commit {lost[:7]} is not on 'origin/main'\n")


def test_without_publishing_the_record_is_only_written(team: Path, remote: Path, lockgate: Lockgate) -> None:
    train(team, "iris", "one")
    commit_and_push(team)
    assert lockgate("release", "iris").code == 0
    assert record(team, "1.0.0")["version"] == "1.0.0"
    assert tags(remote) == []


def test_a_dry_run_writes_nothing(team: Path, lockgate: Lockgate) -> None:
    train(team, "iris", "one")
    commit_and_push(team)
    assert lockgate("release", "iris", "--dry-run", *PUBLISH).out == (
        "iris: would be released as 1.0.0 (major: the first release)\n"
    )
    assert not (team / "registry").exists()


@pytest.mark.parametrize(
    ("options", "version"),
    [
        ((), "1.0.2"),
        (("--bump", "major"), "2.0.0"),
        (("--label", "docs", "--label", "release:minor"), "1.1.0"),
    ],
)
def test_the_bump_and_a_label_override_the_rule(
    released: Path, lockgate: Lockgate, options: tuple[str, ...], version: str
) -> None:
    train(released, "iris", "three", as_of="2013-08-01")
    commit_and_push(released)
    assert lockgate("release", "iris", *options).out.startswith(f"iris: released as {version} ")


def test_changed_code_is_a_minor_release(released: Path, lockgate: Lockgate) -> None:
    train(released, "iris", "three", code="0f" * 16)
    commit_and_push(released)
    assert lockgate("release", "iris").out.startswith("iris: released as 1.1.0 (minor: ")


def test_a_new_input_that_must_be_sent_is_a_major_release(released: Path, lockgate: Lockgate) -> None:
    train(
        released, "iris", "three", inputs=(*INPUTS, {"name": "dest", "type": "category", "nullable": False})
    )
    commit_and_push(released)
    assert lockgate("release", "iris").out.startswith(
        "iris: released as 2.0.0 (major: callers may have to change: the input 'dest' is new and must be sent)"
    )


def test_json_tells_what_was_released(team: Path, lockgate: Lockgate) -> None:
    train(team, "iris", "one")
    commit = commit_and_push(team)
    told = json.loads(lockgate("release", "iris", *PUBLISH, "--format", "json").out)
    pull(team)
    sha256 = told["releases"][0].pop("record_sha256")
    assert told == {
        "releases": [
            {
                "model": "iris",
                "version": "1.0.0",
                "bump": "major",
                "reason": "the first release",
                "commit": commit,
                "record": "registry/iris/1.0.0.yaml",
                "tag": "iris@v1.0.0",
            }
        ],
        "unreleased": [],
        "commit": head(team),
        "tags": ["iris@v1.0.0"],
    }
    assert sha256 in git(team, "for-each-ref", "--format=%(contents)", "refs/tags/iris@v1.0.0")


def test_a_project_below_the_repository_s_root_is_released_and_promoted(
    tmp_path: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    project = tmp_path / "repository" / "ml" / "flights"
    make_project(project)
    monkeypatch.chdir(project)
    assert lockgate("render").code == 0
    join_remote(tmp_path / "repository", tmp_path / "remote.git")
    train(project, "iris", "one")
    commit_and_push(project)
    assert lockgate("release", "iris", *PUBLISH, "--image", IMAGE).code == 0
    pull(project)
    assert git(project, "show", "--format=", "--name-only").split() == [
        "ml/flights/registry/iris/1.0.0.md",
        "ml/flights/registry/iris/1.0.0.yaml",
    ]
    assert lockgate("promote", "iris", "production").code == 0
    commit_and_push(project)
    assert json.loads(lockgate("history", "--at", "2200-01-01", "--format", "json").out)["live"][0][
        "record"
    ] == ("registry/iris/1.0.0.yaml")
    assert lockgate("check").code == 0
