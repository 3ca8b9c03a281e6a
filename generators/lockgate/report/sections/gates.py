"""The gates: what was judged, against which limit, how far from it, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping

from lockgate.contract import Answer, GateResult, Outcome, Policy
from lockgate.contract.comparison import Difference
from lockgate.report.document import Cell, LimitChart, Range, Table, Text, Tone, cells, headings
from lockgate.report.model import ModelReport
from lockgate.report.numbers import (
    ABSENT,
    Scale,
    scale_for,
    show,
    show_change,
    show_change_interval,
    show_interval,
)

URGENCY: Mapping[Outcome, int] = {"fail": 0, "warn": 1, "pass": 2, "observed": 3, "skipped": 4}
TONES: Mapping[Outcome, Tone] = {
    "fail": "fail",
    "warn": "warn",
    "pass": "pass",
    "observed": "muted",
    "skipped": "muted",
}
ANSWERS: Mapping[Answer, str] = {
    "better": "better",
    "no worse": "no worse",
    "worse": "worse",
    "too little data": "too little data to say",
}
LIMIT_MARKS: Mapping[str, str] = {"min": "≥", "max": "≤", "max_drop": "drop ≤", "fairness": "difference ≤"}
# From the mildest to the strictest.
POLICIES: Mapping[Policy, str] = {"observe": "observes", "warn": "warns", "block": "blocks"}


def by_urgency(model: ModelReport) -> tuple[GateResult, ...]:
    return tuple(sorted(model.gates, key=lambda gate: URGENCY[gate["outcome"]]))


def gates_table(model: ModelReport, gates: tuple[GateResult, ...]) -> Table:
    """Value, limit, margin, and what follows where a gate does not hold."""
    return Table(
        caption="Gates",
        headings=headings(("Gate", "Outcome"), ("Value", "Limit", "Margin")) + headings(("Policy",)),
        rows=tuple(_row(model, gate) for gate in gates),
        shown=len(gates),
    )


def gates_reasons(gates: tuple[GateResult, ...]) -> tuple[Text, ...]:
    """Why those gates that did not pass did not."""
    return tuple(
        Text(text=f"{gate['metric']}: {gate['reason'].rstrip('.')}.", tone=TONES[gate["outcome"]])
        for gate in gates
        if gate["outcome"] != "pass"
    )


def gates_chart(model: ModelReport) -> LimitChart | None:
    """Every gate that has a value and a limit in the same measure."""
    rows = (_change_range(model, gate) or _range(gate) for gate in by_urgency(model))
    drawn = tuple(row for row in rows if row is not None)
    if not drawn:
        return None
    return LimitChart(
        title="Values against their limits",
        description="Each gate on its own scale. The shaded side of the limit is the allowed one.",
        rows=drawn,
    )


def count_holding(model: ModelReport) -> str:
    """`5 of 6 gates hold`, counting the gates that were judged."""
    judged = [gate for gate in model.gates if gate["outcome"] in ("pass", "warn", "fail")]
    holding = sum(gate["outcome"] == "pass" for gate in judged)
    return f"{holding:,} of {len(judged):,} gates hold"


def _row(model: ModelReport, gate: GateResult) -> tuple[Cell, ...]:
    scale = _scale(gate)
    name, policy = Cell(text=gate["metric"], kind="code"), Cell(text=_policy(model, gate))
    limits = cells(_limit(gate, scale), show_change(gate["margin"], scale))
    change = _change(model, gate)
    if change is None:
        value = Cell(text=show_interval(gate["value"], gate["low"], gate["high"], scale))
        return name, _badge(gate, gate["outcome"]), value, *limits, policy
    shown = show_change_interval(change["difference"], change["low"], change["high"], change_scale(change))
    outcome = f"{gate['outcome']}: {ANSWERS[change['answer']]}" if change["answer"] else gate["outcome"]
    return name, _badge(gate, outcome), Cell(text=shown), *limits, policy


def _badge(gate: GateResult, text: str) -> Cell:
    return Cell(text=text, kind="badge", tone=TONES[gate["outcome"]])


def _change(model: ModelReport, gate: GateResult) -> Difference | None:
    """What the comparison says of a gate that is on the difference from the champion."""
    if gate["rule"] != "max_drop" or model.comparison is None:
        return None
    found = (it for it in model.comparison["metrics"] if it["metric"] == gate["metric"])
    return next(found, None)


def change_scale(change: Difference) -> Scale:
    """Fine enough to tell both bounds of the difference."""
    bounds = (change["difference"], change["low"], change["high"])
    return scale_for((change["candidate"], change["champion"]), change["unit"], _least(bounds))


def _least(values: tuple[float | None, ...]) -> float | None:
    return min((abs(value) for value in values if value), default=None)


def _policy(model: ModelReport, gate: GateResult) -> str:
    if gate["rule"] != "max_drop":
        return POLICIES[gate["on_fail"]]
    # What is not known never does more than what is known to be worse.
    in_doubt = min(gate["on_fail"], model.on_unknown, key=list(POLICIES).index)
    return f"{POLICIES[gate['on_fail']]}; in doubt {POLICIES[in_doubt]}"


def _scale(gate: GateResult) -> Scale:
    measured = (gate["value"], gate["low"], gate["high"], gate["limit"])
    return scale_for(measured, gate["unit"], gate["margin"])


def _limit(gate: GateResult, scale: Scale) -> str:
    if gate["rule"] == "scan":
        return "no finding"
    return (
        f"{LIMIT_MARKS[gate['rule']]} {show(gate['limit'], scale)}" if gate["limit"] is not None else ABSENT
    )


def _range(gate: GateResult) -> Range | None:
    value, limit = gate["value"], gate["limit"]
    if value is None or limit is None or gate["rule"] in ("max_drop", "scan"):
        return None
    scale = _scale(gate)
    return Range(
        label=gate["metric"],
        shown=f"{show(value, scale)} {_limit(gate, scale)}",
        value=value,
        low=gate["low"],
        high=gate["high"],
        tone=TONES[gate["outcome"]],
        limit=limit,
        allowed="above" if gate["rule"] == "min" else "below",
    )


def _change_range(model: ModelReport, gate: GateResult) -> Range | None:
    change, limit = _change(model, gate), gate["limit"]
    if change is None or change["difference"] is None or limit is None:
        return None
    scale = change_scale(change)
    is_higher = change["better"] == "higher"
    return Range(
        label=f"{gate['metric']}, change",
        shown=f"{show_change(change['difference'], scale)}, {_limit(gate, scale)}",
        value=change["difference"],
        low=change["low"],
        high=change["high"],
        tone=TONES[gate["outcome"]],
        limit=-limit if is_higher else limit,
        allowed="above" if is_higher else "below",
    )
