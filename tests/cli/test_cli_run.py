"""`lockgate run` and `lockgate report`, with real DVC."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Lockgate
from tests.cli.project_tree import commit, edit, git, process

NO_DVC = "needs DVC: pip install 'lockgate[pipeline]'"


@pytest.fixture
def with_dvc(committed: Path) -> Path:
    """The committed project, known to DVC."""
    pytest.importorskip("dvc", reason=NO_DVC)
    (committed / ".dvc").mkdir()
    (committed / ".dvc/config").write_text("[core]\n    analytics = false\n")
    return committed


def add_first_stage(root: Path, script: str) -> None:
    """A stage of the user's own before all others of 'iris'."""
    (root / "first.py").write_text(script)
    stage = (
        "stages: {first: {command: [python, first.py], before: ingest, deps: [first.py], outs: [first.txt]}}"
    )
    edit(root, "    serve: {}", f"    serve: {{}}\n    {stage}")
    assert process(root, "render").returncode == 0


def test_stale_files_stop_the_run(lockgate: Lockgate, project: Path) -> None:
    outcome = lockgate("run")
    assert outcome.code == 3
    assert outcome.err.endswith(
        "error: the generated files are not what the spec makes\n  = help: run `lockgate render`\n"
    )


def test_errors_in_the_spec_stop_the_run(lockgate: Lockgate, rendered: Path) -> None:
    edit(rendered, "owner: botany", "ownr: botany")
    assert lockgate("run").code == 1


@pytest.mark.parametrize("command", ["run", "report"])
def test_an_unknown_model_is_a_usage_error(lockgate: Lockgate, rendered: Path, command: str) -> None:
    outcome = lockgate(command, "irs")
    assert outcome.code == 2
    assert outcome.err == "error: mlops.yaml has no model 'irs'\n  = help: did you mean 'iris'?\n"


def test_missing_dvc_says_what_to_install(
    lockgate: Lockgate, rendered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "dvc", None)
    outcome = lockgate("run")
    assert outcome.code == 1
    assert "= help: pip install 'lockgate[pipeline]'" in outcome.err


def test_a_project_outside_of_git_says_so(lockgate: Lockgate, rendered: Path) -> None:
    pytest.importorskip("dvc", reason=NO_DVC)
    assert "is in no Git repository, which DVC needs" in lockgate("run").err


def test_a_project_that_dvc_does_not_know_says_so(lockgate: Lockgate, committed: Path) -> None:
    pytest.importorskip("dvc", reason=NO_DVC)
    assert "= help: run `dvc init` in the project's folder" in lockgate("run").err


@pytest.mark.slow
def test_a_stage_that_fails_is_shown_with_what_it_printed(lockgate: Lockgate, with_dvc: Path) -> None:
    add_first_stage(with_dvc, "raise SystemExit('the feature store is down')")
    outcome = lockgate("run", "iris")
    assert outcome.code == 1
    assert "✗ first" in outcome.out
    assert "      the feature store is down\n" in outcome.out
    assert outcome.err.startswith("error: stage 'first' of 'iris' failed\n")


@pytest.mark.slow
def test_an_interrupt_stops_the_stage_too(with_dvc: Path) -> None:
    # The stage opens the first pipe when it has begun, and the second stays open until it has died.
    os.mkfifo(with_dvc / "begun")
    os.mkfifo(with_dvc / "alive")
    add_first_stage(
        with_dvc,
        "import signal\nalive = open('alive', 'w')\nopen('begun', 'w').close()\nsignal.pause()\n",
    )
    command = [sys.executable, "-m", "lockgate", "run", "iris"]
    with subprocess.Popen(
        command, cwd=with_dvc, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as running:
        with (with_dvc / "alive").open() as alive:
            (with_dvc / "begun").open().close()
            running.send_signal(signal.SIGINT)
            assert alive.read() == ""
        assert running.wait(60) == 130


def test_a_report_without_artifacts_fails_the_verdict(lockgate: Lockgate, rendered: Path) -> None:
    outcome = lockgate("report", "iris", "--output", "reports/report.md", "--verdict-output", "out.txt")
    assert (outcome.code, outcome.out) == (0, "")
    assert "iris" in (rendered / "reports/report.md").read_text()
    assert (rendered / "out.txt").read_text() == "verdict=fail\n"


@pytest.mark.parametrize(
    ("output_format", "start"), [("md", "> ["), ("html", "<!doctype html>"), ("json", "{")]
)
def test_a_report_has_three_formats(
    lockgate: Lockgate, rendered: Path, output_format: str, start: str
) -> None:
    assert lockgate("report", "--format", output_format).out.lower().startswith(start)


def test_a_report_since_a_base_is_on_the_models_it_touches(lockgate: Lockgate, committed: Path) -> None:
    git(committed, "checkout", "--quiet", "-b", "change")
    (committed / "models/wine").mkdir(parents=True, exist_ok=True)
    (committed / "models/wine/data.py").write_text("# changed\n")
    commit(committed)
    report = json.loads(lockgate("report", "--base", "main", "--format", "json").out)
    assert [model["name"] for model in report["models"]] == ["wine"]


def test_a_report_on_no_model_passes(lockgate: Lockgate, committed: Path) -> None:
    outcome = lockgate("report", "--base", "main", "--verdict-output", "out.txt")
    assert outcome.code == 0
    assert (committed / "out.txt").read_text() == "verdict=pass\n"


def test_an_output_that_cannot_be_written_is_a_clear_error(lockgate: Lockgate, rendered: Path) -> None:
    outcome = lockgate("report", "--output", "mlops.yaml/report.md")
    assert outcome.code == 1
    assert outcome.err.startswith("error: cannot write 'mlops.yaml/report.md': ")
