"""The report as plain data: per model what its stages left behind, checked, and what is missing. Knows no format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lockgate.contract import (
    Evaluation,
    Export,
    GateResult,
    Ingest,
    Latency,
    Policy,
    Scan,
    Split,
    Training,
    Validation,
    Verdict,
)
from lockgate.contract.comparison import Comparison, Provenance
from lockgate.plan.merge import MergeEffects
from lockgate.report.promotions import promotion_verdict
from lockgate.report.tracked import TrackedChange


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Something that the report cannot say, and why; `file` is relative to the repository's root."""

    file: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Patch:
    name: str
    target: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelReport:
    """One model. A file that is missing or malformed is None here and has a problem.

    `roc` are (false positive rate, true positive rate); `residuals` are (predicted, actual) of sampled rows.
    `gates` are those of the pipeline with what the comparison with the champion said in their place. `on_unknown` is
    what follows where the data is too little to say. `stages` says by stage whether it ran or was cached; it is empty
    where that is not known, and so is `reruns`, which says why a stage had to run again.
    """

    name: str
    owner: str | None
    description: str | None
    verdict: Verdict
    problems: tuple[Problem, ...]
    gates: tuple[GateResult, ...]
    ingest: Ingest | None
    validation: Validation | None
    split: Split | None
    training: Training | None
    evaluation: Evaluation | None
    export: Export | None
    latency: Latency | None
    scan: Scan | None
    roc: tuple[tuple[float, float], ...]
    residuals: tuple[tuple[float, float], ...]
    card: str | None
    stages: Mapping[str, str]
    comparison: Comparison | None = None
    provenance: Provenance | None = None
    champion_card: str | None = None
    champion_scan: Scan | None = None
    tracked: tuple[TrackedChange, ...] = ()
    on_unknown: Policy = "warn"
    reruns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """The change that proposes the candidates: what merging it does, and by model the base's `dvc.lock`."""

    effects: MergeEffects
    base_locks: Mapping[str, bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The models that need attention come first. `patches` are all that are in force in the spec.

    `effects` is None where the change is not known: there is no base to compare the project with.
    """

    models: tuple[ModelReport, ...]
    patches: tuple[Patch, ...]
    effects: MergeEffects | None = None


def verdict(report: Report) -> Verdict:
    """The worst verdict of any model and of any pin that moves; a report on neither passes."""
    moving = report.effects.promotions if report.effects else ()
    return worst(*(model.verdict for model in report.models), *map(promotion_verdict, moving))


def worst(*verdicts: Verdict) -> Verdict:
    if "fail" in verdicts:
        return "fail"
    return "warn" if "warn" in verdicts else "pass"
