"""The gates: what was judged, against which limit, how far from it, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping

from lockgate.contract import GateResult, Outcome
from lockgate.report.document import Cell, LimitChart, Range, Table, Tone, cells, headings
from lockgate.report.model import ModelReport
from lockgate.report.numbers import ABSENT, Scale, scale_for, show, show_change, show_interval

URGENCY: Mapping[Outcome, int] = {"fail": 0, "warn": 1, "pass": 2, "observed": 3, "skipped": 4}
TONES: Mapping[Outcome, Tone] = {
    "fail": "fail",
    "warn": "warn",
    "pass": "pass",
    "observed": "muted",
    "skipped": "muted",
}
_MARKS: Mapping[str, str] = {"min": "≥", "max": "≤", "max_drop": "drop ≤"}


def by_urgency(model: ModelReport) -> tuple[GateResult, ...]:
    return tuple(sorted(model.gates, key=lambda gate: URGENCY[gate["outcome"]]))


def gates_table(gates: tuple[GateResult, ...]) -> Table:
    """All the gates, reasons included."""
    return Table(
        caption="Gates",
        headings=headings(("Gate", "Outcome"), ("Value", "Limit", "Margin")) + headings(("Reason",)),
        rows=tuple((*_row(gate), Cell(text=gate["reason"])) for gate in gates),
        shown=len(gates),
    )


def brief_gates_table(gates: tuple[GateResult, ...]) -> Table:
    """The gates without their reasons."""
    return Table(
        caption="Gates",
        headings=headings(("Gate", "Outcome"), ("Value", "Limit", "Margin")),
        rows=tuple(_row(gate) for gate in gates),
        shown=len(gates),
    )


def gates_chart(model: ModelReport) -> LimitChart | None:
    """Every gate that has a value and a limit in the same measure."""
    rows = tuple(_range(gate) for gate in by_urgency(model) if gate["rule"] in ("min", "max"))
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


def _row(gate: GateResult) -> tuple[Cell, ...]:
    scale = _scale(gate)
    return (
        Cell(text=gate["metric"], kind="code"),
        Cell(text=gate["outcome"], kind="badge", tone=TONES[gate["outcome"]]),
        *cells(
            show_interval(gate["value"], gate["low"], gate["high"], scale),
            _limit(gate, scale),
            show_change(gate["margin"], scale),
        ),
    )


def _scale(gate: GateResult) -> Scale:
    measured = (gate["value"], gate["low"], gate["high"], gate["limit"])
    return scale_for(measured, gate["unit"], gate["margin"])


def _limit(gate: GateResult, scale: Scale) -> str:
    if gate["rule"] == "scan":
        return "no finding"
    return f"{_MARKS[gate['rule']]} {show(gate['limit'], scale)}" if gate["limit"] is not None else ABSENT


def _range(gate: GateResult) -> Range | None:
    value, limit = gate["value"], gate["limit"]
    if value is None or limit is None:
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
