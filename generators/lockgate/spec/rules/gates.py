"""Rules about gates and metrics: a gate reads a metric that exists, in its unit, with limits that can hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from lockgate.diagnostics import Finding
from lockgate.spec import units
from lockgate.spec.metrics import METRICS
from lockgate.spec.promises import SERVED_LATENCY
from lockgate.spec.validate import suggest

Block: TypeAlias = Mapping[str, Any]
Location: TypeAlias = tuple[str | int, ...]

_LIMITS = ("min", "max", "max_drop")
_EXAMPLES = {"s": "5ms", "bytes": "20MB", "": "0.7"}
_UNIT_NAMES = {"s": "a duration", "bytes": "a size", "": "a number without a unit"}


def check(filled: Block, _written: Block) -> Iterator[Finding]:
    for name, model in filled["models"].items():
        yield from _custom_metrics(model, ("models", name, "evaluate", "metrics"))
        for metric, gate in model["gates"].items():
            yield from _gate(model, metric, gate, ("models", name, "gates", metric))


def _custom_metrics(model: Block, location: Location) -> Iterator[Finding]:
    for metric in model["evaluate"]["metrics"]:
        if metric in METRICS:
            yield Finding(
                rule="metric-taken",
                location=(*location, metric),
                at_key=True,
                message=f"{metric!r} is the name of a built-in metric",
                help="give the metric another name",
            )


def _gate(model: Block, metric: str, gate: Block, location: Location) -> Iterator[Finding]:
    known = [name for name, info in METRICS.items() if model["task"] in info.tasks]
    if metric not in known and metric not in model["evaluate"]["metrics"]:
        yield _unknown_metric(model, metric, [*known, *model["evaluate"]["metrics"]], location)
        return
    if not any(key in gate for key in _LIMITS):
        yield Finding(
            rule="gate-without-limit",
            location=location,
            at_key=True,
            message=f"the gate on {metric!r} has no limit",
            help="add 'min', 'max' or 'max_drop'",
        )
    if metric == SERVED_LATENCY:
        yield from _served_latency(model, gate, location)
    unit = METRICS[metric].unit if metric in METRICS else ""
    wrong = [key for key in _LIMITS if key in gate and not _fits(gate[key], unit)]
    yield from (_wrong_unit(metric, unit, gate[key], (*location, key)) for key in wrong)
    if not wrong:
        yield from _limits(gate, location)


def _served_latency(model: Block, gate: Block, location: Location) -> Iterator[Finding]:
    if "latency_p99" not in model.get("serve", {}).get("slo", {}):
        yield Finding(
            rule="gate-metric",
            location=location,
            at_key=True,
            message=f"gate reads metric {SERVED_LATENCY!r}, which is measured only where the SLO promises a latency",
            help="add 'serve.slo.latency_p99', or take 'latency_p99' for the model without its server",
        )
    if "max_drop" in gate:
        yield Finding(
            rule="gate-metric",
            location=(*location, "max_drop"),
            at_key=True,
            message=f"{SERVED_LATENCY!r} is not compared with the champion's",
            help="hold it to a 'max'; 'latency_p99' is compared",
        )


def _unknown_metric(model: Block, metric: str, known: list[str], location: Location) -> Finding:
    elsewhere = metric in METRICS
    cause = (
        f", which is not a metric of a {model['task']}" if elsewhere else ", which evaluate does not report"
    )
    return Finding(
        rule="gate-metric",
        location=location,
        at_key=True,
        message=f"gate reads metric {metric!r}{cause}",
        help=suggest(metric, known) or f"known metrics: {', '.join(sorted(known))}",
    )


def _fits(value: float | str, unit: str) -> bool:
    """A size may be written as a bare number of bytes; a latency always says its unit."""
    written = units.limit(value)[1]
    return written == unit or (unit == "bytes" and written == "")


def _wrong_unit(metric: str, unit: str, value: float | str, location: Location) -> Finding:
    return Finding(
        rule="gate-unit",
        location=location,
        message=f"the limit of {metric!r} has to be {_UNIT_NAMES[unit]}, and this is {value}",
        help=f"for example {_EXAMPLES[unit]}",
    )


def _limits(gate: Block, location: Location) -> Iterator[Finding]:
    limits = {key: units.limit(gate[key])[0] for key in _LIMITS if key in gate}
    if limits.get("min", float("-inf")) > limits.get("max", float("inf")):
        yield Finding(
            rule="empty-range",
            location=(*location, "min"),
            message=f"no value is at least {gate['min']} and at most {gate['max']}",
            help="exchange 'min' and 'max'",
        )
    if limits.get("max_drop", 0) < 0:
        yield Finding(
            rule="negative-drop",
            location=(*location, "max_drop"),
            message=f"'max_drop' says by how much a candidate may be worse, and {gate['max_drop']} is negative",
            help="write 0 where it may not be worse at all",
        )
