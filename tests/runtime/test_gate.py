"""Every rule of every gate, in both directions, and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.runtime.stage_runs import artifact_json, run_until

from lockgate import contract
from lockgate.contract import Better, Gates, Metric, Outcome, Scan
from lockgate.spec.model import Gate, Model, OnFail, Spec
from lockgate_runtime.stages.gate import judge

CLEAN = Scan(passed=True, files=[])
DIRTY = Scan(
    passed=False,
    files=[
        {
            "path": "model.onnx",
            "sha256": "",
            "size_bytes": 1,
            "format": "a pickle",
            "findings": ["holds a pickle"],
        }
    ],
)


def metric(
    value: float | None, low: float | None = None, high: float | None = None, better: Better = "higher"
) -> Metric:
    return Metric(value=value, low=low, high=high, better=better, unit="", description="")


def gate(
    minimum: float | None = None,
    maximum: float | None = None,
    max_drop: float | None = None,
    on_fail: OnFail = "block",
) -> Gate:
    return Gate(min=minimum, max=maximum, max_drop=max_drop, on_fail=on_fail)


def judged(
    gates: Mapping[str, Gate],
    metrics: Mapping[str, Metric],
    scan: Scan = CLEAN,
) -> Gates:
    return judge(gates, {"invalid_rows": metric(0.0, better="lower"), **metrics}, scan)


def only(gates: Gates, name: str) -> tuple[Outcome, str]:
    (found,) = [result for result in gates["gates"] if result["metric"] == name]
    return found["outcome"], found["reason"]


@pytest.mark.parametrize(
    ("limit", "value", "outcome", "reason"),
    [
        (gate(minimum=0.7), 0.7, "pass", "0.7 is at least 0.7"),
        (gate(minimum=0.7), 0.69999, "fail", "0.69999 is below 0.7"),
        (gate(maximum=0.2), 0.2, "pass", "0.2 is at most 0.2"),
        (gate(maximum=0.2), 0.3, "fail", "0.3 is above 0.2"),
        (gate(minimum=0.7, on_fail="warn"), 0.6, "warn", "0.6 is below 0.7"),
        (gate(minimum=0.7, on_fail="observe"), 0.6, "observed", "0.6 is below 0.7"),
    ],
)
def test_a_limit_is_held_against_the_value(limit: Gate, value: float, outcome: str, reason: str) -> None:
    assert only(judged({"roc_auc": limit}, {"roc_auc": metric(value)}), "roc_auc") == (outcome, reason)


def test_a_drop_is_left_to_the_comparison() -> None:
    found = judged({"m": gate(max_drop=0.005)}, {"m": metric(0.1)})
    assert only(found, "m") == ("skipped", "not compared with what is live: 'lockgate run --base' does")
    assert found["verdict"] == "pass"


def test_an_undefined_value_fails() -> None:
    found = judged({"roc_auc": gate(minimum=0.7)}, {"roc_auc": metric(None)})
    assert only(found, "roc_auc") == ("fail", "'roc_auc' has no value: it is undefined on this holdout")
    assert found["verdict"] == "fail"


def test_a_metric_that_nothing_reports_fails() -> None:
    assert only(judged({"m": gate(minimum=0.7)}, {}), "m") == (
        "fail",
        "'m' has no value: no stage reports it",
    )


def test_a_limit_inside_the_interval_is_told() -> None:
    found = judged({"roc_auc": gate(minimum=0.7)}, {"roc_auc": metric(0.71, 0.69, 0.73)})
    expected = "0.71 is at least 0.7, but its interval from 0.69 to 0.73 could fail too"
    assert only(found, "roc_auc") == ("pass", expected)


def test_invalid_rows_block_without_a_gate_of_their_own() -> None:
    found = judged({}, {"invalid_rows": metric(0.01, better="lower")})
    assert only(found, "invalid_rows") == ("fail", "0.01 is above 0")
    assert found["verdict"] == "fail"


def test_a_gate_of_ones_own_replaces_that_of_invalid_rows() -> None:
    found = judged({"invalid_rows": gate(maximum=0.05)}, {"invalid_rows": metric(0.01, better="lower")})
    assert only(found, "invalid_rows") == ("pass", "0.01 is at most 0.05")


def test_a_finding_of_the_scan_blocks() -> None:
    found = judged({}, {}, scan=DIRTY)
    assert only(found, "scan") == ("fail", "model.onnx holds a pickle")
    assert found["verdict"] == "fail"


def test_a_warning_alone_makes_the_verdict_a_warning() -> None:
    found = judged({"m": gate(minimum=1.0, on_fail="warn")}, {"m": metric(0.0)})
    assert found["verdict"] == "warn"


def test_one_gate_may_hold_several_limits() -> None:
    found = judged({"m": gate(minimum=0.1, maximum=0.5)}, {"m": metric(0.6)})
    assert [(it["rule"], it["outcome"], it["margin"]) for it in found["gates"] if it["metric"] == "m"] == [
        ("min", "pass", 0.5),
        ("max", "fail", pytest.approx(-0.1)),
    ]


def test_the_stage_judges_what_the_stages_before_wrote(
    project: Path, make_model: Callable[..., Model], make_spec: Callable[[Model], Spec]
) -> None:
    gates = {
        "roc_auc": gate(minimum=0.99),
        "latency_p99": gate(maximum=60.0),
        "model_size": gate(maximum=10.0, on_fail="warn"),
    }
    model = make_model(gates=gates)
    said = run_until("gate", make_spec(model), model, project)[-1]
    assert said == "fail: 3 of 5 limits hold, not roc_auc, model_size"
    found = artifact_json(model, project, contract.GATES)
    assert [(it["metric"], it["outcome"], it["unit"]) for it in found["gates"]] == [
        ("invalid_rows", "pass", ""),
        ("roc_auc", "fail", ""),
        ("latency_p99", "pass", "s"),
        ("model_size", "warn", "bytes"),
        ("scan", "pass", ""),
    ]
