"""The command line of the runtime: what it prints, and with which exit code it ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lockgate_runtime.__main__ import BUG, FAILED, OK, STAGES, USAGE, main

SPEC = """
apiVersion: lockgate.dev/v1
project: {repository: github.com/acme/buses}
models:
  late-bus:
    owner: ops
    task: classification
    data: {source: team.data:load, target: late, time: departure}
    train: {estimator: team.model:build}
"""


@pytest.fixture
def root(project: Path) -> Path:
    (project / "mlops.yaml").write_text(SPEC)
    return project


def test_stages_run_one_after_another_and_say_what_they_did(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for stage in ("ingest", "validate", "split", "train"):
        assert main([stage, "late-bus", "--root", str(root)]) == OK
    assert capsys.readouterr().out.splitlines() == [
        "ingest: 600 rows of 7 columns from 'team.data:load'",
        "validate: 600 rows are valid, 0 are left out",
        "split: 480 rows to train, 120 held out (by time)",
        "train: fitted Pipeline on 480 rows of 5 features",
    ]


def test_two_runs_leave_equal_bytes(root: Path) -> None:
    runs = []
    for _ in range(2):
        for stage in ("ingest", "validate", "split", "train"):
            main([stage, "late-bus", "--root", str(root)])
        runs.append({path.name: path.read_bytes() for path in (root / "artifacts" / "late-bus").iterdir()})
    assert len(runs[0]) == 9
    assert runs[0] == runs[1]


@pytest.mark.slow
def test_bundled_flights_run_from_the_repositorys_own_spec(
    tmp_path: Path, clean_imports: None, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = Path(__file__).parents[2]
    shutil.copytree(repository / "models", tmp_path / "models", ignore=shutil.ignore_patterns("__pycache__"))
    spec = (repository / "mlops.yaml").read_text()
    for long, short in (
        ("train: 180d", "train: 20d"),
        ("holdout: 30d", "holdout: 5d"),
        ("iter: 300", "iter: 20"),
    ):
        assert long in spec
        spec = spec.replace(long, short)
    (tmp_path / "mlops.yaml").write_text(spec)
    for stage in ("ingest", "validate", "split", "train"):
        assert main([stage, "flight-delay", "--root", str(tmp_path)]) == OK
    assert capsys.readouterr().out.splitlines() == [
        "ingest: 22,473 rows of 17 columns from 'models.flight_delay.data:load'",
        "validate: 22,473 rows are valid, 0 are left out",
        "split: 18,149 rows to train, 4,324 held out (by time)",
        "train: fitted Pipeline on 18,149 rows of 15 features",
    ]


def test_folder_that_cannot_be_written_is_told(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "artifacts").write_text("in the way")
    assert main(["ingest", "late-bus", "--root", str(root)]) == FAILED
    assert capsys.readouterr().err.splitlines()[0] == f"error: '{root}/artifacts/late-bus': Not a directory"


def test_failure_is_an_error_with_help_and_no_traceback(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "late-bus", "--root", str(root)]) == FAILED
    assert capsys.readouterr().err.splitlines() == [
        f"error: '{root}/artifacts/late-bus/train.parquet' does not exist",
        "help: run the stages before this one: 'dvc repro' does",
    ]


def test_spec_with_errors_is_refused_at_its_place(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "mlops.yaml").write_text(SPEC.replace("owner", "onwer"))
    assert main(["ingest", "late-bus", "--root", str(root)]) == FAILED
    assert "mlops.yaml:6:5: error:" in capsys.readouterr().err


def test_unknown_model_is_misuse_and_suggests_the_nearest(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ingest", "late-buss", "--root", str(root)]) == USAGE
    assert capsys.readouterr().err.splitlines() == [
        "error: 'mlops.yaml' has no model 'late-buss'",
        "help: it has 'late-bus'",
    ]


def test_folder_without_spec_is_misuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ingest", "late-bus", "--root", str(tmp_path)]) == USAGE
    assert capsys.readouterr().err.splitlines() == [
        f"error: '{tmp_path}/mlops.yaml' cannot be read: No such file or directory",
        "help: name the folder of 'mlops.yaml' with '--root'",
    ]


def test_unknown_stage_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["trian", "late-bus"])
    assert ended.value.code == USAGE
    assert "argument STAGE: invalid choice: 'trian'" in capsys.readouterr().err


def test_help_names_every_stage_and_gives_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    text = capsys.readouterr().out
    assert ended.value.code == OK
    assert [stage for stage in STAGES if f"\n  {stage} " in text] == list(STAGES)
    assert "python -m lockgate_runtime train flight-delay" in text


def test_values_of_the_data_cannot_steer_the_terminal(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "team" / "data.py").write_text("def load():\n    raise ValueError('\\x1b[2J\\x07 boo')\n")
    assert main(["ingest", "late-bus", "--root", str(root)]) == FAILED
    assert r"raised ValueError: \x1b[2J\x07 boo" in capsys.readouterr().err


def test_bug_of_ours_shows_its_traceback_and_asks_for_a_report(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lockgate_runtime.stages.ingest.file_sha256", None)
    assert main(["ingest", "late-bus", "--root", str(root)]) == BUG
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-2:] == ["error: this is a bug in Lockgate", "help: please report it with the lines above"]


def test_start_imports_no_data_science() -> None:
    code = "import sys, lockgate_runtime.__main__; print(sorted({'numpy', 'pandas', 'sklearn'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout == "[]\n"
