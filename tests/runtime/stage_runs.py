"""Stages run one after the other in a project's folder, as DVC would."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lockgate import contract
from lockgate_runtime.stages.files import read_json

if TYPE_CHECKING:
    from lockgate.spec.model import Model, Spec

STAGES = ("ingest", "validate", "split", "train", "evaluate", "export", "scan", "gate")


def run_until(stage: str, spec: Spec, model: Model, root: Path) -> list[str]:
    """What each stage says, from the first up to the one named."""
    return [run_stage(name, spec, model, root) for name in STAGES[: STAGES.index(stage) + 1]]


def run_stage(stage: str, spec: Spec, model: Model, root: Path) -> str:
    said: str = importlib.import_module(f"lockgate_runtime.stages.{stage}").run(spec, model, root)
    return said


def artifact(model: Model, root: Path, name: str) -> Path:
    return root / contract.artifact_path(model.name, name)


def artifact_json(model: Model, root: Path, name: str) -> Any:
    return read_json(artifact(model, root, name))
