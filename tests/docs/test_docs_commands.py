"""The quick commands of `docs/getting-started.md` are run as they stand, one after the other."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, blocks


@pytest.mark.slow
def test_the_commands_for_a_first_project_work(tmp_path: Path) -> None:
    script = "".join(block.text for block in blocks() if block.info == "bash run")
    assert script.count("lockgate ") > 4
    if shutil.which("git") is None:
        pytest.skip("git is not installed: install it with your system's packages")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "HOME": str(tmp_path), "GIT_CONFIG_GLOBAL": os.devnull}
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert (tmp_path / "flights/pipelines/flight-delay/dvc.yaml").is_file()


@pytest.mark.slow
def test_the_benchmark_prints_a_table(tmp_path: Path) -> None:
    command = [sys.executable, "benchmarks/compile.py", "--models", "2", "--rounds", "1"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    rows = [line for line in result.stdout.splitlines() if "`lockgate check`" in line]
    assert [row.split("|")[1].split("(")[0].strip() for row in rows] == ["the example", "2 models"]
