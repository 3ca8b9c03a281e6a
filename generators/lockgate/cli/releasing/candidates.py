"""What a run left of a model → the candidate of a release; Failure where it is not what was judged or committed."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from lockgate import report as reports
from lockgate.cli.dvc.lock import Lock, hash_of, hash_on_disk, made_of, read_lock
from lockgate.cli.failure import Failure
from lockgate.cli.releasing.recipe import canonical_sha256, hashes_by_kind, made_by, recorded_signature
from lockgate.contract import CARD, EXPORT, MODEL_DIRECTORY, SHA256SUMS, SIGNATURE, SPEC_FILE, Signature
from lockgate.contract import artifact_path as path_of
from lockgate.contract import artifact_sha256 as hash_of_sums
from lockgate.contract.sums import differences, hashes_in
from lockgate.plan.model import Pipeline, Plan
from lockgate.registry.git import Git, GitError
from lockgate.registry.release import Candidate
from lockgate.report import ModelReport
from lockgate.report.files import Files

T = TypeVar("T")

_GATE_KEYS = ("metric", "rule", "limit", "value", "on_fail", "outcome", "reason")
_METRIC_KEYS = ("value", "low", "high", "better", "unit")


def candidate(root: Path, plan: Plan, pipeline: Pipeline, git: Git) -> Candidate:
    """The model as it lies below `artifacts/`, judged and committed."""
    name = pipeline.name
    commit, author = _committed(git, pipeline)
    report = reports.load(root, plan.spec, (name,)).models[0]
    digest = _judged_artifact(root, report)
    lock = _agreeing_lock(root, pipeline)
    files = Files(root=root, model=name)
    signature = _there(name, files.shaped(f"{MODEL_DIRECTORY}/{SIGNATURE}", Signature))
    inputs = made_of(lock, path_of(name, MODEL_DIRECTORY))
    kinds = hashes_by_kind(plan, pipeline, lock, inputs)
    evaluation = _there(name, report.evaluation)
    return Candidate(
        model=name,
        commit=commit,
        author=author,
        artifact_sha256=digest,
        spec_sha256=canonical_sha256(pipeline.model.written),
        made=made_by(plan, pipeline, lock, signature),
        signature=recorded_signature(signature),
        hashes={
            "model": hash_of(lock, path_of(name, MODEL_DIRECTORY)),
            **{k: v for k, v in kinds.items() if v},
        },
        metrics={key: _part(it, _METRIC_KEYS) for key, it in sorted(evaluation["metrics"].items())},
        verdict=report.verdict,
        gates=[_part(gate, _GATE_KEYS) for gate in report.gates],
        card=files.text(CARD),
    )


def _committed(git: Git, pipeline: Pipeline) -> tuple[str, str]:
    """The commit that is released, and who made it."""
    try:
        commit = git.commit("HEAD")
        if commit is None:
            raise Failure("nothing is committed: a release is of a commit", help="commit the project")
        changed = (
            git.run("diff", "--name-only", "HEAD", "--", SPEC_FILE, *pipeline.watch).decode().split("\n")
        )
    except GitError as error:
        raise Failure(f"a release is of a commit, and {error}", help="run this in a clone") from error
    if changed[0]:
        raise Failure(
            f"'{changed[0]}' is not as it is committed: a release is of a commit",
            help="commit what is changed, and let it be merged",
        )
    return commit, git.run("log", "-1", "--format=%an <%ae>", commit).decode(errors="replace").strip()


def _judged_artifact(root: Path, report: ModelReport) -> str:
    """The artifact's hash, which the files have and the export says; the report sees to it that the comparison does."""
    name = report.name
    if report.verdict == "fail":
        reason = next((gate["reason"] for gate in report.gates if gate["outcome"] == "fail"), None)
        problem = next((f"{it.file} {it.message}" for it in report.problems), "it was not judged")
        raise Failure(f"'{name}' is not to be released: {reason or problem}", help="see `lockgate report`")
    digest = _artifact_on_disk(root, name)
    export = _there(name, report.export)
    if export["artifact_sha256"] != digest:
        raise Failure(
            f"{path_of(name, EXPORT)} is of another model than the one in '{path_of(name, MODEL_DIRECTORY)}': "
            f"{export['artifact_sha256'][:12]} and {digest[:12]}",
            help=f"what is released has to be what was judged: run `lockgate run {name}` again",
        )
    return digest


def _artifact_on_disk(root: Path, model: str) -> str:
    folder = root / path_of(model, MODEL_DIRECTORY)
    try:
        sums = (folder / SHA256SUMS).read_bytes()
        names = [it.name for it in folder.iterdir() if it.name != SHA256SUMS]
        found = {it: sha256((folder / it).read_bytes()).hexdigest() for it in names}
    except OSError as error:
        raise Failure(
            f"cannot read the model of '{model}': {error.filename or folder}: {(error.strerror or '').lower()}",
            help=f"make it: `lockgate run {model}`, or fetch it: `dvc pull`",
        ) from error
    wrong = next(differences(hashes_in(sums) or {}, found), None)
    if wrong is not None:
        raise Failure(
            f"'{path_of(model, MODEL_DIRECTORY)}/{SHA256SUMS}' {wrong}",
            help=f"make the model again: `lockgate run {model}`",
        )
    return hash_of_sums(sums)


def _agreeing_lock(root: Path, pipeline: Pipeline) -> Lock:
    """The pipeline's lock, which names the model that lies there: nothing else can be fetched later."""
    lock, path = read_lock(root, pipeline.directory), path_of(pipeline.name, MODEL_DIRECTORY)
    if hash_of(lock, path) is None or hash_of(lock, path) != hash_on_disk(root / path):
        raise Failure(
            f"{pipeline.directory}/dvc.lock does not name the model in '{path}'",
            help=f"run `lockgate run {pipeline.name}` and commit the lock, or fetch what it names: `dvc pull`",
        )
    return lock


def _part(block: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: block[key] for key in keys if block.get(key) not in (None, "")}


def _there(model: str, value: T | None) -> T:
    if value is None:
        raise Failure(
            f"'{model}' was not judged: a file of its run is missing", help=f"run `lockgate run {model}`"
        )
    return value
