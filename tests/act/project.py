"""A small project of two models for `act` to run: it is made, run once and committed."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
MODELS = ("flowers", "leaves")
MODEL_BLOCK = """\
  {name}:
    owner: botany
    task: classification
    data:
      source: data/{name}.csv
      target: large
      split: random
    train:
      estimator: models.{name}.model:build
      params: {{c: 1.0}}
    evaluate:
      bootstrap: {{samples: 100}}
    gates:
      accuracy: {{min: 0.6, max_drop: 0.5}}
    serve:
      replicas: {{min: 2, max: 4}}
"""
SPEC = """\
apiVersion: lockgate.dev/v1
project:
  repository: github.com/acme/flowers
  image_registry: ghcr.io/acme
models:
{models}environments:
  production: {{namespace: ml}}
"""
MODEL = """\
from sklearn.linear_model import LogisticRegression


def build(c: float) -> LogisticRegression:
    return LogisticRegression(C=c)
"""


def copied_project(factory: pytest.TempPathFactory, root: Path) -> Path:
    """A copy at `root` of the project, which all workers of a test run make once."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "act-project"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            _make_project(folder / "flowers")
            (folder / "made").touch()
    return Path(shutil.copytree(folder / "flowers", root))


def _make_project(root: Path) -> None:
    """The first commit holds a README only, the second the whole project as its author leaves it."""
    _write(root, {"README.md": "Flowers\n"})
    call(root, "git", "init", "--quiet", "--initial-branch=main")
    call(root, "git", "remote", "add", "origin", "https://github.com/acme/flowers.git")
    commit(root)
    _write(root, _files())
    for command in (("dvc", "init", "--quiet"), ("lockgate", "render"), ("lockgate", "run")):
        call(root, str(BIN / command[0]), *command[1:])
    for folder in ("artifacts", "reports"):
        shutil.rmtree(root / folder)
    commit(root)


def change(root: Path, name: str, old: str, new: str, *, render: bool = False) -> None:
    """Commit the change of the first place where the old text stands."""
    text = (root / name).read_text(encoding="utf-8")
    assert old in text
    (root / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    if render:
        call(root, str(BIN / "lockgate"), "render")
    commit(root)


def commit(root: Path) -> None:
    who = ("-c", "user.name=Flora", "-c", "user.email=flora@example.com")
    call(root, "git", "add", "--all")
    call(root, "git", *who, "commit", "--quiet", "--message=Change one thing")


def call(root: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=root, env=surroundings(root), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def surroundings(root: Path) -> dict[str, str]:
    """Variables of a runner that is nobody's own machine."""
    home = root.parent / "home"
    home.mkdir(exist_ok=True)
    given = {key: os.environ[key] for key in ("PYTHONPATH",) if key in os.environ}
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return {
        "PATH": path,
        "HOME": str(home),
        "DVC_NO_ANALYTICS": "1",
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        **given,
    }


def _files() -> dict[str, str]:
    rows = [f"{i % 17},{i % 5},{'yes' if i % 17 + (i * 7) % 5 > 9 else 'no'}" for i in range(400)]
    blocks = "".join(MODEL_BLOCK.format(name=name) for name in MODELS)
    files = {
        "mlops.yaml": SPEC.format(models=blocks),
        "requirements.txt": "",
        ".gitignore": "/artifacts/\n/reports/\n__pycache__/\n",
        "models/__init__.py": "",
    }
    for name in MODELS:
        files[f"data/{name}.csv"] = "\n".join(["petal,sepal,large", *rows, ""])
        files[f"models/{name}/__init__.py"] = ""
        files[f"models/{name}/model.py"] = MODEL
    return files


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
