"""The gates with `max_drop`, decided by what the intervals of the differences say."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from lockgate.contract import GateResult
from lockgate_runtime.stages.outcomes import failed, milder
from lockgate_runtime.stages.shown import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockgate.contract import Outcome
    from lockgate.contract.comparison import Champion, Difference
    from lockgate.spec.model import Gate, Model


def drop_gates(
    model: Model, differences: Sequence[Difference], champion: Champion, reason: str | None
) -> list[GateResult]:
    """A result for every `max_drop`; `reason` says why there is no difference where there is none.

    Nothing live yet skips the gate. What cannot be told of a champion that is there goes by `compare.on_unknown`.
    """
    found = {it["metric"]: it for it in differences}
    results = []
    for name, gate in model.gates.items():
        if gate.max_drop is not None:
            unknown = failed(milder(gate.on_fail, model.compare.on_unknown))
            if reason is not None or name not in found:
                outcome: Outcome = "skipped" if champion["origin"] == "none" else unknown
                results.append(_without(name, gate, gate.max_drop, outcome, reason or "it was not compared"))
            else:
                results.append(_compared(gate, gate.max_drop, found[name], unknown, model.compare.confidence))
    return results


def _without(name: str, gate: Gate, limit: float, outcome: Outcome, reason: str) -> GateResult:
    return GateResult(
        metric=name,
        rule="max_drop",
        limit=limit,
        value=None,
        low=None,
        high=None,
        margin=None,
        unit="",
        on_fail=gate.on_fail,
        outcome=outcome,
        reason=reason,
    )


def _compared(gate: Gate, limit: float, it: Difference, unknown: Outcome, confidence: float) -> GateResult:
    return GateResult(
        metric=it["metric"],
        rule="max_drop",
        limit=limit,
        value=it["difference"],
        low=it["low"],
        high=it["high"],
        margin=_margin(it, limit),
        unit=it["unit"],
        on_fail=gate.on_fail,
        outcome=_outcome(gate, it, unknown),
        reason=_reason(it, limit, confidence),
    )


def _margin(it: Difference, limit: float) -> float | None:
    """From the limit to the interval's worse end, which decides."""
    if it["low"] is None or it["high"] is None:
        return None
    return limit + (it["low"] if it["better"] == "higher" else -it["high"])


def _outcome(gate: Gate, it: Difference, unknown: Outcome) -> Outcome:
    if it["candidate"] is None:
        return failed(gate.on_fail)  # As every gate on a value that is not there.
    match it["answer"]:
        case "better" | "no worse":
            return "pass"
        case "worse":
            return failed(gate.on_fail)
        case "too little data" | None:
            return unknown
        case answer:
            assert_never(answer)


def _reason(it: Difference, limit: float, confidence: float) -> str:
    unit = it["unit"]
    if it["answer"] is None:
        return f"'{it['metric']}' cannot be compared: {it['reason']}"
    values = f"{_shown(it['candidate'], unit)} against the champion's {_shown(it['champion'], unit)}"
    said = "too little data to say" if it["answer"] == "too little data" else it["answer"]
    between = ""
    if it["low"] != it["high"]:
        between = (
            f", a difference between {_shown(it['low'], unit)} and {_shown(it['high'], unit)} "
            f"({confidence * 100:g} % interval)"
        )
    return f"{said}: {values}{between}; at most {_shown(limit, unit)} worse is allowed"


def _shown(value: float | None, unit: str) -> str:
    return shown(value, unit, digits=4)
