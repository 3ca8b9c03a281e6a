"""A team's clone with its remote on the disk, and runs of its models that nothing was trained for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cli.project_tree import git, write_code
from tests.report.report_artifacts import binary_files, changed, write_files

from lockgate.contract.sums import artifact_sha256, sums_of
from lockgate.yaml.dump import dump

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
IMAGE = f"ghcr.io/acme/flights@sha256:{'1f' * 32}"
SPEC = """\
apiVersion: lockgate.dev/v1
project:
  repository: github.com/acme/flights
models:
  iris:
    owner: botany
    task: classification
    data: {source: models.iris.data:load, target: species}
    train: {estimator: models.iris.model:build}
    serve: {}   # as it comes
  wine:
    owner: cellar
    task: classification
    data: {source: models.wine.data:load, target: grape}
    train: {estimator: models.wine.model:build}
    serve: {}
environments:
  staging: {namespace: ml-staging}
  production: {namespace: ml}
"""
INPUTS = ({"name": "carrier", "type": "category", "nullable": False, "values": ["UA", "DL"]},)


def make_project(root: Path) -> None:
    root.mkdir(parents=True)
    (root / "mlops.yaml").write_text(SPEC)
    (root / ".gitignore").write_text("/artifacts/\n")
    write_code(root)


def join_remote(root: Path, remote: Path) -> None:
    """Make the project the first commit of a new remote's main branch."""
    git(root.parent, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    git(root, "init", "--quiet", "--initial-branch=main")
    configure(root)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Start")
    git(root, "remote", "add", "origin", str(remote))
    git(root, "push", "--quiet", "--set-upstream", "origin", "main")


def configure(root: Path) -> None:
    for key, value in (("user.name", "Ada"), ("user.email", "ada@example.com"), ("gc.auto", "0")):
        git(root, "config", key, value)


def clone(remote: Path, root: Path, *options: str) -> Path:
    git(remote.parent, "clone", "--quiet", *options, remote.as_uri(), str(root))
    configure(root)
    return root


def train(
    root: Path,
    model: str,
    word: str,
    *,
    inputs: tuple[Mapping[str, Any], ...] = INPUTS,
    code: str = "c0de" * 8,
    as_of: str = "2013-07-01",
) -> str:
    """Leave what a run leaves whose model's bytes are the word; its artifact's hash."""
    signature = {
        "model": model,
        "kind": "binary",
        "target": "delayed",
        "inputs": list(inputs),
        "classes": ["0", "1"],
        "positive": "1",
        "threshold": 0.5,
    }
    texts = {"model.onnx": f"{word}\n", "signature.json": json.dumps(signature)}
    sums = sums_of({name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()})
    digest = artifact_sha256(sums)
    files = changed(binary_files(), ("export.json", "artifact_sha256"), digest)
    inside = {**texts, "SHA256SUMS": sums.decode()}
    write_files(root, model, {**files, **{f"model/{name}": text for name, text in inside.items()}})
    _write_lock(root, model, inside, code, as_of)
    return digest


def commit_on(patch: pytest.MonkeyPatch, day: int) -> None:
    """Let commits be made that many days after the start."""
    for role in ("AUTHOR", "COMMITTER"):
        patch.setenv(f"GIT_{role}_DATE", (START + timedelta(days=day)).isoformat())


def commit_and_push(root: Path, message: str = "Train") -> str:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", message)
    git(root, "push", "--quiet", "origin", "HEAD:main")
    return head(root)


def pull(root: Path) -> None:
    git(root, "pull", "--quiet", "--rebase", "origin", "main")


def head(root: Path, reference: str = "HEAD") -> str:
    return git(root, "rev-parse", reference).strip()


def tags(remote: Path) -> list[str]:
    return git(remote, "tag", "--list").split()


def push_artifact(root: Path, model: str) -> Path:
    """Put the model that was last trained where `dvc push` does; the remote's folder."""
    remote = root / ".dvc" / "remote"
    (root / ".dvc" / "config").parent.mkdir(exist_ok=True)
    (root / ".dvc" / "config").write_text(
        "[core]\n    analytics = false\n    remote = storage\n['remote \"storage\"']\n    url = remote\n"
    )
    (root / ".dvc" / ".gitignore").write_text("/remote\n/cache\n/tmp\n")
    folder = root / "artifacts" / model / "model"
    inside = {it.name: it.read_text() for it in folder.iterdir()}
    listing = json.dumps(_entries(inside), sort_keys=True)
    for name, text in {f"{_md5(listing)}.dir": listing, **{_md5(it): it for it in inside.values()}}.items():
        path = remote / "files" / "md5" / name[:2] / name[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return remote


def _entries(inside: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"md5": _md5(text), "relpath": name} for name, text in sorted(inside.items())]


def _write_lock(root: Path, model: str, inside: Mapping[str, str], code: str, as_of: str) -> None:
    entries = _entries(inside)
    lock = {
        "schema": "2.0",
        "stages": {
            "export": {
                "cmd": f"python -m lockgate_runtime export {model}",
                "deps": [{"path": f"models/{model}", "hash": "md5", "md5": code}],
                "params": {"mlops.yaml": {f"models.{model}.data.as_of": as_of}},
                "outs": [
                    {
                        "path": f"artifacts/{model}/model",
                        "hash": "md5",
                        "md5": f"{_md5(json.dumps(entries, sort_keys=True))}.dir",
                    }
                ],
            }
        },
    }
    path = root / "pipelines" / model / "dvc.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dump(lock))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
