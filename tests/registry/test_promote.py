"""`lockgate promote`, `rollback` and `history` on a real Git repository with releases."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from tests.cli.conftest import Lockgate
from tests.cli.project_tree import edit, git
from tests.registry.team import IMAGE, clone, commit_and_push, commit_on, head, train

from lockgate.registry.pins import Pins, pins_in
from lockgate.spec import load


def merge(root: Path, monkeypatch: pytest.MonkeyPatch, day: int, message: str) -> None:
    """Commit everything on main, that many days after the start."""
    commit_on(monkeypatch, day)
    commit_and_push(root, message)


def pins(root: Path) -> Pins | None:
    return pins_in((root / "mlops.yaml").read_bytes())


def test_promoting_adds_one_pin_and_keeps_every_other_line(released: Path, lockgate: Lockgate) -> None:
    before = (released / "mlops.yaml").read_text()
    done = lockgate("promote", "iris", "production")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("mlops.yaml: deployments.production.iris: nothing → 1.0.1\n")
    added = "deployments:\n  production:\n    iris: 1.0.1\n"
    assert (released / "mlops.yaml").read_text() == before + added
    assert lockgate("check").code == 0


def test_promoting_another_version_changes_one_line(live: Path, lockgate: Lockgate) -> None:
    assert lockgate("promote", "iris", "production", "--version", "1.0.0").code == 0
    assert git(live, "diff", "--numstat", "mlops.yaml") == "1\t1\tmlops.yaml\n"
    assert lockgate("check").code == 0


def test_promoting_what_is_pinned_already_does_nothing(live: Path, lockgate: Lockgate) -> None:
    done = lockgate("promote", "iris", "production")
    assert (done.code, git(live, "status", "--porcelain")) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("iris", "prod"), 2, "mlops.yaml has no environment 'prod'"),
        (("rose", "production"), 2, "mlops.yaml has no model 'rose'"),
        (("iris", "production", "--version", "9.0.0"), 1, "no release 9.0.0 of 'iris' is recorded"),
        (("iris", "production", "--version", "../../x"), 1, "no release ../../x of 'iris' is recorded"),
        (("wine", "production"), 1, "'wine' has not been released yet"),
    ],
)
def test_what_cannot_be_promoted_is_said(
    released: Path, lockgate: Lockgate, arguments: tuple[str, ...], code: int, complaint: str
) -> None:
    done = lockgate("promote", *arguments)
    assert (done.code, done.err.splitlines()[0]) == (code, f"error: {complaint}")
    assert git(released, "status", "--porcelain") == ""


def test_a_version_without_an_image_cannot_be_pinned(team: Path, lockgate: Lockgate) -> None:
    train(team, "iris", "one")
    commit_and_push(team)
    lockgate("release", "iris")
    before = (team / "mlops.yaml").read_text()
    done = lockgate("promote", "iris", "production")
    assert done.code == 1
    assert "[pin-without-image]" in done.err
    assert (team / "mlops.yaml").read_text() == before


def test_a_promotion_that_would_change_a_workflow_is_refused(released: Path, lockgate: Lockgate) -> None:
    edit(released, "github.com/acme/flights\n", 'github.com/acme/flights\n  python: "3.12"\n')
    before = (released / "mlops.yaml").read_text()
    done = lockgate("promote", "iris", "production")
    assert done.code == 3
    assert "a promotion never touches workflows" in done.err
    assert (released / "mlops.yaml").read_text() == before


def test_rolling_back_goes_to_what_was_live_before(live: Path, lockgate: Lockgate) -> None:
    done = lockgate("rollback", "iris", "production")
    assert done.out.startswith("mlops.yaml: deployments.production.iris: 1.0.1 → 1.0.0\n")
    assert pins(live) == {"production": {"iris": "1.0.0"}}


def test_a_version_rolled_back_with_a_reason_is_promoted_only_with_another(
    live: Path, lockgate: Lockgate
) -> None:
    assert lockgate("rollback", "iris", "production", "--reason", "latency: doubled\n- x").code == 0
    assert lockgate("check").code == 0
    refused = lockgate("promote", "iris", "production", "--version", "1.0.1")
    assert refused.code == 1
    assert refused.err.startswith("error: 'iris' 1.0.1 was rejected in 'production' on ")
    options = ("--version", "1.0.1", "--override-rejection", "the load was the test's")
    assert lockgate("promote", "iris", "production", *options).code == 0
    assert lockgate("check").code == 0


def test_the_newest_version_that_was_not_rejected_is_the_default(live: Path, lockgate: Lockgate) -> None:
    lockgate("rollback", "iris", "production", "--reason", "bad")
    assert lockgate("promote", "iris", "staging").out.startswith(
        "mlops.yaml: deployments.staging.iris: nothing → 1.0.0\n"
    )


def test_a_rejected_version_that_is_pinned_by_hand_fails_the_check(live: Path, lockgate: Lockgate) -> None:
    lockgate("rollback", "iris", "production", "--reason", "bad")
    edit(live, "iris: 1.0.0", "iris: 1.0.1")
    assert lockgate("render").code == 0
    done = lockgate("check")
    assert done.code == 1
    assert "'iris' 1.0.1 was rejected in 'production': bad [pin-rejected]" in done.err


def test_reverting_the_revert_works(live: Path, lockgate: Lockgate) -> None:
    lockgate("rollback", "iris", "production", "--reason", "bad")
    commit_and_push(live, "Roll back")
    git(live, "revert", "--no-edit", "HEAD")
    assert pins(live) == {"production": {"iris": "1.0.1"}}
    assert lockgate("check").code == 0


def test_a_rollback_to_a_rejected_version_is_refused(live: Path, lockgate: Lockgate) -> None:
    lockgate("rollback", "iris", "production", "--reason", "bad")
    done = lockgate("rollback", "iris", "production", "--to", "1.0.1")
    assert (done.code, done.err.splitlines()[0]) == (1, "error: 'iris' 1.0.1 was rejected itself: bad")


def test_without_a_history_the_version_has_to_be_named(released: Path, lockgate: Lockgate) -> None:
    lockgate("promote", "iris", "production")
    done = lockgate("rollback", "iris", "production")
    assert done.code == 1
    assert done.err.startswith("error: cannot tell what was live in 'production' before 'iris' 1.0.1: ")
    assert lockgate("rollback", "iris", "production", "--to", "1.0.0").code == 0


def test_a_pull_request_holds_the_move_and_leaves_the_clone_alone(
    live: Path, remote: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = write_gh(live.parent / "bin", monkeypatch)
    before = head(live)
    done = lockgate("rollback", "iris", "production", "--reason", "bad $(x) `y`", "--open-pr")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[-1] == "https://github.com/acme/flights/pull/7"
    assert (git(live, "status", "--porcelain"), head(live)) == ("", before)
    arguments = called.read_text().splitlines()
    branch = arguments[arguments.index("--head") + 1]
    changed = git(remote, "diff", "--name-only", before, branch).split()
    assert "mlops.yaml" in changed
    assert "registry/iris/1.0.1.rejected.yaml" in changed
    assert [path for path in changed if path.startswith(".github/")] == []
    assert "Why: bad $(x) `y`" in (called.parent / "body").read_text()


def test_a_pull_request_needs_the_newest_commit_of_main(
    live: Path, remote: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_gh(live.parent / "bin", monkeypatch)
    commit_and_push(clone(remote, live.parent / "other"), "Go on")
    done = lockgate("rollback", "iris", "production", "--open-pr")
    assert done.code == 1
    assert done.err.startswith("error: this is not the newest commit of 'origin/main'")
    assert git(live, "status", "--porcelain") == ""


def write_gh(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for GitHub's command line; the file that its arguments go to."""
    folder.mkdir()
    called = folder / "called"
    gh = folder / "gh"
    gh.write_text(
        f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {called}\ncat > {folder}/body\n"
        "echo https://github.com/acme/flights/pull/7\n"
    )
    gh.chmod(gh.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return called


def test_history_tells_each_change_and_its_pull_request(live: Path, lockgate: Lockgate) -> None:
    told = json.loads(lockgate("history", "--format", "json").out)["changes"]
    assert [(it["time"], it["old"], it["new"], it["change"], it["pull_request"]) for it in told] == [
        ("2026-11-02T12:00:00Z", "1.0.0", "1.0.1", "promoted", 2),
        ("2026-11-01T12:00:00Z", None, "1.0.0", "promoted", 1),
    ]
    assert {it["author"] for it in told} == {"Ada <ada@example.com>"}


@pytest.mark.parametrize(
    ("time", "version"),
    [
        ("2026-11-01T11:59:59Z", []),
        ("2026-11-01T13:30:00+01:00", ["1.0.0"]),
        ("2026-11-02T12:00", ["1.0.1"]),
        ("2026-12-01", ["1.0.1"]),
    ],
)
def test_history_tells_what_was_live_at_a_time(
    live: Path, lockgate: Lockgate, time: str, version: list[str]
) -> None:
    told = json.loads(
        lockgate("history", "iris", "--env", "production", "--at", time, "--format", "json").out
    )
    assert [it["version"] for it in told["live"]] == version


def test_history_as_a_table(live: Path, lockgate: Lockgate) -> None:
    assert lockgate("history", "--at", "2026-11-01T12:00").out == (
        "Environment  Model  Version  Since                 By   Commit      Record\n"
        "production   iris   1.0.0    2026-11-01T12:00:00Z  Ada  "
        f"{head(live, 'HEAD~1')[:7]} #1  registry/iris/1.0.0.yaml\n"
    )


def test_a_name_cannot_break_out_of_the_markdown(
    live: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "a|b [x](http://y)")
    lockgate("rollback", "iris", "production")
    merge(live, monkeypatch, 3, "Roll back")
    assert r"a\|b \[x\](http://y)" in lockgate("history", "--format", "md").out.splitlines()[2]


@pytest.mark.parametrize("options", [("--at", "yesterday"), ("--ref", "nowhere"), ("--ref", "--all")])
def test_a_time_or_a_commit_that_nobody_knows_is_a_usage_error(
    live: Path, lockgate: Lockgate, options: tuple[str, str]
) -> None:
    assert lockgate("history", f"{options[0]}={options[1]}").code == 2


REQUIRING = "production: {namespace: ml, requires: [staging], soak: 24h}"


@pytest.fixture
def requiring(released: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Production asks for a day in staging; 1.0.1 was there for the first day of November, then 1.0.0."""
    edit(released, "production: {namespace: ml}", REQUIRING)
    assert lockgate("render").code == 0
    for day, version in enumerate(("1.0.1", "1.0.0")):
        assert lockgate("promote", "iris", "staging", "--version", version).code == 0
        merge(released, monkeypatch, day, "Promote")
    return released


def test_a_version_that_has_soaked_may_go_on(requiring: Path, lockgate: Lockgate) -> None:
    assert lockgate("promote", "iris", "production", "--version", "1.0.1").code == 0
    assert (lockgate("check").code, load(requiring).pins["production"]) == (0, {"iris": "1.0.1"})


def test_a_version_that_was_never_there_may_not(
    requiring: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(requiring, "iris", "three")
    commit_and_push(requiring)
    lockgate("release", "iris", "--image", IMAGE)
    lockgate("promote", "iris", "production")
    done = lockgate("check")
    assert done.code == 1
    assert (
        "'iris' 1.0.2 has never been live in 'staging', which 'production' requires [pin-requires]"
        in done.err
    )


def test_a_version_that_was_there_too_short_a_time_may_not(
    requiring: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(requiring, "soak: 24h", "soak: 48h")
    lockgate("promote", "iris", "production", "--version", "1.0.1")
    done = lockgate("check")
    assert (
        "'iris' 1.0.1 has been live in 'staging' for 1 d, and 'production' asks for 2 d [pin-soak]"
        in done.err
    )


def test_a_rollback_need_not_soak_again(
    live: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(live, "production: {namespace: ml}", REQUIRING)
    lockgate("render")
    lockgate("rollback", "iris", "production")
    assert lockgate("check").code == 0


def test_a_shallow_clone_says_that_it_cannot_know(
    requiring: Path, remote: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    shallow = clone(remote, requiring.parent / "shallow", "--depth", "1")
    monkeypatch.chdir(shallow)
    lockgate("promote", "iris", "production", "--version", "1.0.1")
    done = lockgate("check")
    assert (done.code, "fetch the history (`git fetch --unshallow`)" in done.err) == (1, True)


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("registry/iris/1.0.0.yaml", "the record is not the one that 1.0.1 follows"),
        ("registry/iris/1.0.1.yaml", "the record is not the one that the tag 'iris@v1.0.1' vouches for"),
        ("registry/iris/1.0.1.md", "the card is not the one that was released"),
    ],
)
def test_an_edited_record_fails_the_check(released: Path, lockgate: Lockgate, path: str, word: str) -> None:
    git(released, "fetch", "--quiet", "--tags")
    (released / path).write_text((released / path).read_text() + "# better\n")
    done = lockgate("check")
    assert done.code == 1
    assert f"{path}: error: {word} [record-edited]" in done.err


def test_a_deleted_record_fails_the_check(released: Path, lockgate: Lockgate) -> None:
    (released / "registry/iris/1.0.0.yaml").unlink()
    done = lockgate("check")
    assert done.code == 1
    assert "[record-edited]" in done.err
