"""`lockgate report --base` in a real repository: what it is on, and what it says happens on merging."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.report.report_artifacts import regression_files, write_files
from tests.report.report_changes import BASE_LOCK, LOCK, regression_comparison

from lockgate.cli import main

SPEC = """\
apiVersion: lockgate.dev/v1
project: {repository: github.com/acme/rentals}
models:
  bike-rentals:
    owner: ops-analytics
    task: regression
    data: {source: models.bikes.data:load, target: rentals}
    train: {estimator: models.bikes.model:build}
    gates:
      rmse: {max: 150}
    serve:
      replicas: {min: 2, max: 5}
environments:
  production: {namespace: ml}
"""


def git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A committed project on the branch `change`, whose artifacts were compared with the base."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlops.yaml").write_text(SPEC)
    (tmp_path / ".gitignore").write_text("artifacts/\n")
    assert main(["render"]) == 0
    lock = tmp_path / "pipelines" / "bike-rentals" / "dvc.lock"
    lock.write_bytes(BASE_LOCK)
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "base")
    git(tmp_path, "checkout", "--quiet", "-b", "change")
    write_files(tmp_path, "bike-rentals", regression_files())
    write_files(tmp_path, "bike-rentals", {"comparison.json": regression_comparison()})
    capsys.readouterr()
    return tmp_path


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["report", "--base", "main", *arguments]) == 0
    return capsys.readouterr().out


def edit(root: Path, old: str, new: str) -> None:
    path = root / "mlops.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    assert main(["render"]) == 0


def test_a_readme_costs_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "README.md").write_text("# Rentals\n")
    text = report(capsys)
    assert text.startswith("> [!TIP]\n> **Lockgate: no model is affected.** There is nothing to judge.\n")
    assert (
        "No pipeline runs again: nothing is trained.\n\nNothing here reads 1 changed file: README.md." in text
    )


def test_replicas_retrain_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(project, "min: 2", "min: 3")
    capsys.readouterr()
    text = report(capsys)
    assert text.startswith("> [!TIP]\n> **Lockgate: no model is affected.**")
    assert "| `models.bike-rentals.serve.replicas.min` | 2 | 3 |" in text


def test_a_changed_model_is_told_whole_and_in_order(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(project, "build}", "build, seed: 3}")
    (project / "pipelines" / "bike-rentals" / "dvc.lock").write_bytes(LOCK)
    capsys.readouterr()
    whole = json.loads(report(capsys, "--format", "json"))
    assert (whole["verdict"], [model["name"] for model in whole["models"]]) == ("pass", ["bike-rentals"])
    model: dict[str, Any] = whole["models"][0]
    assert [change["path"] for change in model["tracked"]] == [
        "data/weather",
        "artifacts/flight-delay/raw.parquet",
    ]
    assert "train" in model["reruns"]
    text = report(capsys)
    places = [text.index(title) for title in ORDER]
    assert places == sorted(places)


ORDER = (
    "> **Lockgate: ",
    "| Gate | Outcome |",
    "### Metrics against the champion",
    "<b>Metrics against the baseline",
    "Slices, worst first",
    "### Worst slices found",
    "### Data",
    "<b>The data in detail",
    "## When this merges",
    "## How it came about",
    "<b>How it was computed",
    "<b>Export and scan",
    "<b>Model card",
    "<b>Spec: 1 key",
)


def test_a_candidate_that_was_not_compared_is_no_pass(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(project, "build}", "build, seed: 3}")
    (project / "artifacts" / "bike-rentals" / "comparison.json").unlink()
    capsys.readouterr()
    text = report(capsys, "--verdict-output", "out.txt")
    assert (project / "out.txt").read_text() == "verdict=warn\n"
    assert "| artifacts/bike-rentals/comparison.json | is missing: nothing was compared" in text
