"""A project whose exported model becomes the champion of its next run."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.runtime.stage_runs import artifact, artifact_json, run_stage, run_until

from lockgate import contract
from lockgate.contract.comparison import Champion, Comparison
from lockgate_runtime.stages.files import write_json

if TYPE_CHECKING:
    from lockgate.spec.model import Model, Spec

_OF_A_CHAMPION = (contract.TRAINING, contract.SPLIT, contract.VALIDATION)


def crown(spec: Spec, model: Model, root: Path) -> None:
    """Train and export the model, and lay what is made where a champion lies."""
    run_until("export", spec, model, root)
    directory = root / contract.artifact_path(model.name, contract.CHAMPION_DIRECTORY)
    shutil.copytree(artifact(model, root, contract.MODEL_DIRECTORY), directory / contract.MODEL_DIRECTORY)
    for name in _OF_A_CHAMPION:
        shutil.copy(artifact(model, root, name), directory / name)
    say(model, root, found=True, origin="pin", environment="production", version="1.2.0", commit="a" * 40)


def say(model: Model, root: Path, **facts: object) -> None:
    """What the search for a champion came to."""
    nothing = Champion(found=False, origin="none", environment=None, version=None, commit=None, reason=None)
    write_json(root / contract.champion_file(model.name, contract.CHAMPION), {**nothing, **facts})


def compared(spec: Spec, model: Model, root: Path) -> Comparison:
    """The comparison of what the pipeline last made."""
    run_stage("compare", spec, model, root)
    comparison: Comparison = artifact_json(model, root, contract.COMPARISON)
    return comparison


def forget_modules() -> None:
    """As a new process: the user's changed code is read again."""
    for name in [it for it in sys.modules if it.partition(".")[0] == "team"]:
        del sys.modules[name]
