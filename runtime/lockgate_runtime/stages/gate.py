"""The stage that decides: metrics and the scan against the spec's limits. The verdict is data; the stage succeeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from lockgate import contract
from lockgate.contract import GateResult, Interval, Metric, Verdict
from lockgate.spec.model import Gate
from lockgate.spec.promises import SERVED_LATENCY, with_promises
from lockgate_runtime.stages.card import card
from lockgate_runtime.stages.files import read_json, replacing, write_json
from lockgate_runtime.stages.metrics import described
from lockgate_runtime.stages.outcomes import failed
from lockgate_runtime.stages.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from lockgate.spec.model import Model, OnFail, Spec

_NO_INVALID_ROWS = Gate(min=None, max=0.0, max_drop=None, on_fail="block")


def run(spec: Spec, model: Model, root: Path) -> str:
    """Write GATES and CARD."""
    evaluation: contract.Evaluation = _read(model, root, contract.EVALUATION)
    scan: contract.Scan = _read(model, root, contract.SCAN)
    metrics = {**evaluation["metrics"], **_operational(model, root)}
    gates = judge(with_promises(model), metrics, scan)
    write_json(root / contract.artifact_path(model.name, contract.GATES), gates)
    with replacing(root / contract.artifact_path(model.name, contract.CARD)) as temporary:
        temporary.write_text(card(spec, model, root, gates), encoding="utf-8")
    return _summary(gates)


def _operational(model: Model, root: Path) -> dict[str, Metric]:
    """What other stages measured: exact, so without intervals."""
    latency: contract.Latency = _read(model, root, contract.LATENCY)
    export: contract.Export = _read(model, root, contract.EXPORT)
    validation: contract.Validation = _read(model, root, contract.VALIDATION)
    values = {
        "latency_p50": latency["p50"],
        "latency_p99": latency["p99"],
        "model_size": float(export["size_bytes"]),
        "invalid_rows": validation["invalid_rows"] / max(validation["rows"], 1),
    }
    if "served_p99" in latency:
        values[SERVED_LATENCY] = latency["served_p99"]
    return {
        name: described(name, Interval(value=value, low=None, high=None), {})
        for name, value in values.items()
    }


def judge(gates: Mapping[str, Gate], metrics: Mapping[str, Metric], scan: contract.Scan) -> contract.Gates:
    """Hold every limit of every gate against its metric, and the scan.

    `max_drop` is skipped: what is live is no input of the pipeline, and compared after it, by `compare`. Invalid rows
    block without a gate of their own, and so does a finding of the scan.
    """
    every = {"invalid_rows": _NO_INVALID_ROWS, **gates}
    results = [result for name in every for result in _results(name, every[name], metrics)]
    results.append(_scan_result(scan))
    return contract.Gates(verdict=_verdict(results), gates=results)


def _results(name: str, gate: Gate, metrics: Mapping[str, Metric]) -> Iterator[GateResult]:
    metric = metrics.get(name)
    if gate.min is not None:
        yield _limit_result(name, "min", gate.min, metric, gate.on_fail)
    if gate.max is not None:
        yield _limit_result(name, "max", gate.max, metric, gate.on_fail)
    if gate.max_drop is not None:
        yield _drop_result(name, gate.max_drop, metric, gate.on_fail)


def _limit_result(
    name: str, rule: Literal["min", "max"], limit: float, metric: Metric | None, on_fail: OnFail
) -> GateResult:
    if metric is None or metric["value"] is None:
        return _undefined(name, rule, limit, metric, on_fail)
    value, unit = metric["value"], metric["unit"]
    margin = value - limit if rule == "min" else limit - value
    relation = {
        ("min", True): "is at least",
        ("min", False): "is below",
        ("max", True): "is at most",
        ("max", False): "is above",
    }[rule, margin >= 0]
    other: Literal["pass", "fail"] = "fail" if margin >= 0 else "pass"
    reason = f"{_shown(value, unit)} {relation} {_shown(limit, unit)}{_doubt(metric, limit, other)}"
    return _result(name, rule, limit, metric, on_fail, margin, reason)


def _drop_result(name: str, limit: float, metric: Metric | None, on_fail: OnFail) -> GateResult:
    if metric is None or metric["value"] is None:
        return _undefined(name, "max_drop", limit, metric, on_fail)
    reason = "not compared with what is live: 'lockgate run --base' does"
    return {**_result(name, "max_drop", limit, metric, on_fail, None, reason), "outcome": "skipped"}


def _result(
    name: str,
    rule: Literal["min", "max", "max_drop"],
    limit: float,
    metric: Metric | None,
    on_fail: OnFail,
    margin: float | None,
    reason: str,
) -> GateResult:
    return GateResult(
        metric=name,
        rule=rule,
        limit=limit,
        value=metric["value"] if metric else None,
        low=metric["low"] if metric else None,
        high=metric["high"] if metric else None,
        margin=margin,
        unit=metric["unit"] if metric else "",
        on_fail=on_fail,
        outcome="pass" if margin is not None and margin >= 0 else failed(on_fail),
        reason=reason,
    )


def _undefined(
    name: str,
    rule: Literal["min", "max", "max_drop"],
    limit: float,
    metric: Metric | None,
    on_fail: OnFail,
) -> GateResult:
    """A value that is not there holds no limit."""
    what = "no stage reports it" if metric is None else "it is undefined on this holdout"
    return _result(name, rule, limit, metric, on_fail, None, f"'{name}' has no value: {what}")


def _scan_result(scan: contract.Scan) -> GateResult:
    findings = [f"{file['path']} {finding}" for file in scan["files"] for finding in file["findings"]]
    passed = scan["passed"] and not findings
    first = findings[0] if findings else "the scan did not pass"
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return GateResult(
        metric="scan",
        rule="scan",
        limit=None,
        value=None,
        low=None,
        high=None,
        margin=None,
        unit="",
        on_fail="block",
        outcome="pass" if passed else "fail",
        reason=f"{len(scan['files'])} files, nothing found" if passed else f"{first}{more}",
    )


def _doubt(metric: Metric, limit: float, other: Literal["pass", "fail"]) -> str:
    low, high = metric["low"], metric["high"]
    if low is None or high is None or not low < limit < high:
        return ""
    unit = metric["unit"]
    return f", but its interval from {_shown(low, unit)} to {_shown(high, unit)} could {other} too"


def _verdict(results: Sequence[GateResult]) -> Verdict:
    outcomes = {result["outcome"] for result in results}
    if "fail" in outcomes:
        return "fail"
    return "warn" if "warn" in outcomes else "pass"


def _shown(value: float, unit: str) -> str:
    """With enough digits to tell a value from the limit that it just misses."""
    return shown(value, unit, digits=6)


def _summary(gates: contract.Gates) -> str:
    missed = [result["metric"] for result in gates["gates"] if result["outcome"] in ("fail", "warn")]
    held = sum(result["outcome"] == "pass" for result in gates["gates"])
    text = f"{gates['verdict']}: {held} of {len(gates['gates'])} limits hold"
    return f"{text}, not {', '.join(dict.fromkeys(missed))}" if missed else text


def _read(model: Model, root: Path, name: str) -> Any:  # noqa: ANN401 - what a file holds, the contract says
    return read_json(root / contract.artifact_path(model.name, name))
