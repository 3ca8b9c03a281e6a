"""Both models' metrics that no rows are drawn for: the file's size, the data's invalid rows, and the time it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockgate import contract
from lockgate_runtime.stages.export import measure_latency
from lockgate_runtime.stages.features import to_features
from lockgate_runtime.stages.files import read_frame, read_json
from lockgate_runtime.stages.paired import Pair, exact
from lockgate_runtime.stages.predictor import load_predictor
from lockgate_runtime.stages.user_code import StageError

if TYPE_CHECKING:
    from pathlib import Path

    from lockgate.contract import Signature, Validation
    from lockgate.spec.model import Model

_LATENCIES = ("latency_p50", "latency_p99")
OPERATIONAL = ("model_size", "invalid_rows", *_LATENCIES)


def operational_pairs(model: Model, root: Path) -> dict[str, Pair]:
    """Those that a gate compares. Both models are timed in this process: the times of two machines say nothing."""
    asked = [name for name, gate in model.gates.items() if gate.max_drop is not None and name in OPERATIONAL]
    candidate = root / contract.artifact_path(model.name, contract.MODEL_DIRECTORY)
    champion = root / contract.champion_file(model.name, contract.MODEL_DIRECTORY)
    timed = bool(set(asked) & set(_LATENCIES))
    times = [_times(model, root, directory) if timed else {} for directory in (candidate, champion)]
    both = (
        {"model_size": _size(directory), "invalid_rows": _invalid(directory.parent), **found}
        for directory, found in zip((candidate, champion), times, strict=True)
    )
    now, before = both
    return {name: exact(now[name], before[name]) for name in asked}


def _size(directory: Path) -> float:
    """Of the model's own file, which `load_predictor` has found to be one."""
    files = (directory / name for name in (contract.ONNX_MODEL, contract.SKOPS_MODEL))
    return float(sum(path.stat().st_size for path in files if path.is_file()))


def _invalid(artifacts: Path) -> float | None:
    try:
        validation: Validation = read_json(artifacts / contract.VALIDATION)
    except StageError:
        return None
    return validation["invalid_rows"] / max(validation["rows"], 1)


def _times(model: Model, root: Path, directory: Path) -> dict[str, float]:
    signature: Signature = read_json(directory / contract.SIGNATURE)
    holdout = read_frame(root / contract.artifact_path(model.name, contract.HOLDOUT))
    features = to_features(holdout, signature["inputs"])
    latency = measure_latency(load_predictor(directory, model.export.trusted), features)
    return {"latency_p50": latency["p50"], "latency_p99": latency["p99"]}
