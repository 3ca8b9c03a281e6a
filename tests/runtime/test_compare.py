"""The stage on a real small project: champions that are equal, worse, of another signature, broken, or not there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.runtime.champions import compared, crown, forget_modules, say
from tests.runtime.stage_runs import artifact, artifact_json, run_stage, run_until

from lockgate import contract
from lockgate.contract.comparison import Comparison
from lockgate.spec.model import CustomMetric, Fairness, Gate, Model, Spec

Make = Callable[..., Model]
MakeSpec = Callable[[Model], Spec]

DROP = Gate(min=None, max=None, max_drop=0.01, on_fail="block")
GATES = {"roc_auc": DROP, "log_loss": DROP}


def outcomes(comparison: Comparison) -> dict[str, str]:
    return {gate["metric"]: gate["outcome"] for gate in comparison["gates"]}


def reasons(comparison: Comparison) -> set[str]:
    return {gate["reason"] for gate in comparison["gates"]}


def test_an_equal_champion_differs_by_exactly_nothing(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    model = make_model(gates={**GATES, "model_size": DROP, "invalid_rows": DROP})
    crown(make_spec(model), model, project)
    comparison = compared(make_spec(model), model, project)
    told = {(it["difference"], it["low"], it["high"]) for it in comparison["metrics"]}
    assert told == {(0.0, 0.0, 0.0)}
    assert {it["answer"] for it in comparison["metrics"]} == {"no worse"}
    assert {it["metric"] for it in comparison["metrics"]} >= {
        "roc_auc",
        "brier",
        "model_size",
        "invalid_rows",
    }
    assert {(it["label"], it["metric"], it["difference"]) for it in comparison["slices"]} == {
        (label, metric, 0.0) for label in "ABC" for metric in GATES
    }
    assert outcomes(comparison) == dict.fromkeys((*GATES, "model_size", "invalid_rows"), "pass")
    assert comparison["signature"] == {"added": [], "removed": []}
    assert comparison["reason"] is None
    assert comparison["data"] is not None
    assert comparison["data"]["rows"] == [360, 360]
    assert {
        it["psi"] for name, it in comparison["data"]["columns"].items() if name in ("distance", "line")
    } == {0.0}


def test_the_comparison_names_the_artifact_that_it_scored(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    model = make_model(gates=GATES)
    run_until("export", make_spec(model), model, project)
    exported = artifact_json(model, project, contract.EXPORT)["artifact_sha256"]

    assert compared(make_spec(model), model, project)["candidate_sha256"] == exported

    reference = artifact(model, project, contract.MODEL_DIRECTORY) / contract.REFERENCE
    reference.write_text(reference.read_text() + "\n")
    assert compared(make_spec(model), model, project)["candidate_sha256"] != exported


def test_a_champion_in_the_other_format_is_compared_alike(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    served = make_model(export={"format": "skops"})
    crown(make_spec(served), served, project)
    model = make_model(export={"format": "onnx"})
    run_until("export", make_spec(model), model, project)
    comparison = compared(make_spec(model), model, project)
    assert comparison["reason"] is None
    told = {it["metric"]: it["difference"] for it in comparison["metrics"]}
    assert told == pytest.approx(dict.fromkeys(told, 0.0), abs=1e-4)


def test_a_candidate_that_learned_next_to_nothing_is_worse(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    model = make_model(gates=GATES)
    crown(make_spec(model), model, project)
    candidate = make_model(gates=GATES, train={"params": {"C": 1e-6}})
    run_until("export", make_spec(candidate), candidate, project)
    comparison = compared(make_spec(candidate), candidate, project)
    log_loss = next(it for it in comparison["metrics"] if it["metric"] == "log_loss")
    assert log_loss["candidate"] is not None
    assert log_loss["champion"] is not None
    assert log_loss["difference"] == log_loss["candidate"] - log_loss["champion"]
    assert log_loss["answer"] == "worse"
    gate = next(it for it in comparison["gates"] if it["metric"] == "log_loss")
    assert gate["outcome"] == "fail"
    assert gate["margin"] is not None
    assert gate["margin"] < 0
    assert gate["reason"].startswith("worse: ")


def test_two_comparisons_write_equal_bytes(project: Path, make_model: Make, make_spec: MakeSpec) -> None:
    model = make_model(
        gates=GATES,
        evaluate={
            "worst_slices": 3,
            "fairness": {
                "by_line": Fairness(column="line", metric="accuracy", max_difference=0.5, on_fail="warn")
            },
        },
    )
    crown(make_spec(model), model, project)
    compared(make_spec(model), model, project)
    first = artifact(model, project, contract.COMPARISON).read_bytes()
    compared(make_spec(model), model, project)
    assert artifact(model, project, contract.COMPARISON).read_bytes() == first


def test_features_of_the_candidate_alone_are_listed(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    model = make_model(gates=GATES)
    crown(make_spec(model), model, project)
    data = project / "team/data.py"
    data.write_text(data.read_text().replace('"late":', '"wet": random.random(rows) < 0.2,\n"late":'))
    forget_modules()
    run_until("export", make_spec(model), model, project)
    comparison = compared(make_spec(model), model, project)
    assert comparison["signature"] == {"added": ["wet"], "removed": []}
    assert comparison["data"] is not None
    assert comparison["data"]["columns"]["wet"] == {"psi": None, "missing": [None, 0.0], "change": "added"}
    assert comparison["reason"] is None


def test_a_champion_that_needs_a_feature_which_is_gone_cannot_be_scored(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    model = make_model(gates=GATES)
    crown(make_spec(model), model, project)
    code, data = project / "team/model.py", project / "team/data.py"
    code.write_text(code.read_text().replace(', "express"', ""))
    data.write_text(data.read_text().replace('"express": random.random(rows) < 0.3,', ""))
    forget_modules()
    run_until("export", make_spec(model), model, project)
    comparison = compared(make_spec(model), model, project)
    reason = "the champion cannot be scored: it needs 'express', which the candidate's data does not have"
    assert comparison["reason"] == reason
    assert comparison["metrics"] == comparison["slices"] == []
    assert comparison["signature"] == {"added": [], "removed": ["express"]}
    assert outcomes(comparison) == {"roc_auc": "warn", "log_loss": "warn"}
    assert reasons(comparison) == {reason}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"classes": ["False", "Maybe"]},
            "its classes are 'False', 'Maybe', and the candidate's 'False', 'True'",
        ),
        ({"kind": "regression"}, "it is a regression model, and the candidate binary"),
        ({"target": "early"}, "it predicts 'early', and the candidate 'late'"),
        ({"inputs": 3}, "its 'signature.json' is not of the form this version reads"),
    ],
)
def test_a_champion_of_another_signature_is_told_and_not_scored(
    project: Path,
    make_model: Make,
    make_spec: MakeSpec,
    change: dict[str, object],
    reason: str,
) -> None:
    model = make_model(gates=GATES, compare={"on_unknown": "block"})
    crown(make_spec(model), model, project)
    path = project / contract.champion_file(model.name, "model/signature.json")
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **change}))
    comparison = compared(make_spec(model), model, project)
    assert (comparison["reason"] or "").startswith(f"the champion cannot be scored: {reason}")
    assert outcomes(comparison) == {"roc_auc": "fail", "log_loss": "fail"}


def test_a_champion_that_read_a_column_as_numbers_is_not_scored_on_text(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    model = make_model(gates=GATES)
    crown(make_spec(model), model, project)
    path = project / contract.champion_file(model.name, "model/signature.json")
    path.write_text(path.read_text().replace('"category"', '"number"'))
    comparison = compared(make_spec(model), model, project)
    assert (comparison["reason"] or "").startswith(
        "the champion cannot be scored: column 'line' holds something that is not a number"
    )


def test_a_broken_champion_is_told_and_not_scored(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    model = make_model(gates=GATES)
    crown(make_spec(model), model, project)
    (project / contract.champion_file(model.name, "model/model.onnx")).write_bytes(b"no model")
    comparison = compared(make_spec(model), model, project)
    assert (comparison["reason"] or "").startswith(
        "the champion cannot be scored: ONNX Runtime refuses the model"
    )


def test_the_other_class_may_have_become_the_positive_one(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    model = make_model()
    crown(make_spec(model), model, project)
    turned = make_model(evaluate={"positive": False})
    run_until("export", make_spec(turned), turned, project)
    comparison = compared(make_spec(turned), turned, project)
    assert comparison["reason"] is None
    told = {it["metric"]: it["difference"] for it in comparison["metrics"]}
    assert told == pytest.approx(dict.fromkeys(told, 0.0), abs=1e-4)


def test_the_first_model_skips_what_compares(project: Path, make_model: Make, make_spec: MakeSpec) -> None:
    model = make_model(gates=GATES, compare={"on_unknown": "block"})
    run_until("export", make_spec(model), model, project)
    say(model, project, reason="nothing is live, and 'main' has no model")
    said = run_stage("compare", make_spec(model), model, project)
    assert said == "no champion to compare with: nothing is live, and 'main' has no model"
    comparison = compared(make_spec(model), model, project)
    assert outcomes(comparison) == {"roc_auc": "skipped", "log_loss": "skipped"}
    assert comparison["data"] is None


def test_a_champion_that_nobody_has_goes_by_the_policy(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    model = make_model(gates=GATES)
    run_until("export", make_spec(model), model, project)
    say(model, project, origin="pin", environment="production", version="1.2.0", reason="the remote lacks it")
    comparison = compared(make_spec(model), model, project)
    assert outcomes(comparison) == {"roc_auc": "warn", "log_loss": "warn"}
    assert reasons(comparison) == {"no champion to compare with: the remote lacks it"}


def test_without_a_search_there_is_no_champion(project: Path, make_model: Make, make_spec: MakeSpec) -> None:
    model = make_model(gates=GATES)
    run_until("export", make_spec(model), model, project)
    comparison = compared(make_spec(model), model, project)
    assert comparison["champion"]["origin"] == "none"
    assert outcomes(comparison) == {"roc_auc": "skipped", "log_loss": "skipped"}


def test_a_regression_and_a_metric_of_the_user_are_compared(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    (project / "team/own.py").write_text("def bias(y_true, y_pred):\n    return (y_pred - y_true).mean()\n")
    settings = {
        "task": "regression",
        "data": {"target": "minutes"},
        "evaluate": {"metrics": {"bias": CustomMetric(function="team.own:bias", better="lower")}},
        "gates": {"rmse": Gate(min=None, max=None, max_drop=0.5, on_fail="warn"), "bias": DROP},
    }
    model = make_model(**settings, train={"estimator": "team.model:build_regression"})
    crown(make_spec(model), model, project)
    weak = {"estimator": "team.model:build_regression", "params": {"alpha": 1e5}}
    candidate = make_model(**settings, train=weak)
    run_until("export", make_spec(candidate), candidate, project)
    comparison = compared(make_spec(candidate), candidate, project)
    assert outcomes(comparison)["rmse"] == "warn"
    bias = next(it for it in comparison["metrics"] if it["metric"] == "bias")
    assert bias["low"] is not None
    assert bias["difference"] is not None
    assert bias["high"] is not None
    assert bias["low"] <= bias["difference"] <= bias["high"]


def test_a_metric_that_fails_on_the_champion_is_told(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    (project / "team/own.py").write_text("def bad(y_true, y_pred, y_proba):\n    raise ValueError('never')\n")
    own = {"bad": CustomMetric(function="team.own:bad", better="lower")}
    plain = make_model()
    crown(make_spec(plain), plain, project)
    model = make_model(evaluate={"metrics": own}, gates={"bad": DROP})
    comparison = compared(make_spec(model), model, project)
    assert "raised ValueError: never" in comparison["gates"][0]["reason"]
    assert comparison["gates"][0]["outcome"] == "fail"


def test_latencies_are_measured_side_by_side(project: Path, make_model: Make, make_spec: MakeSpec) -> None:
    model = make_model(gates={"latency_p99": Gate(min=None, max=None, max_drop=10.0, on_fail="block")})
    crown(make_spec(model), model, project)
    comparison = compared(make_spec(model), model, project)
    latency = next(it for it in comparison["metrics"] if it["metric"] == "latency_p99")
    assert latency["unit"] == "s"
    assert latency["champion"] is not None
    assert latency["champion"] > 0
    assert latency["low"] == latency["high"] == latency["difference"]
    assert outcomes(comparison) == {"latency_p99": "pass"}


def test_a_champion_released_before_models_had_hashes_is_compared(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    model = make_model(gates={**GATES, "model_size": DROP})
    crown(make_spec(model), model, project)
    directory = project / contract.champion_file(model.name, contract.MODEL_DIRECTORY)
    (directory / contract.SHA256SUMS).unlink()
    comparison = compared(make_spec(model), model, project)
    assert comparison["reason"] is None
    assert {it["difference"] for it in comparison["metrics"]} == {0.0}
