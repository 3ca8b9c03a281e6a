"""The verdict on a model: what its gates say, held against the spec. Nothing is green because it is absent."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lockgate.contract import COMPARISON, GATES, PROVENANCE, Evaluation, Export, GateResult, Gates, Verdict
from lockgate.contract.comparison import Comparison, Provenance
from lockgate.report.champion import doubt
from lockgate.report.model import worst
from lockgate.spec.model import Model
from lockgate.spec.promises import with_promises


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What a verdict rests on, besides the gates of the pipeline; None where there is none."""

    comparison: Comparison | None
    evaluation: Evaluation | None
    export: Export | None
    provenance: Provenance | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """`doubts` are by file the ways in which it is not what the spec asks for; any of them is a failure."""

    verdict: Verdict
    gates: tuple[GateResult, ...]
    doubts: tuple[tuple[str, str], ...]


def judge(gates: Gates, evidence: Evidence, model: Model) -> Judgement:
    """The gates of the pipeline, those of the comparison in their place or after them, and what follows of all."""
    rows = _merged(gates, evidence.comparison)
    doubts = (
        *((GATES, doubt) for doubt in _gate_doubts(rows, model)),
        *((COMPARISON, doubt) for doubt in _comparison_doubts(rows, evidence, model)),
        *((PROVENANCE, doubt) for doubt in _provenance_doubts(evidence.provenance, model)),
    )
    outcomes = {gate["outcome"] for gate in rows}
    found: Verdict = "fail" if doubts or "fail" in outcomes else "warn" if "warn" in outcomes else "pass"
    verdict = worst(gates["verdict"], found, *_stated(evidence))
    return Judgement(verdict=verdict, gates=(*rows, *_unjudged(rows, model)), doubts=doubts)


def _merged(gates: Gates, comparison: Comparison | None) -> tuple[GateResult, ...]:
    rows = {(gate["metric"], gate["rule"]): gate for gate in gates["gates"]}
    rows.update({(gate["metric"], gate["rule"]): gate for gate in comparison["gates"]} if comparison else {})
    return tuple(rows.values())


def _stated(evidence: Evidence) -> Iterator[Verdict]:
    if evidence.comparison is not None and doubt(evidence.comparison) is not None:
        yield "warn"
    if evidence.provenance is not None:
        yield evidence.provenance["outcome"]


def _unjudged(rows: Sequence[GateResult], model: Model) -> Iterator[GateResult]:
    """A gate on fairness that nothing has judged is shown: it is judged with the champion."""
    judged = {gate["metric"] for gate in rows if gate["rule"] == "fairness"}
    for name, limit in model.evaluate.fairness.items():
        if name not in judged:
            yield GateResult(
                metric=name,
                rule="fairness",
                limit=limit.max_difference,
                value=None,
                low=None,
                high=None,
                margin=None,
                unit="",
                on_fail=limit.on_fail,
                outcome="skipped",
                reason="it is judged where the candidate is compared: run with --base",
            )


def _gate_doubts(rows: Sequence[GateResult], model: Model) -> Iterator[str]:
    judged = {(it["metric"], it["rule"]) for it in rows}
    if ("scan", "scan") not in judged:
        yield "it does not judge the scan"
    if "invalid_rows" not in model.gates and ("invalid_rows", "max") not in judged:
        yield "it does not judge the invalid rows"
    for metric, limit in with_promises(model).items():
        for rule, value in (("min", limit.min), ("max", limit.max), ("max_drop", limit.max_drop)):
            if value is not None:
                yield from _doubts(rows, (metric, rule), value, limit.on_fail)


def _comparison_doubts(rows: Sequence[GateResult], evidence: Evidence, model: Model) -> Iterator[str]:
    comparison, evaluation = evidence.comparison, evidence.evaluation
    if comparison is None:
        return
    if not math.isclose(comparison["confidence"], model.compare.confidence):
        yield f"its confidence is {comparison['confidence']}, but the spec says {model.compare.confidence}"
    if evaluation is not None and comparison["rows"] != evaluation["rows"]:
        yield f"it is of {comparison['rows']} rows, but the holdout has {evaluation['rows']}"
    if evidence.export is not None and comparison["candidate_sha256"] != evidence.export["artifact_sha256"]:
        scored, exported = comparison["candidate_sha256"], evidence.export["artifact_sha256"]
        yield f"it is of the artifact {scored[:12]}…, but {exported[:12]}… was exported"
    for name, limit in model.evaluate.fairness.items():
        yield from _doubts(rows, (name, "fairness"), limit.max_difference, limit.on_fail)


def _provenance_doubts(provenance: Provenance | None, model: Model) -> Iterator[str]:
    if provenance is None:
        return
    if provenance["mode"] != model.job.prove:
        yield f"its mode is '{provenance['mode']}', but the spec says '{model.job.prove}'"
    if provenance["on_difference"] != model.job.on_difference:
        stated, asked = provenance["on_difference"], model.job.on_difference
        yield f"a difference is set to '{stated}', but the spec says '{asked}'"


def _doubts(rows: Sequence[GateResult], key: tuple[str, str], value: float, on_fail: str) -> Iterator[str]:
    metric, rule = key
    judged: Mapping[tuple[str, str], GateResult] = {(it["metric"], it["rule"]): it for it in rows}
    result = judged.get(key)
    if result is None:
        yield f"it does not judge '{metric}' by '{rule}', which the spec asks for"
    elif result["limit"] is None or not math.isclose(result["limit"], value):
        yield f"its '{rule}' of '{metric}' is {result['limit']}, but the spec says {value}"
    elif result["on_fail"] != on_fail:
        yield f"its gate on '{metric}' is set to '{result['on_fail']}', but the spec says '{on_fail}'"
