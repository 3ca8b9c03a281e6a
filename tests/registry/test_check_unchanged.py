"""`lockgate check` of a project with releases answers from memory only while records, tags and Git are the same."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Lockgate
from tests.cli.project_tree import edit, git
from tests.cli.remembered import MEMO, UNCHANGED, asked_of_kernel, paths_in_memo, remember, rest
from tests.registry.team import commit_and_push


@pytest.fixture
def remembered(live: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch) -> Path:
    return remember(live, lockgate, monkeypatch)


def test_a_project_with_releases_is_remembered(remembered: Path, lockgate: Lockgate) -> None:
    assert lockgate("check").out.endswith(UNCHANGED)


def test_every_path_that_a_check_asks_the_kernel_for_is_in_its_memo(live: Path) -> None:
    asked = asked_of_kernel(live)
    assert {"registry/iris", "registry/iris/1.0.1.yaml"} <= asked
    assert asked <= paths_in_memo(live)


def _append(path: str) -> Callable[[Path], object]:
    def change(root: Path) -> None:
        (root / path).parent.mkdir(exist_ok=True)
        with (root / path).open("a") as stream:
            stream.write("\n# more\n")

    return change


CHANGES: dict[str, Callable[[Path], object]] = {
    "a pinned record": _append("registry/iris/1.0.1.yaml"),
    "an older record": _append("registry/iris/1.0.0.yaml"),
    "a card": _append("registry/iris/1.0.1.md"),
    "a rejection": _append("registry/iris/1.0.1.rejected.yaml"),
    "another model": _append("registry/wine/1.0.0.yaml"),
    "an older record, deleted": lambda root: (root / "registry/iris/1.0.0.yaml").unlink(),
    "a new tag": lambda root: git(root, "tag", "iris@v9.9.9"),
    "a tag, deleted": lambda root: git(root, "tag", "--delete", "iris@v1.0.0"),
    "a tag, moved": lambda root: git(root, "tag", "--force", "-m", "x", "iris@v1.0.0", "HEAD~1"),
    "the repository, gone": lambda root: (root / ".git").rename(root.parent / "moved.git"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_noticed(remembered: Path, lockgate: Lockgate, name: str) -> None:
    CHANGES[name](remembered)
    found = lockgate("check")
    expected = lockgate("check", "--no-cache")
    assert "unchanged" not in found.out
    assert (found.code, found.err) == (expected.code, expected.err)


def test_git_that_is_not_found_any_more_is_noticed(
    remembered: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    assert "unchanged" not in lockgate("check").out


def test_packing_the_tags_changes_nothing(remembered: Path, lockgate: Lockgate) -> None:
    git(remembered, "pack-refs", "--all")
    assert lockgate("check").out.endswith(UNCHANGED)


def test_what_depends_on_time_and_history_is_not_remembered(
    live: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment that requires another reads the history and the clock."""
    rest(monkeypatch)
    assert lockgate("promote", "iris", "staging", "--version", "1.0.1").code == 0
    commit_and_push(live)
    edit(live, "production: {namespace: ml}", "production: {namespace: ml, requires: [staging]}")
    lockgate("render")
    assert (lockgate("check").code, (live / MEMO).exists()) == (0, False)
