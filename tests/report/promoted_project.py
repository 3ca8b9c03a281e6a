"""A team's clone with a model that has four releases: the first is live in production, the last was in staging."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.project_tree import edit
from tests.registry.team import IMAGE, commit_and_push, commit_on, join_remote, make_project, pull, train
from tests.report.report_artifacts import binary_files, changed, write_files

from lockgate.cli import main

ENVIRONMENTS = """\
environments:
  staging: {namespace: ml-staging, promote: automatic}
  production:
    namespace: ml
    requires: [staging]
    soak: 24h
    reviewers: ["@acme/ml"]
    models: {iris: {serve: {replicas: {min: 4}, rollout: canary}}}
"""
PINS = (
    (0, "staging", "1.0.0"),
    (1, "production", "1.0.0"),
    (2, "staging", "1.0.3"),
    (4, "staging", "1.0.2"),
)
AUC = {"1.0.0": 0.7124, "1.0.1": 0.7131, "1.0.2": 0.7119, "1.0.3": 0.7402}


def make_promoted(folder: Path) -> Path:
    """The clone, on its main branch; the remote lies beside it."""
    root = folder / "clone"
    make_project(root)
    text = (root / "mlops.yaml").read_text()
    (root / "mlops.yaml").write_text(text[: text.index("environments:")] + ENVIRONMENTS)
    edit(root, "github.com/acme/flights\n", "github.com/acme/flights\n  image_registry: ghcr.io/acme\n")
    run(root, "render")
    with pytest.MonkeyPatch.context() as patch:
        commit_on(patch, -1)
        join_remote(root, folder / "remote.git")
        for version in AUC:
            release(root, version)
    for day, environment, version in PINS:
        run(root, "promote", "iris", environment, "--version", version)
        with pytest.MonkeyPatch.context() as patch:
            commit_on(patch, day)
            commit_and_push(root, f"Promote iris {version} in {environment}")
    return root


def release(root: Path, version: str) -> None:
    """Train a model of its own ROC-AUC, have it approved and released; with the third its code changed."""
    code = "c0de" if version < "1.0.2" else "beef"
    train(root, "iris", version, code=code * 8)
    write_metric(root, AUC[version])
    commit_and_push(root, f"Train {version}")
    url = f"https://github.com/acme/flights/pull/{version[-1]}"
    options = ("--image", IMAGE, "--bump", "patch", "--report", url, "--approver", "grace")
    run(root, "release", "iris", "--publish", "origin", *options)
    pull(root)


def write_metric(root: Path, auc: float) -> None:
    """Leave another ROC-AUC in what the run left."""
    metric = binary_files()["evaluation.json"]["metrics"]["roc_auc"]
    half = 0.008
    moved = {**metric, "value": auc, "low": auc - half, "high": auc + half}
    files = changed(
        {"evaluation.json": binary_files()["evaluation.json"]},
        ("evaluation.json", "metrics", "roc_auc"),
        moved,
    )
    write_files(root, "iris", files)


def record(root: Path, version: str) -> Path:
    return root / "registry" / "iris" / f"{version}.yaml"


def run(root: Path, *arguments: str) -> None:
    assert main(["-C", str(root), *arguments]) == 0, json.dumps(arguments)
