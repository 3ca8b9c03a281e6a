"""A small spec, and what tests do to a project of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SPEC = """\
apiVersion: lockgate.dev/v1
project:
  repository: github.com/acme/flights
models:
  iris:
    owner: botany
    task: classification
    data: {source: models.iris.data:load, target: species}
    train: {estimator: models.iris.model:build, params: {depth: 3}}
    serve: {}
  wine:
    owner: cellar
    task: classification
    data: {source: models.wine.data:load, target: grape}
    train: {estimator: models.wine.model:build}
environments:
  production: {namespace: ml}
"""


CODE = (
    "requirements.txt",
    *(f"models/{model}/{name}.py" for model in ("iris", "wine") for name in ("data", "model")),
)


def write_code(root: Path) -> None:
    """The files that the spec names; empty ones do where nothing is trained."""
    for path in CODE:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


def git(root: Path, *arguments: str) -> str:
    result = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
    return result.stdout


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "change")


def edit(root: Path, old: str, new: str) -> None:
    """Replace a piece of the spec, which has to be there."""
    path = root / "mlops.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def process(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "lockgate", *arguments],
        cwd=root,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
