"""A pipeline of the plan → the stages and the artifact of its dvc.yaml. Every output is cached.

DVC takes a stage from its run cache only if all outputs of the stage are cached, metrics among them.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, cast

from lockgate import contract
from lockgate.plan.model import Pipeline, Plan, Stage
from lockgate.targets.dvc.command import shell_command
from lockgate.targets.dvc.literal import literal
from lockgate.targets.file import File

if TYPE_CHECKING:
    from lockgate.targets.dvc.types import Artifact, DvcFile, DvcStage, Plot, PlotProperties

# From `pipelines/<model>/` to the repository's root.
_ROOT = "../.."

_PLOTS: dict[str, PlotProperties] = {
    contract.ROC_PLOT: {"x": "fpr", "y": "tpr", "title": "ROC curve"},
    contract.CALIBRATION_PLOT: {"x": "predicted", "y": "observed", "title": "Calibration"},
    contract.RESIDUALS_PLOT: {"x": "predicted", "y": "actual", "title": "Predicted and actual values"},
}


def emit(plan: Plan) -> tuple[File, ...]:
    """One dvc.yaml for each pipeline."""
    return tuple(
        File(path=f"{pipeline.directory}/dvc.yaml", content=literal(_dvc_file(pipeline)))
        for pipeline in plan.pipelines
    )


def _dvc_file(pipeline: Pipeline) -> DvcFile:
    stages = {stage.name: _stage(stage) for stage in pipeline.stages}
    model_directory = contract.artifact_path(pipeline.name, contract.MODEL_DIRECTORY)
    if not any(model_directory in stage.outs for stage in pipeline.stages):
        return {"stages": stages}
    return {"stages": stages, "artifacts": {pipeline.name: _artifact(pipeline, model_directory)}}


def _stage(stage: Stage) -> DvcStage:
    lists = {
        "deps": list(stage.deps),
        "params": [{contract.SPEC_FILE: list(stage.params)}] if stage.params else [],
        "outs": list(stage.outs),
        "metrics": list(stage.metrics),
        "plots": [_plot(path) for path in stage.plots],
    }
    start = {"desc": stage.description, "cmd": shell_command(stage.command), "wdir": _ROOT}
    return cast("DvcStage", start | {key: items for key, items in lists.items() if items})


def _plot(path: str) -> Plot:
    properties = _PLOTS.get(PurePosixPath(path).name)
    return {path: properties} if properties else path


def _artifact(pipeline: Pipeline, model_directory: str) -> Artifact:
    model = pipeline.model
    described: dict[str, str] = {"desc": model.description} if model.description else {}
    artifact = {"path": f"{_ROOT}/{model_directory}", "type": "model"} | described
    return cast("Artifact", artifact | {"labels": [model.task]})
