"""All times of a rollout are divided by one factor."""

from __future__ import annotations

from typing import Any

import pytest
from tests.promtool import check_expressions, needs_promtool
from tests.targets.watched import SLO, service

from lockgate.plan.analysis import metrics
from lockgate.plan.promql import text
from lockgate.rehearsal.compression import (
    Step,
    compressed,
    due_seconds,
    lead_seconds,
    scrape_seconds,
    steps,
    usual_speed,
)

CANARY: dict[str, Any] = {
    "slo": SLO,
    "rollout": {
        "strategy": "canary",
        "steps": [{"weight": 25, "pause": "10m"}, {"weight": 50, "pause": "20m"}],
    },
}


def test_half_an_hour_usually_takes_a_minute() -> None:
    it = service(**CANARY)
    assert usual_speed(it) == 30
    assert steps(it, 30) == (Step(25, 20.0), Step(50, 40.0))


def test_measurements_are_made_as_often_as_in_the_cluster() -> None:
    it = service(**CANARY)
    for metric in metrics(it):
        due = due_seconds(metric, 30)
        assert (due[0], due[1] - due[0], len(due)) == (2.0, 2.0, 29)


def test_expressions_keep_all_but_their_windows() -> None:
    (success, *_) = metrics(service(**CANARY))
    assert success.expression is not None
    assert text(compressed(success.expression, 30)) == success.query.replace("[5m]", "[10s]")
    assert text(compressed(success.expression, 1000)) == success.query.replace("[5m]", "[1s]")


def test_a_few_scrapes_fit_into_the_shortest_window() -> None:
    expressions = [compressed(it.expression, 100) for it in metrics(service(**CANARY)) if it.expression]
    assert scrape_seconds(expressions) == pytest.approx(0.6)


def test_a_switch_has_a_lead_in_to_compare_with() -> None:
    blue_green = service(slo=SLO, rollout="blue-green")
    assert steps(blue_green, 8) == (Step(100, 60.0),)
    assert lead_seconds(blue_green, 8, 0.5) == 30.0
    assert lead_seconds(service(**CANARY), 8, 0.5) == 1.0


@needs_promtool
@pytest.mark.parametrize("speed", [1.0, 7.3, 5000.0])
def test_prometheus_takes_compressed_expressions(speed: float, tmp_path: Any) -> None:
    expressions = [compressed(it.expression, speed) for it in metrics(service(**CANARY)) if it.expression]
    assert check_expressions([text(it) for it in expressions], tmp_path) == ""
