"""What the jobs that run no pipeline install, with the real pip and packages from a folder."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.targets.emitted import emitted
from tests.targets.pipeline_plans import plan

LIGHT = {"lockgate-1.0", "small-1.0"}
ALL = {"lockgate-1.0", "small-1.0", "large-1.0", "theirs-1.0"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two versions of Lockgate and of what it needs, what its extras need, and a library of the user's."""
    pytest.importorskip("pip", reason="needs pip: python -m ensurepip")
    folder = tmp_path_factory.mktemp("packages")
    needs = {"lockgate": ("small", "large; extra == 'all'", "reaching; extra == 'cluster'")}
    names = ("lockgate", "small", "large", "reaching", "theirs")
    return {
        f"{name}-{version}": _wheel(folder, name, version, needs.get(name, ()))
        for name in names
        for version in ("1.0", "2.0")
    }


@pytest.mark.parametrize(
    "requirements",
    [
        "lockgate[all]==1.0\nsmall==1.0\ntheirs==1.0\n",
        "# comment\nlockgate [all] ==1.0  # why\n--constraint pins.txt\ntheirs>=1\n",
    ],
)
def test_lockgate_comes_alone_in_the_versions_that_are_pinned(
    packages: dict[str, Path], tmp_path: Path, requirements: str
) -> None:
    assert installed(packages, tmp_path, requirements) == LIGHT


def test_what_reaches_a_cluster_gets_the_extra_for_that(packages: dict[str, Path], tmp_path: Path) -> None:
    requirements = "lockgate[all]==1.0\nsmall==1.0\nreaching==1.0\n"

    found = installed(packages, tmp_path, requirements, package="lockgate[cluster]")

    assert found == {*LIGHT, "reaching-1.0"}


def test_hashes_hold(packages: dict[str, Path], tmp_path: Path) -> None:
    hashes = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in packages.items()}
    locked = _locked(hashes)

    assert installed(packages, tmp_path / "right", locked) == ALL
    with pytest.raises(subprocess.CalledProcessError):
        installed(packages, tmp_path / "wrong", locked.replace(hashes["small-1.0"], "0" * 64))


@pytest.mark.parametrize(
    "requirements",
    [
        "--requirement base.txt\n",
        "./{wheel}[all]\nlockgate==1.0\n--constraint pins.txt\ntheirs==1.0\n",
    ],
)
def test_everything_comes_where_lockgate_cannot_come_alone(
    packages: dict[str, Path], tmp_path: Path, requirements: str
) -> None:
    text = requirements.replace("./{wheel}", str(packages["lockgate-1.0"]))

    assert installed(packages, tmp_path, text) == ALL


def installed(
    packages: Mapping[str, Path], root: Path, requirements: str, *, package: str = "lockgate"
) -> set[str]:
    """The distributions that the step installs; nothing of it stays in the project."""
    project = root / "project"
    project.mkdir(parents=True)
    (project / "requirements.txt").write_text(requirements)
    (project / "pins.txt").write_text("small==1.0\nlarge==1.0\n")
    (project / "base.txt").write_text("lockgate[all]==1.0\nsmall==1.0\nlarge==1.0\ntheirs==1.0\n")
    pull_request, *_ = emitted(plan())
    (step,) = (it for it in pull_request["jobs"]["report"]["steps"] if it["id"] == "lockgate")
    environment = {
        **step["env"],
        "PACKAGE": package,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(packages["small-1.0"].parent),
        "PIP_TARGET": str(root / "site"),
        "PIP_CONFIG_FILE": os.devnull,
    }
    before = set(project.iterdir())
    subprocess.run(
        ("bash", "-e", "-c", step["run"]), cwd=project, env=environment, check=True, capture_output=True
    )
    assert set(project.iterdir()) == before
    return {path.name.removesuffix(".dist-info") for path in (root / "site").glob("*.dist-info")}


def _wheel(folder: Path, name: str, version: str, needs: tuple[str, ...]) -> Path:
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Provides-Extra: {extra}" for extra in ("all", "cluster")]
    files = {
        f"{info}/METADATA": "\n".join([*lines, *(f"Requires-Dist: {need}" for need in needs), ""]),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    return path


def _locked(hashes: Mapping[str, str]) -> str:
    """As pip-compile and uv write it."""
    pins = ("lockgate[all]", "small", "large", "theirs")
    return "".join(
        f"{pin}==1.0 \\\n    --hash=sha256:{hashes[pin.partition('[')[0] + '-1.0']}\n" for pin in pins
    )
