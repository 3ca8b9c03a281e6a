"""A team's clone of a remote on the disk, bare, with releases or with pins, and the command line in this process.

What takes many steps is made once and copied for each test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import Lockgate, Outcome
from tests.cli.project_tree import git
from tests.registry.team import IMAGE, commit_and_push, commit_on, join_remote, make_project, pull, train

from lockgate.cli import main


@pytest.fixture(scope="session")
def past() -> Iterator[pytest.MonkeyPatch]:
    """Nobody's Git settings; what is committed here is older than what tests commit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        commit_on(patch, -1)
        yield patch


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, past: pytest.MonkeyPatch) -> Path:
    """A folder with a rendered project, `clone`, and its remote, `remote.git`."""
    folder = tmp_path_factory.mktemp("team")
    make_project(folder / "clone")
    assert main(["-C", str(folder / "clone"), "render"]) == 0
    join_remote(folder / "clone", folder / "remote.git")
    return folder


@pytest.fixture(scope="session")
def released_template(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Iris has the releases 1.0.0 and 1.0.1; nothing is pinned."""
    root = copied(template, tmp_path_factory.mktemp("released") / "team")
    for word in ("one", "two"):
        train(root, "iris", word)
        commit_and_push(root)
        options = ("--publish", "origin", "--image", IMAGE)
        assert main(["-C", str(root), "release", "iris", *options]) == 0
        pull(root)
    return root.parent


@pytest.fixture(scope="session")
def live_template(released_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1.0.0 came to production on the first day and 1.0.1 on the second."""
    root = copied(released_template, tmp_path_factory.mktemp("live") / "team")
    for day, version in enumerate(("1.0.0", "1.0.1")):
        assert main(["-C", str(root), "promote", "iris", "production", "--version", version]) == 0
        with pytest.MonkeyPatch.context() as patch:
            commit_on(patch, day)
            commit_and_push(root, f"Promote iris {version} (#{day + 1})")
    return root.parent


@pytest.fixture
def team(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The clone, which is also the working directory; the remote lies beside it."""
    return entered(template, tmp_path, monkeypatch)


@pytest.fixture
def released(released_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return entered(released_template, tmp_path, monkeypatch)


@pytest.fixture
def live(live_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return entered(live_template, tmp_path, monkeypatch)


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return tmp_path / "team" / "remote.git"


@pytest.fixture
def lockgate(capsys: pytest.CaptureFixture[str]) -> Lockgate:
    """Runs a command in this process."""

    def run(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = main(arguments)
        captured = capsys.readouterr()
        return Outcome(code=code, out=captured.out, err=captured.err)

    return run


def entered(template: Path, folder: Path, patch: pytest.MonkeyPatch) -> Path:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        patch.delenv(name, raising=False)
    root = copied(template, folder / "team")
    patch.chdir(root)
    return root


def copied(template: Path, folder: Path) -> Path:
    """A clone of its own, with a remote of its own."""
    shutil.copytree(template, folder)
    git(folder / "clone", "remote", "set-url", "origin", str(folder / "remote.git"))
    return folder / "clone"
