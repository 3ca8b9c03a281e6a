"""The numbers of the server's page."""

from __future__ import annotations

import pytest
from tests.server.observed import columns_of, counters_of, monitor_of, probabilities

from lockgate_runtime.server.live import quantile
from lockgate_runtime.server.monitor import Monitor


class Clock:
    """Goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def answer(monitor: Monitor, requests: int, seconds: float) -> None:
    for _ in range(requests):
        monitor.answered("v1", 200, seconds)


def test_a_server_without_traffic_has_no_latency_and_no_drift() -> None:
    assert monitor_of(counters_of()).status() == {
        "requests": 0,
        "rows": 0,
        "requests_per_second": 0,
        "p50_seconds": None,
        "p99_seconds": None,
        "in_flight": 0,
        "queued_rows": 0,
        "refusals": {},
        "drift": [],
    }


def test_the_rate_is_that_of_the_last_minute() -> None:
    clock = Clock()
    monitor = monitor_of(counters_of(), clock=clock)
    for second in range(1, 121):
        answer(monitor, 10 if second <= 60 else 2, 0.001)
        clock.seconds = float(second)
        monitor.flush()
    status = monitor.status()
    assert (status["requests"], status["requests_per_second"]) == (720, 2)


def test_latencies_are_those_of_the_last_minute() -> None:
    clock = Clock()
    monitor = monitor_of(counters_of(), clock=clock)
    answer(monitor, 100, 2.0)
    for second in range(1, 121):
        clock.seconds = float(second)
        monitor.flush()
    answer(monitor, 100, 0.004)
    status = monitor.status()
    assert status["p50_seconds"] == pytest.approx(0.00375)
    assert status["p99_seconds"] == pytest.approx(0.004975)


def test_all_workers_are_in_it() -> None:
    counters = counters_of(workers=2)
    first, second = monitor_of(counters, 0), monitor_of(counters, 1)
    answer(first, 3, 0.001)
    answer(second, 4, 0.001)
    second.refused("column")
    status = first.status()
    assert (status["requests"], status["refusals"]) == (7, {"column": 1})


def test_the_feature_that_drifted_most_comes_first() -> None:
    monitor = monitor_of(counters_of())
    monitor.predicted(
        columns_of([1.5] * 100, ["2"] * 50 + ["1"] * 40 + [""] * 10), probabilities(*[0.5] * 100)
    )
    drift = monitor.status()["drift"]
    assert isinstance(drift, list)
    assert [it["feature"] for it in drift] == ["distance", "line"]
    assert drift[0]["psi"] > 1 > 0.1 > drift[1]["psi"]


@pytest.mark.parametrize(
    ("share", "counts", "expected"),
    [
        (0.5, [0, 0, 0], None),
        (0.5, [4, 0, 0], 0.5),
        (0.99, [50, 50, 0], 1.98),
        (0.5, [0, 0, 9], 2.0),
        (1.0, [1, 1, 0], 2.0),
    ],
)
def test_a_quantile_is_linear_inside_its_bin(
    share: float, counts: list[float], expected: float | None
) -> None:
    assert quantile(share, [1.0, 2.0], counts) == (None if expected is None else pytest.approx(expected))
