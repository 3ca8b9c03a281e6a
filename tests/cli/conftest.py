"""A small project on the disk, and the command line in this process or in one of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest
from tests.cli.project_tree import SPEC, commit, git, write_code

from lockgate.cli import main


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    code: int
    out: str
    err: str


Lockgate: TypeAlias = Callable[..., Outcome]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without generated files, which is also the working directory."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "project"
    root.mkdir()
    (root / "mlops.yaml").write_text(SPEC)
    write_code(root)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def lockgate(capsys: pytest.CaptureFixture[str]) -> Lockgate:
    """Runs a command in this process."""

    def run(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = main(arguments)
        captured = capsys.readouterr()
        return Outcome(code=code, out=captured.out, err=captured.err)

    return run


@pytest.fixture
def rendered(project: Path, lockgate: Lockgate) -> Path:
    """The project with its generated files."""
    assert lockgate("render").code == 0
    return project


@pytest.fixture
def committed(rendered: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The rendered project, committed to a Git repository of its own."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.com")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    git(rendered, "init", "--quiet", "--initial-branch=main")
    commit(rendered)
    return rendered
