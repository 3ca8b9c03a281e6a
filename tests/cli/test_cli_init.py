"""`lockgate init`: a project that works at once, and nothing overwritten."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Lockgate
from tests.cli.project_tree import edit, git, process

from lockgate.cli.git import repository_of
from lockgate.cli.scaffold import model_name, package_name
from lockgate.spec import read

NO_TRAINING = "needs the libraries of the stages: pip install 'lockgate[all]'"


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    return tmp_path


@pytest.fixture
def without_dvc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting DVC takes a second, and most of these tests need none."""
    monkeypatch.setitem(sys.modules, "dvc", None)


@pytest.mark.usefixtures("without_dvc")
def test_a_new_project_checks_and_git_sees_it(lockgate: Lockgate, tmp_path: Path) -> None:
    outcome = lockgate("init", "Flight Delay!")
    root = tmp_path / "Flight Delay!"
    assert outcome.code == 0
    assert lockgate("-C", str(root), "check").code == 0
    assert git(root, "status", "--porcelain", "--", "mlops.yaml") == "?? mlops.yaml\n"
    assert sorted(path.name for path in (root / "models/flight_delay").iterdir()) == [
        "__init__.py",
        "data.py",
        "model.py",
    ]
    assert "  cd 'Flight Delay!'\n  pip install 'lockgate[all]'\n  dvc init\n" in outcome.out


@pytest.mark.usefixtures("without_dvc")
def test_the_repository_is_read_from_git(lockgate: Lockgate, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "x")
    git(tmp_path / "x", "remote", "add", "origin", "git@github.com:acme/flights.git")
    assert lockgate("init", "x").code == 0
    spec = read((tmp_path / "x/mlops.yaml").read_bytes()).spec
    assert spec is not None
    assert spec.project.repository == "github.com/acme/flights"


@pytest.mark.usefixtures("without_dvc")
def test_a_project_is_not_made_twice(lockgate: Lockgate, tmp_path: Path) -> None:
    lockgate("init", "x")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    outcome = lockgate("init", "x")
    assert outcome.code == 1
    assert "= help: it is a project: run `lockgate check`" in outcome.err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.usefixtures("without_dvc")
def test_files_that_may_be_there_are_kept(lockgate: Lockgate, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x/.gitignore").write_text("mine\n")
    outcome = lockgate("init", "x")
    assert outcome.code == 0
    assert "kept  .gitignore, which was here already\n" in outcome.out
    assert (tmp_path / "x/.gitignore").read_text() == "mine\n"


@pytest.mark.usefixtures("without_dvc")
def test_a_file_in_the_way_stops_before_anything_is_written(lockgate: Lockgate, tmp_path: Path) -> None:
    (tmp_path / "x/models/x").mkdir(parents=True)
    (tmp_path / "x/models/x/data.py").write_text("mine\n")
    outcome = lockgate("init", "x")
    assert outcome.code == 1
    assert "already holds models/x/data.py" in outcome.err
    assert not (tmp_path / "x/mlops.yaml").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--name", "Not a name"),
        ("--name", "../../evil"),
        ("--name", "a: {}\n  b"),
        ("--repository", "flights"),
        ("--repository", "github.com/a/b\n  branch: x"),
    ],
)
def test_a_name_that_no_spec_takes_is_a_usage_error(
    lockgate: Lockgate, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    assert lockgate("init", "x", *arguments).code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_folder_inside_of_a_repository_is_refused(lockgate: Lockgate, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    outcome = lockgate("init", "sub")
    assert outcome.code == 1
    assert "GitHub reads workflows at its top only" in outcome.err


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("Flight Delay", "flight-delay"),
        ("2013 flights", "model-2013-flights"),
        ("--", "model"),
        ("x" * 50, "x" * 40),
    ],
)
def test_a_folders_name_becomes_a_models(folder: str, name: str) -> None:
    assert model_name(folder) == name


def test_a_keyword_is_no_package() -> None:
    assert (package_name("import"), package_name("flight-delay")) == ("import_", "flight_delay")


@pytest.mark.parametrize(
    ("remote", "repository"),
    [
        ("git@github.com:acme/flights.git", "github.com/acme/flights"),
        ("https://github.com/acme/flights", "github.com/acme/flights"),
        ("https://user:secret@GitHub.com/acme/flights.git/", "github.com/acme/flights"),
        ("ssh://git@git.acme.dev:2222/ml/flights.git", "git.acme.dev:2222/ml/flights"),
        ("/srv/git/flights.git", None),
        ("", None),
        (None, None),
    ],
)
def test_a_remotes_address_becomes_a_repository(remote: str | None, repository: str | None) -> None:
    assert repository_of(remote) == repository


@pytest.mark.slow
def test_a_new_project_runs_at_once_and_its_gate_can_block(tmp_path: Path) -> None:
    for library in ("dvc", "sklearn", "onnxruntime"):
        pytest.importorskip(library, reason=NO_TRAINING)
    root = tmp_path / "tumours"
    made = process(tmp_path, "init", "tumours")
    assert made.returncode == 0, made.stderr
    assert "remote = storage" in (root / ".dvc/config").read_text()
    first = process(root, "run")
    assert first.returncode == 0, first.stdout + first.stderr
    assert first.stdout.count("  ✓ train") == 1
    assert "tumours: every gate holds\n" in first.stdout
    assert json.loads((root / "reports/tumours/report.json").read_text())["models"][0]["verdict"] == "pass"
    assert "train      unchanged" in process(root, "run", "--dry-run").stdout
    edit(root, "roc_auc: {min: 0.95}", "roc_auc: {min: 0.9999}")
    assert process(root, "render").returncode == 0
    blocked = process(root, "run")
    assert blocked.returncode == 1, blocked.stdout + blocked.stderr
    assert "tumours: blocked\n" in blocked.stdout
    assert "train      unchanged" in blocked.stdout
    assert process(root, "run", "--no-gate-exit").returncode == 0
