"""PromQL as data and as text: what rules, analyses and dashboards ask is one tree, which a rehearsal evaluates too."""

from lockgate.plan.promql.nodes import (
    Absent,
    Aggregate,
    Arithmetic,
    Binary,
    Comparison,
    Expression,
    HistogramQuantile,
    Ln,
    Matcher,
    Number,
    On,
    Selector,
    SetOperator,
    Window,
    equals,
)
from lockgate.plan.promql.text import duration, number, pattern_of, quoted, text

__all__ = [
    "Absent",
    "Aggregate",
    "Arithmetic",
    "Binary",
    "Comparison",
    "Expression",
    "HistogramQuantile",
    "Ln",
    "Matcher",
    "Number",
    "On",
    "Selector",
    "SetOperator",
    "Window",
    "duration",
    "equals",
    "number",
    "pattern_of",
    "quoted",
    "text",
]
