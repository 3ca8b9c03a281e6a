"""The wheel, alone in an empty environment: what somebody gets who installs it."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    return next(folder.glob("lockgate-*.whl"))


@pytest.fixture(scope="module")
def lockgate(wheel: Path) -> Path:
    """The command, in an environment that holds the wheel and what it asks for."""
    home = wheel.parent / "home"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile", wheel)
    return home / "bin" / "lockgate"


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_wheel_holds_both_packages_the_schema_and_the_licence_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"lockgate", "lockgate_runtime", "lockgate-0.1.0.dist-info"}
    assert {"lockgate/schema/mlops.schema.json", "lockgate-0.1.0.dist-info/licenses/LICENSE"} <= set(names)


@pytest.mark.slow
def test_the_wheel_starts_a_project_and_checks_it(lockgate: Path, tmp_path: Path) -> None:
    run(lockgate, "init", "demand", cwd=tmp_path)
    assert "ok: 1 model" in run(lockgate, "check", cwd=tmp_path / "demand")
    explained = run(lockgate, "explain", "models.demand.evaluate.threshold", cwd=tmp_path / "demand")
    assert "0.5" in explained
    assert '"title": "mlops.yaml"' in run(lockgate, "schema")


@pytest.mark.slow
def test_without_dvc_a_run_says_what_to_install(lockgate: Path, tmp_path: Path) -> None:
    run(lockgate, "init", "demand", cwd=tmp_path)
    done = subprocess.run(
        [lockgate, "run"], cwd=tmp_path / "demand", capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "pip install 'lockgate[" in done.stderr
