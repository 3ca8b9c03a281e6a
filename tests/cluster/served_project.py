"""A rendered project with releases and pins, of which nothing was ever trained, and controllers that obey or fail."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from tests.cli.project_tree import write_code

from lockgate.cli import main

Object: TypeAlias = Mapping[str, Any]

IMAGE = "ghcr.io/acme/iris@sha256:{}"
SPEC = """\
apiVersion: lockgate.dev/v1
project: {repository: github.com/acme/flowers}
models:
  iris:
    owner: botany
    task: classification
    data: {source: models.iris.data:load, target: species}
    train: {estimator: models.iris.model:build}
    serve: {replicas: {min: 4, max: 8}, rollout: canary}
  wine:
    owner: cellar
    task: classification
    data: {source: models.wine.data:load, target: grape}
    train: {estimator: models.wine.model:build}
    serve: {rollout: rolling}
environments:
  staging: {namespace: ml, models: {iris: {serve: {rollout: rolling}}}}
  production: {namespace: ml-live}
deployments:
  production: {iris: 1.0.0}
  staging: {}
"""


def make_served_project(root: Path, more: str = "") -> None:
    """Iris 1.0.0 is pinned in production; 1.1.0 is recorded, too."""
    (root / "registry/iris").mkdir(parents=True)
    (root / "mlops.yaml").write_text(SPEC + more)
    for version, digit in (("1.0.0", "a"), ("1.1.0", "b")):
        (root / f"registry/iris/{version}.yaml").write_text(
            f"model: iris\nversion: {version}\nimage: {IMAGE.format(digit * 64)}\n"
            f"artifact_sha256: {digit * 64}\nmetrics: {{}}\n"
        )
    write_code(root)
    assert main(["-C", str(root), "render"]) == 0


def healthy(document: Object) -> Object:
    """What controllers make of an object that was applied, where all goes well."""
    if document["kind"] == "Rollout":
        return {"status": {"phase": "Healthy"}}
    if document["kind"] == "Deployment":
        wanted = document["spec"].get("replicas", 1)
        return {"status": dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), wanted)}
    return {}


def rolling(document: Object) -> Object:
    return {"status": {"phase": "Progressing"}} if document["kind"] == "Rollout" else healthy(document)


def aborted(document: Object) -> Object:
    """With words that are meant to steer who reads them."""
    if document["kind"] != "Rollout":
        return healthy(document)
    message = "RolloutAborted: metric ##[add-mask]x\n::error::failed"
    hashes = {"currentPodHash": "new", "stableRS": "old"}
    return {"status": {"phase": "Degraded", "abort": True, "message": message, **hashes}}
