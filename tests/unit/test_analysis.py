"""What a rollout is held to: which metrics, when each is measured, and that no data never counts as good."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.promtool import check_expressions, needs_promtool
from tests.targets.watched import SLO, service

from lockgate.plan.analysis import (
    AFTER_SWITCH_SECONDS,
    HASH_LABEL,
    AnalysisMetric,
    Judgement,
    Limits,
    metrics,
    schedule,
    shadow_metrics,
    watched_seconds,
)
from lockgate.rehearsal.promql import evaluate
from lockgate.rehearsal.series import Series

STEPS = [{"weight": 25, "pause": "10m"}, {"weight": 50, "pause": "10m"}]
CANARY = {"strategy": "canary", "steps": STEPS}
MINUTES = range(0, 1201, 30)
AT_SECONDS = 1190


def by_name(**serve: object) -> dict[str, AnalysisMetric]:
    return {metric.name: metric for metric in metrics(service(**serve), latest="new", stable="old")}


def counter(name: str, a_second: float, version: str = "new", **labels: str) -> Series:
    own = {"__name__": name, "model": "delay", "namespace": "ml", HASH_LABEL: version, **labels}
    return Series(own, [float(at) for at in MINUTES], [at * a_second for at in MINUTES])


def judged(metric: AnalysisMetric, *series: Series) -> Judgement:
    """As a rollout would: by the first value of the answer, if there is one."""
    assert metric.expression is not None
    answer = evaluate(metric.expression, series, AT_SECONDS)
    assert isinstance(answer, tuple)
    return metric.limits.judge(answer[0].value if answer else None)


def predictions(version: str, *a_second: float, scale: str = "1.0") -> list[Series]:
    name = "lockgate_predictions_shared_bin_total"
    return [counter(name, rate, version, scale=scale, bin=str(index)) for index, rate in enumerate(a_second)]


def test_the_slo_says_what_a_canary_is_held_to() -> None:
    found = by_name(slo=SLO, rollout=CANARY)
    assert {name: metric.limits for name, metric in found.items()} == {
        "success-rate": Limits(Decimal("0.999"), None),
        "latency-p99": Limits(Decimal("0.99"), None),
        "prediction-psi": Limits(None, Decimal("0.2")),
    }


def test_a_rolling_update_and_a_canary_without_limits_are_not_measured() -> None:
    assert by_name(slo=SLO) == {}
    assert by_name(rollout=CANARY) == {}


def test_the_pods_of_a_version_are_told_by_arguments_of_the_rollout() -> None:
    asked = metrics(service(slo=SLO, rollout=CANARY))[0].query
    assert f'{HASH_LABEL}="{{{{args.latest-hash}}}}"' in asked


@pytest.mark.parametrize(
    ("failed_a_second", "expected"), [(0.0, "successful"), (0.005, "successful"), (0.02, "failed")]
)
def test_the_share_of_failures_decides(failed_a_second: float, expected: Judgement) -> None:
    metric = by_name(slo=SLO, rollout=CANARY)["success-rate"]
    name = "lockgate_requests_total"
    series = (counter(name, 10, code="200"), counter(name, failed_a_second, code="500"))
    assert judged(metric, *series) == expected


def test_failures_of_the_stable_version_are_not_the_canarys() -> None:
    metric = by_name(slo=SLO, rollout=CANARY)["success-rate"]
    name = "lockgate_requests_total"
    series = (counter(name, 10, code="200"), counter(name, 10, "old", code="500"))
    assert judged(metric, *series) == "successful"


def test_nothing_but_failures_fails() -> None:
    metric = by_name(slo=SLO, rollout=CANARY)["success-rate"]
    assert judged(metric, counter("lockgate_requests_total", 1, code="500")) == "failed"


@pytest.mark.parametrize(("quick", "expected"), [(9.95, "successful"), (9.8, "failed")])
def test_the_share_within_the_promised_latency_decides(quick: float, expected: Judgement) -> None:
    metric = by_name(slo=SLO, rollout=CANARY)["latency-p99"]
    name = "lockgate_request_duration_seconds"
    assert (
        judged(metric, counter(f"{name}_bucket", quick, le="0.05"), counter(f"{name}_count", 10)) == expected
    )


def test_another_latency_than_the_promised_is_read_from_the_quantile() -> None:
    limits = {"latency_p99": {"max": "80ms"}}
    metric = by_name(slo=SLO, rollout={**CANARY, "analysis": limits})["latency-p99"]
    assert metric.limits == Limits(None, Decimal("0.08"))
    name = "lockgate_request_duration_seconds_bucket"
    bounds = [counter(name, 5, le="0.05"), counter(name, 10, le="0.1"), counter(name, 10, le="+Inf")]
    assert judged(metric, *bounds) == "failed"


@pytest.mark.parametrize(
    ("canary", "expected"), [((5.0, 5.0), "successful"), ((5.5, 4.5), "successful"), ((9.0, 1.0), "failed")]
)
def test_other_predictions_than_the_stable_versions_fail(
    canary: tuple[float, float], expected: Judgement
) -> None:
    metric = by_name(slo=SLO, rollout=CANARY)["prediction-psi"]
    assert judged(metric, *predictions("new", *canary), *predictions("old", 50, 50)) == expected


def test_of_several_scales_the_one_that_shows_most_counts() -> None:
    metric = by_name(slo=SLO, rollout=CANARY)["prediction-psi"]
    coarse = (*predictions("new", 5, 0, scale="4.0"), *predictions("old", 5, 0, scale="4.0"))
    assert judged(metric, *predictions("new", 9, 1), *predictions("old", 5, 5), *coarse) == "failed"
    assert judged(metric, *predictions("new", 5, 5), *predictions("old", 5, 5), *coarse) == "successful"
    # One that only the one version has says nothing.
    alone = predictions("new", 9, 1, scale="0.25")
    assert judged(metric, *predictions("new", 5, 5), *predictions("old", 5, 5), *alone) == "successful"


def test_predictions_of_another_magnitude_fail() -> None:
    metric = by_name(slo=SLO, rollout=CANARY)["prediction-psi"]
    assert judged(metric, *predictions("new", 5, 5), *predictions("old", 5, 5, scale="1024.0")) == "failed"
    few = predictions("old", 0.1, 0, scale="1024.0")
    assert judged(metric, *predictions("new", 5, 5), *few) == "inconclusive"


def test_bins_that_nobody_predicts_into_add_nothing() -> None:
    """With a hundred times the stable version's traffic they would, each by its half observation."""
    metric = by_name(slo=SLO, rollout=CANARY)["prediction-psi"]
    nowhere = [0.0] * 30
    new, old = predictions("new", 0.5, 0.5, *nowhere), predictions("old", 500, 500, *nowhere)
    assert judged(metric, *new, *old) == "successful"


@pytest.mark.parametrize("few", ["new", "old"])
def test_too_few_predictions_on_either_side_say_nothing(few: str) -> None:
    metric = by_name(slo=SLO, rollout=CANARY)["prediction-psi"]
    many = {"new": "old", "old": "new"}[few]
    assert judged(metric, *predictions(few, 0.1, 0), *predictions(many, 5, 5)) == "inconclusive"


@pytest.mark.parametrize("name", ["success-rate", "latency-p99", "prediction-psi"])
def test_neither_missing_series_nor_missing_traffic_is_good(name: str) -> None:
    metric = by_name(slo=SLO, rollout=CANARY)[name]
    idle = (
        counter("lockgate_requests_total", 0, code="200"),
        counter("lockgate_request_duration_seconds_bucket", 0, le="0.05"),
        counter("lockgate_request_duration_seconds_count", 0),
        *predictions("new", 0, 0),
        *predictions("old", 5, 5),
    )
    assert judged(metric) == "inconclusive"
    assert judged(metric, *idle) == "inconclusive"


def test_conditions_say_nothing_of_an_answer_without_a_value() -> None:
    limits = {"success_rate": {"min": 99.5}}
    metric = by_name(slo=SLO, rollout={**CANARY, "analysis": limits})["success-rate"]
    assert metric.success_condition == "len(result) > 0 && !isNaN(result[0]) && result[0] >= 0.995"
    assert metric.failure_condition == "len(result) > 0 && !isNaN(result[0]) && (result[0] < 0.995)"


def test_a_query_of_ones_own_may_have_two_limits() -> None:
    query = {"query": "sum(rate(bookings_total[10m]))", "min": 10, "max": 1e-7, "reason": "money"}
    found = by_name(rollout={**CANARY, "analysis": {"queries": {"bookings": {**query, "max": 20.5}}}})
    metric = found["query-bookings"]
    assert (metric.query, metric.expression, metric.reason) == (query["query"], None, "money")
    assert metric.success_condition.endswith("result[0] >= 10 && result[0] <= 20.5")
    assert metric.failure_condition.endswith("(result[0] < 10 || result[0] > 20.5)")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "inconclusive"),
        (math.nan, "inconclusive"),
        (0.0, "failed"),
        (1.0, "successful"),
        (2.1, "failed"),
    ],
)
def test_a_value_is_judged_by_its_limits(value: float | None, expected: Judgement) -> None:
    assert Limits(Decimal(1), Decimal(2)).judge(value) == expected


@given(st.integers(40, 10**6))
def test_all_measurements_are_made_before_the_last_pause_ends(total_seconds: int) -> None:
    made = schedule(total_seconds)
    assert made.measurements >= 1
    assert made.delay_seconds + (made.measurements - 1) * made.interval_seconds < total_seconds


@pytest.mark.parametrize("pause", ["30s", "90s", "5m", "6h"])
def test_a_rollout_is_good_only_if_something_was_measured_as_good(pause: str) -> None:
    rollout = {"strategy": "canary", "steps": [{"weight": 50, "pause": pause}]}
    for metric in by_name(slo=SLO, rollout=rollout).values():
        assert metric.inconclusive_limit + metric.failure_limit < metric.measurements


def test_blue_green_is_watched_after_the_switch() -> None:
    assert watched_seconds(service(slo=SLO, rollout="blue-green")) == AFTER_SWITCH_SECONDS
    assert by_name(slo=SLO, rollout="blue-green")["success-rate"].measurements == 7


@needs_promtool
def test_prometheus_takes_every_query(tmp_path: Path) -> None:
    limits = {"latency_p99": {"max": "80ms"}}
    found = [
        metric.query
        for rollout in ("canary", "blue-green", {**CANARY, "analysis": limits})
        for metric in metrics(service(slo=SLO, rollout=rollout))
    ]
    assert len(found) == 9
    assert check_expressions(found, tmp_path) == ""


ISTIO = {"gateway": "g", "namespace": "gateways", "hostname": "delay.acme.test", "router": "istio"}


def copied(for_: str) -> dict[str, AnalysisMetric]:
    rollout = {"strategy": "cautious", "shadow": {"for": for_}}
    served = service(slo=SLO, rollout=rollout, traffic=ISTIO)
    return {metric.name: metric for metric in shadow_metrics(served, latest="new", stable="old")}


def test_copies_are_judged_by_the_pods_that_got_them_however_much_traffic_there_is() -> None:
    success = copied("30m")["success-rate"]
    busy = [counter("lockgate_requests_total", rate, "old", code="200") for rate in (100,)]
    right = counter("lockgate_requests_total", 1, code="200")
    failing = counter("lockgate_requests_total", 0.5, code="500")
    assert judged(success, *busy, right) == "successful"
    assert judged(success, *busy, right, failing) == "failed"
    assert judged(success, *busy) == "inconclusive"


def test_a_live_version_that_fails_is_not_held_against_the_copies() -> None:
    failing = counter("lockgate_requests_total", 50, "old", code="500")
    assert judged(
        copied("30m")["success-rate"], failing, counter("lockgate_requests_total", 1, code="200")
    ) == ("successful")


@pytest.mark.parametrize(("for_", "ends"), [("30m", 1800), ("90s", 88), ("5s", 10)])
def test_the_last_measurement_of_a_shadow_is_at_its_end(for_: str, ends: int) -> None:
    for metric in copied(for_).values():
        assert metric.initial_delay_seconds + metric.interval_seconds * (metric.measurements - 1) == ends


def test_without_a_shadow_there_is_nothing_to_ask_of_one() -> None:
    assert shadow_metrics(service(slo=SLO, rollout=CANARY)) == ()
