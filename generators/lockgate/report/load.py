"""Artifact files → the report model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lockgate import contract
from lockgate.contract import Verdict
from lockgate.contract.comparison import Comparison, Provenance
from lockgate.report.files import LARGEST_FILE_BYTES, Files
from lockgate.report.judge import Evidence, Judgement, judge
from lockgate.report.model import ModelReport, Patch, Problem, Proposal, Report, worst
from lockgate.report.stages import STAGES
from lockgate.report.text import clean
from lockgate.report.tracked import TrackedChange, tracked_changes
from lockgate.spec.model import Model, Spec

_ORDER: Mapping[Verdict, int] = {"fail": 0, "warn": 1, "pass": 2}


def load(
    root: Path,
    spec: Spec,
    models: Sequence[str],
    stages: Mapping[str, Mapping[str, str]] | None = None,
    proposal: Proposal | None = None,
) -> Report:
    """The report on the named models from their artifact files below the repository's root.

    `stages` says by model and stage whether it ran or was cached. With a `proposal` each model has to have been
    compared with its champion.
    """
    reports = [
        _load_model(root, spec.models[name], (stages or {}).get(name), proposal)
        if name in spec.models
        else _unknown_model(name)
        for name in dict.fromkeys(models)
    ]
    reports.sort(key=lambda report: _ORDER[report.verdict])
    patches = (
        Patch(name=clean(it.name), target=clean(it.target), reason=clean(it.reason)) for it in spec.patches
    )
    return Report(
        models=tuple(reports), patches=tuple(patches), effects=proposal.effects if proposal else None
    )


def _load_model(
    root: Path, model: Model, stages: Mapping[str, str] | None, proposal: Proposal | None
) -> ModelReport:
    files = Files(root=root, model=model.name)
    gates = files.shaped(contract.GATES, contract.Gates)
    report = _with_champion(files, _with_stages(files, model))
    judgement = _judged(files, gates, report, model)
    return replace(
        report,
        verdict=worst(
            judgement.verdict,
            "warn" if None in (report.evaluation, report.export, report.scan) else "pass",
            "fail" if report.scan is not None and not report.scan["passed"] else "pass",
            _uncompared(files, report.comparison, model, is_expected=proposal is not None),
        ),
        gates=judgement.gates,
        stages=_stages(files, stages),
        reruns=_reruns(model.name, proposal),
        tracked=_tracked(root, model.name, proposal),
        problems=tuple(files.problems),
    )


def _with_stages(files: Files, model: Model) -> ModelReport:
    """What the stages left, before anything is judged."""
    evaluation = files.shaped(contract.EVALUATION, contract.Evaluation)
    kind = evaluation["kind"] if evaluation else None
    has_curve, is_regression = kind in ("binary", "multiclass"), kind == "regression"
    return ModelReport(
        name=model.name,
        owner=clean(model.owner),
        description=clean(model.description) if model.description else None,
        verdict="fail",
        problems=(),
        gates=(),
        evaluation=evaluation,
        export=files.shaped(contract.EXPORT, contract.Export),
        scan=files.shaped(contract.SCAN, contract.Scan),
        ingest=files.shaped(contract.INGEST, contract.Ingest),
        validation=files.shaped(contract.VALIDATION, contract.Validation),
        split=files.shaped(contract.SPLIT, contract.Split),
        training=files.shaped(contract.TRAINING, contract.Training),
        latency=files.shaped(contract.LATENCY, contract.Latency),
        roc=files.pairs(contract.ROC_PLOT, ["fpr", "tpr"]) if has_curve else (),
        residuals=files.pairs(contract.RESIDUALS_PLOT, ["predicted", "actual"]) if is_regression else (),
        card=_card(files, contract.CARD),
        stages={},
        on_unknown=model.compare.on_unknown,
    )


def _with_champion(files: Files, report: ModelReport) -> ModelReport:
    """What the comparison left, and the champion's files, not all of which need be there."""
    comparison = files.optional(contract.COMPARISON, Comparison)
    card = _champion_file(comparison, files, contract.CARD)
    scan = _champion_file(comparison, files, contract.SCAN)
    return replace(
        report,
        comparison=comparison,
        provenance=files.optional(contract.PROVENANCE, Provenance),
        champion_card=_card(files, card) if card else None,
        champion_scan=files.shaped(scan, contract.Scan) if scan else None,
    )


def _judged(files: Files, gates: contract.Gates | None, report: ModelReport, model: Model) -> Judgement:
    if gates is None:
        return Judgement(verdict="fail", gates=(), doubts=())
    evidence = Evidence(
        comparison=report.comparison,
        evaluation=report.evaluation,
        export=report.export,
        provenance=report.provenance,
    )
    judgement = judge(gates, evidence, model)
    for name, doubt in judgement.doubts:
        files.report(name, f"is not from this spec: {doubt}; run the pipeline again")
    return judgement


def _uncompared(files: Files, comparison: Comparison | None, model: Model, *, is_expected: bool) -> Verdict:
    """What follows of a comparison that cannot be read or, where one was to be made, is not there."""
    is_there = files.exists(contract.COMPARISON)
    if comparison is not None or not (is_expected or is_there):
        return "pass"
    if not is_there:
        files.report(contract.COMPARISON, "is missing: nothing was compared with the champion")
    policies = {limit.on_fail for limit in model.gates.values() if limit.max_drop is not None}
    policies |= {limit.on_fail for limit in model.evaluate.fairness.values()}
    return "fail" if "block" in policies else "warn"


def _stages(files: Files, stages: Mapping[str, str] | None) -> Mapping[str, str]:
    """What the run said; a report that is made after it reads what it left."""
    told = files.optional(STAGES, dict[str, str]) if stages is None else stages
    return {clean(stage): clean(status) for stage, status in (told or {}).items()}


def _reruns(model: str, proposal: Proposal | None) -> Mapping[str, str]:
    found = (it.stages for it in proposal.effects.models if it.name == model) if proposal else iter(())
    return {clean(stage): clean(reason) for stage, reason in next(found, ())}


def _tracked(root: Path, model: str, proposal: Proposal | None) -> tuple[TrackedChange, ...]:
    """What DVC says of the data; what it cannot say is no problem of the report's."""
    before = proposal.base_locks.get(model) if proposal else None
    path = root / "pipelines" / model / "dvc.lock"
    try:
        if before is None or path.stat().st_size > LARGEST_FILE_BYTES:
            return ()
        return tracked_changes(before, path.read_bytes())
    except OSError:
        return ()


def _champion_file(comparison: Comparison | None, files: Files, name: str) -> str | None:
    """The name where the champion's file of that name is there: not all of them need be."""
    path = f"{contract.CHAMPION_DIRECTORY}/{name}"
    is_there = comparison is not None and comparison["champion"]["found"] and files.exists(path)
    return path if is_there else None


def _card(files: Files, name: str) -> str | None:
    text = files.text(name)
    return None if text is None else clean(text)


def _unknown_model(name: str) -> ModelReport:
    message = f"has no model '{clean(name)}'; name one that it has"
    return ModelReport(
        name=clean(name),
        owner=None,
        description=None,
        verdict="fail",
        problems=(Problem(file=contract.SPEC_FILE, message=message),),
        gates=(),
        ingest=None,
        validation=None,
        split=None,
        training=None,
        evaluation=None,
        export=None,
        latency=None,
        scan=None,
        roc=(),
        residuals=(),
        card=None,
        stages={},
    )
