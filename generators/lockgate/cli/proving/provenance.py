"""Whether the model that is judged is the one that the author's `dvc.lock` names, and how it came to be here."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from posixpath import normpath
from typing import TypeAlias

from lockgate.cli.dvc.lock import Lock, hash_of, hash_on_disk, made_of, read_lock
from lockgate.cli.dvc.past_files import fetch_past
from lockgate.cli.dvc.process import environment
from lockgate.cli.failure import Failure
from lockgate.cli.git import edited_paths
from lockgate.cli.text_file import write_text
from lockgate.contract import (
    EVALUATION,
    METRICS,
    MODEL_DIRECTORY,
    PROVENANCE,
    SPEC_FILE,
    TRAINING,
    Evaluation,
    Verdict,
    artifact_path,
)
from lockgate.contract.comparison import Provenance
from lockgate.plan.affected import is_under
from lockgate.plan.inputs import inputs, pointers
from lockgate.plan.model import Pipeline
from lockgate.report.shape import ShapeError, conform

Answer: TypeAlias = tuple[str, str]
"""An answer of `Provenance`, and its reason."""

_NOT_TRAINED = "training did not run here: the model was here already, as DVC's cache knows it"


def claimed(root: Path, pipeline: Pipeline) -> Lock:
    """What the author's `dvc.lock` names. Read before the pipeline runs, which writes that file anew."""
    return read_lock(root, pipeline.directory)


def fetch_inputs(root: Path, pipeline: Pipeline) -> None:
    """Fetch the data that DVC tracks and the pipeline reads, as far as they are missing here."""
    for path in inputs(pipeline.stages):
        pointer = next((it for it in pointers(path) if (root / it).is_file()), None)
        if pointer is None or (root / path).exists():
            continue
        if _dvc(root, "pull", pointer).returncode != 0 or not (root / path).exists():
            raise Failure(
                f"neither DVC's cache nor its remote has '{path}', which '{pointer}' tracks",
                help="run `dvc push` where it is, or give CI the right to read the remote",
            )


def fetch_training(root: Path, pipeline: Pipeline, claim: Lock) -> None:
    """Fetch what the author's training wrote, and hold it to the hashes of the lock; `dvc repro` then does not train.

    Only that is taken over: the data are read, and the model exported, measured and scanned, here.
    """
    stage = next((name for name, it in claim.items() if _training(pipeline) in it.outs), None)
    if stage is None:
        raise Failure(
            f"'{pipeline.directory}/dvc.lock' names no trained model of '{pipeline.name}', which 'prove: reuse' needs",
            help=_HOW_TO_PUSH,
        )
    _dvc(root, "pull", f"{pipeline.directory}/dvc.yaml:{stage}")
    for path, md5 in claim[stage].outs.items():
        if hash_on_disk(root / path) != md5:
            raise Failure(
                f"the trained model of '{pipeline.name}' cannot be reused: neither DVC's cache nor its remote has"
                f" '{path}' as the lock names it",
                help=_HOW_TO_PUSH,
            )


_HOW_TO_PUSH = "run `lockgate run`, commit dvc.lock and `dvc push`; or set job.prove to rebuild"


def settle(root: Path, pipeline: Pipeline, claim: Lock, stages: Mapping[str, str]) -> Provenance:
    """Write and return how the model that is judged compares with the claim.

    `stages` says what became of each stage: `ran`, `cached` or `unchanged`.
    """
    folder = artifact_path(pipeline.name, MODEL_DIRECTORY)
    expected, actual = hash_of(claim, folder), hash_on_disk(root / folder)
    answer, reason = _answer(root, pipeline, claim, stages)
    job = pipeline.model.job
    provenance = conform(
        {
            "mode": job.prove,
            "answer": answer,
            "expected_md5": expected,
            "actual_md5": actual,
            "on_difference": job.on_difference,
            "outcome": _outcome(answer, job.on_difference),
            "reason": reason,
        },
        Provenance,
    )
    text = json.dumps(provenance, indent=2, sort_keys=True, ensure_ascii=False)
    write_text(root / artifact_path(pipeline.name, PROVENANCE), f"{text}\n")
    return provenance


def _answer(root: Path, pipeline: Pipeline, claim: Lock, stages: Mapping[str, str]) -> Answer:
    folder = artifact_path(pipeline.name, MODEL_DIRECTORY)
    expected, lock_file = hash_of(claim, folder), f"{pipeline.directory}/dvc.lock"
    if expected is None or made_of(claim, folder) != made_of(read_lock(root, pipeline.directory), folder):
        if _is_edited(root, pipeline):
            return "made here", f"of inputs that no commit has yet: commit them together with {lock_file}"
        named = "no model" if expected is None else "a model of other inputs"
        return "not recorded", f"{lock_file} names {named}: commit the one that the run wrote"
    trained = stages.get(_training_stage(pipeline)) == "ran"
    if expected == hash_on_disk(root / folder):
        if pipeline.model.job.prove == "rebuild" and not trained:
            return "not trained", _NOT_TRAINED
        how = "trained here" if trained else "exported here from the author's training"
        return "equal bytes", f"the model {how} is byte for byte the one that {lock_file} names"
    return _by_metrics(root, pipeline, claim)


def _is_edited(root: Path, pipeline: Pipeline) -> bool:
    """Whether an input of the model is not as the last commit has it; the lock is what the run itself writes.

    Files that Git does not know are left out: steps of a job make such, and a job's inputs are the commit's.
    """
    watched = [normpath(path) for path in (SPEC_FILE, *pipeline.watch)]
    edited = (path for path in edited_paths(root) if path != f"{pipeline.directory}/dvc.lock")
    return any(is_under(path, folder) for path in edited for folder in watched)


def _by_metrics(root: Path, pipeline: Pipeline, claim: Lock) -> Answer:
    path = artifact_path(pipeline.name, METRICS)
    if hash_of(claim, path) == hash_on_disk(root / path):
        return "equal metrics", "other bytes than the author's, but every metric is the same"
    theirs, ours = _author_metrics(root, path, hash_of(claim, path)), _evaluation(root, pipeline.name)
    if theirs is None or ours is None:
        return "different", "other bytes and metrics than the author's, whose metrics nobody has pushed"
    strays = [name for name in {*theirs, *ours["metrics"]} if not _within_noise(name, theirs, ours)]
    if strays:
        return "different", f"beyond the noise of the holdout: {', '.join(sorted(strays))}"
    share = f"{ours['confidence']:.0%}"
    return "equal metrics", f"other bytes than the author's, whose metrics lie in the {share} intervals"


def _within_noise(name: str, theirs: Mapping[str, float | None], ours: Evaluation) -> bool:
    """Whether the author's value lies in the interval of ours; equal where there is no interval."""
    metric, value = ours["metrics"].get(name), theirs.get(name)
    if metric is None or value is None or metric["value"] is None:
        return metric is not None and name in theirs and value == metric["value"]
    if metric["low"] is None or metric["high"] is None:
        return math.isclose(value, metric["value"], rel_tol=1e-9)
    return metric["low"] <= value <= metric["high"]


def _evaluation(root: Path, model: str) -> Evaluation | None:
    try:
        return conform(json.loads((root / artifact_path(model, EVALUATION)).read_bytes()), Evaluation)
    except (OSError, ValueError, ShapeError):
        return None


def _author_metrics(root: Path, path: str, claimed_md5: str | None) -> Mapping[str, float | None] | None:
    """The metrics of the last commit, from DVC's cache or its remote; None where neither has those of the claim."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / METRICS
        if fetch_past(root, "HEAD", Path(folder), (path,)) or hash_on_disk(copy) != claimed_md5:
            return None
        try:
            found = json.loads(copy.read_bytes())
        except (OSError, ValueError):
            return None
    if not isinstance(found, dict):
        return None
    return {name: value for name, value in found.items() if value is None or isinstance(value, int | float)}


def _outcome(answer: str, on_difference: str) -> Verdict:
    if answer not in {"different", "not recorded"}:
        return "pass"
    return "fail" if on_difference == "block" else "warn"


def _training_stage(pipeline: Pipeline) -> str:
    return next(stage.name for stage in pipeline.stages if _training(pipeline) in stage.outs)


def _training(pipeline: Pipeline) -> str:
    return artifact_path(pipeline.name, TRAINING)


def _dvc(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        cwd=root,
        env=environment(),
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
