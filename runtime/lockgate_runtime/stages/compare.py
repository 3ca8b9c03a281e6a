"""The candidate against the champion, on the candidate's holdout: which is better, where, and by how much.

It runs after the pipeline and not in it, as what is live is no input of training. It writes COMPARISON and succeeds
whatever it finds; the verdict is the report's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockgate import contract
from lockgate.contract.comparison import Champion, Comparison, SignatureChange
from lockgate.contract.sums import artifact_sha256, sums_of
from lockgate_runtime.stages.champion_outputs import (
    Rows,
    Unscorable,
    candidate_predictions,
    champion_predictions,
)
from lockgate_runtime.stages.compare_gates import drop_gates
from lockgate_runtime.stages.compare_metrics import Both, metric_differences, slice_differences
from lockgate_runtime.stages.data_change import data_change
from lockgate_runtime.stages.evaluate import truth_of
from lockgate_runtime.stages.fairness import fairness_gates, fairness_of
from lockgate_runtime.stages.files import artifact, file_sha256, read_frame, read_json, write_json
from lockgate_runtime.stages.user_code import StageError
from lockgate_runtime.stages.worst_slices import worst_slices

if TYPE_CHECKING:
    from pathlib import Path

    from lockgate.contract import Signature, Training
    from lockgate.spec.model import Model, Spec
    from lockgate_runtime.stages.metrics import Predictions


def run(spec: Spec, model: Model, root: Path) -> str:
    """Write COMPARISON."""
    del spec
    champion = _champion(model, root)
    rows = _rows(model, root)
    candidate = candidate_predictions(model, artifact(model, root, contract.MODEL_DIRECTORY), rows)
    both, reason = _scored(model, root, champion, rows, candidate)
    comparison = _comparison(model, root, champion, rows, candidate, both, reason)
    write_json(artifact(model, root, contract.COMPARISON), comparison)
    return _summary(comparison)


def _champion(model: Model, root: Path) -> Champion:
    path = root / contract.champion_file(model.name, contract.CHAMPION)
    if not path.is_file():
        return Champion(
            found=False,
            origin="none",
            environment=None,
            version=None,
            commit=None,
            reason="none was looked for: 'lockgate run --base' does",
        )
    champion: Champion = read_json(path)
    return champion


def _rows(model: Model, root: Path) -> Rows:
    training: Training = read_json(artifact(model, root, contract.TRAINING))
    frame = read_frame(artifact(model, root, contract.HOLDOUT))
    return Rows(
        frame=frame,
        truth=truth_of(frame[model.data.target], training),
        signature=_signature(artifact(model, root, contract.MODEL_DIRECTORY)),
    )


def _scored(
    model: Model, root: Path, champion: Champion, rows: Rows, candidate: Predictions
) -> tuple[Both | None, str | None]:
    """Both models' predictions, or why there are none of the champion's."""
    if not champion["found"]:
        return None, f"no champion to compare with: {champion['reason']}"
    directory = root / contract.champion_file(model.name, contract.MODEL_DIRECTORY)
    try:
        predictions = champion_predictions(model, directory, rows, root)
    except Unscorable as error:
        return None, f"the champion cannot be scored: {error.reason}"
    return Both(candidate=candidate, champion=predictions), None


def _comparison(
    model: Model,
    root: Path,
    champion: Champion,
    rows: Rows,
    candidate: Predictions,
    both: Both | None,
    reason: str | None,
) -> Comparison:
    inputs = {it["name"]: it for it in rows.signature["inputs"]}
    fairness = fairness_of(model, rows.frame, candidate, inputs)
    most = model.evaluate.worst_slices
    found, tested = worst_slices(rows.frame, candidate, rows.signature["inputs"], most) if most else ([], 0)
    metrics = metric_differences(model, root, both) if both else []
    return Comparison(
        candidate_sha256=_artifact_sha256(artifact(model, root, contract.MODEL_DIRECTORY)),
        champion=champion,
        reason=reason,
        rows=len(rows.frame),
        confidence=model.compare.confidence,
        samples=model.evaluate.bootstrap_samples,
        metrics=metrics,
        slices=slice_differences(model, rows.frame, both, inputs) if both else [],
        slices_tested=tested,
        worst_slices=found,
        fairness=fairness,
        data=data_change(model, root) if champion["found"] else None,
        signature=_signature_change(model, root, champion, rows.signature),
        gates=[*drop_gates(model, metrics, champion, reason), *fairness_gates(fairness)],
    )


def _artifact_sha256(directory: Path) -> str:
    """Of the files that are there, whatever their list says."""
    files = (path for path in directory.iterdir() if path.name != contract.SHA256SUMS)
    return artifact_sha256(sums_of({path.name: file_sha256(path) for path in files}))


def _signature_change(model: Model, root: Path, champion: Champion, now: Signature) -> SignatureChange:
    names = [it["name"] for it in now["inputs"]]
    before = names
    if champion["found"]:
        directory = root / contract.champion_file(model.name, contract.MODEL_DIRECTORY)
        before = _input_names(directory) or names
    return SignatureChange(
        added=[name for name in names if name not in before],
        removed=[name for name in before if name not in names],
    )


def _input_names(directory: Path) -> list[str]:
    """Of the champion; empty where its signature cannot be read, which is said where it is scored."""
    try:
        return [it["name"] for it in _signature(directory)["inputs"]]
    except (StageError, KeyError, TypeError):
        return []


def _signature(directory: Path) -> Signature:
    signature: Signature = read_json(directory / contract.SIGNATURE)
    return signature


def _summary(comparison: Comparison) -> str:
    if comparison["reason"] is not None:
        return comparison["reason"]
    answers = [it["answer"] for it in comparison["metrics"] if it["answer"] is not None]
    counts = ", ".join(f"{answers.count(answer)} {answer}" for answer in dict.fromkeys(answers))
    return f"{len(comparison['metrics'])} metrics on {comparison['rows']:,} rows: {counts}"
