"""What is counted, by one worker and by several that share their counters."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.server.observed import columns_of, counters_of, monitor_of, probabilities

from lockgate_runtime.server.monitor import Monitor, Monitoring, Silent
from lockgate_runtime.server.shared_counters import MOST_REASONS

if TYPE_CHECKING:
    from collections.abc import Callable


def samples(monitor: Monitor, name: str) -> dict[tuple[str, ...], float]:
    """The metric's samples by their labels besides those of the model."""
    return {
        tuple(
            value for label, value in sample.labels.items() if label not in {"model", "version"}
        ): sample.value
        for family in text_string_to_metric_families(monitor.exposition().decode())
        for sample in family.samples
        if sample.name == name
    }


def in_a_child(work: Callable[[], None]) -> None:
    """Run it in a forked process, as a worker is."""
    pid = os.fork()
    if not pid:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - the child must not go on with the tests
            sys.stderr.write(f"{error}\n")
            os._exit(1)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0


def test_features_and_predictions_are_counted_by_bin() -> None:
    monitor = monitor_of(counters_of())
    monitor.predicted(columns_of([0, 1, 2.5, np.nan], ["1", "2", "x", ""]), probabilities(0.1, 0.5, 0.7, 0.2))
    assert samples(monitor, "lockgate_feature_bin_total") == {
        ("distance", "0"): 1,
        ("distance", "1"): 1,
        ("distance", "2"): 1,
        ("distance", "3"): 1,
        ("line", "0"): 1,
        ("line", "1"): 1,
        ("line", "2"): 1,
        ("line", "3"): 1,
    }
    assert samples(monitor, "lockgate_predictions_bin_total") == {("0",): 2, ("1",): 2, ("2",): 0}


def test_rows_are_counted_once_however_they_are_batched() -> None:
    whole, single = monitor_of(counters_of()), monitor_of(counters_of())
    generator = np.random.default_rng(0)
    distances = generator.uniform(0, 3, 1300)
    lines = generator.choice(["1", "2", "3", ""], 1300).tolist()
    scores = generator.random(1300)
    whole.predicted(columns_of(distances.tolist(), lines), probabilities(*scores))
    for place in range(1300):
        single.predicted(columns_of([distances[place]], [lines[place]]), probabilities(scores[place]))
    for name in (
        "lockgate_feature_bin_total",
        "lockgate_predictions_bin_total",
        "lockgate_confidence_bucket",
    ):
        assert samples(single, name) == samples(whole, name)


def test_512_rows_are_counted_without_being_asked_for() -> None:
    counters = counters_of()
    monitor_of(counters).predicted(columns_of([1.5] * 512, ["1"] * 512), probabilities(*[0.5] * 512))
    assert counters.total()[counters.layout.features[0]].tolist() == [0, 512, 0, 0]


def test_confidence_is_that_of_the_most_probable_class() -> None:
    monitor = monitor_of(counters_of())
    monitor.predicted(columns_of([1, 1, 1], ["1", "1", "1"]), probabilities(0.1, 0.55, 0.6))
    buckets = samples(monitor, "lockgate_confidence_bucket")
    assert [buckets[bound,] for bound in ("0.5", "0.6", "0.8", "0.9", "+Inf")] == [0, 2, 2, 3, 3]
    assert samples(monitor, "lockgate_confidence_sum")[()] == pytest.approx(0.9 + 0.55 + 0.6)


def test_an_output_that_is_no_number_spoils_no_sum() -> None:
    monitor = monitor_of(counters_of())
    monitor.predicted(columns_of([1, 1], ["1", "1"]), probabilities(np.nan, 0.75))
    assert samples(monitor, "lockgate_predictions_bin_total")["2",] == 1
    assert samples(monitor, "lockgate_confidence_sum")[()] == 0.75


def test_a_regression_has_no_confidence() -> None:
    monitor = monitor_of(counters_of("regression"))
    monitor.predicted(columns_of([1, 1, 1], ["1", "1", "1"]), np.array([9.0, 10.0, np.nan]))
    assert samples(monitor, "lockgate_predictions_bin_total") == {("0",): 1, ("1",): 1, ("2",): 1}
    assert "lockgate_confidence" not in monitor.exposition().decode()


def test_requests_are_counted_by_route_and_code() -> None:
    monitor = monitor_of(counters_of())
    for code in (200, 200, 418, 599):
        monitor.answered("v2", code, 0.001)
    counted = {
        labels: count for labels, count in samples(monitor, "lockgate_requests_total").items() if count
    }
    assert counted == {("v2", "200"): 2, ("v2", "418"): 1, ("v2", "599"): 1}


def test_a_code_that_never_came_is_shown_as_0() -> None:
    shown = samples(monitor_of(counters_of()), "lockgate_requests_total")
    assert {shown[route, code] for route in ("v1", "v2") for code in ("200", "429", "500", "503", "504")} == {
        0
    }


def test_durations_have_bounds_of_the_slo_and_a_bound_counts_as_below() -> None:
    monitor = monitor_of(counters_of())
    for seconds in (0.3, 0.31, 7):
        monitor.answered("v1", 200, seconds)
    buckets = samples(monitor, "lockgate_request_duration_seconds_bucket")
    bounds = " ".join(bound for (bound,) in buckets)
    assert bounds == ("0.001 0.0025 0.005 0.01 0.025 0.05 0.1 0.15 0.25 0.3 0.5 0.6 1.0 2.5 +Inf")
    assert [buckets[bound,] for bound in ("0.25", "0.3", "0.5", "2.5", "+Inf")] == [0, 1, 2, 2, 3]
    assert samples(monitor, "lockgate_request_duration_seconds_sum")[()] == pytest.approx(7.61)


def test_batches_are_counted_by_their_rows() -> None:
    monitor = monitor_of(counters_of())
    monitor.predicted(columns_of([1, 1, 1], ["1", "1", "1"]), probabilities(0.1, 0.2, 0.3))
    monitor.predicted(columns_of([1], ["1"]), probabilities(0.1))
    buckets = samples(monitor, "lockgate_batch_rows_bucket")
    assert [buckets[bound,] for bound in ("1.0", "2.0", "4.0", "+Inf")] == [1, 1, 2, 2]
    assert samples(monitor, "lockgate_batch_rows_sum") == {(): 4}
    assert samples(monitor, "lockgate_rows_total") == {(): 4}


def test_workers_are_summed() -> None:
    counters = counters_of(workers=2)
    first, second = monitor_of(counters, 0), monitor_of(counters, 1)
    first.in_flight, second.in_flight = 2, 3
    first.queued_rows = 7
    first.refused("too-large")
    second.refused("column")
    second.refused("too-large")
    for monitor in (first, second):
        assert samples(monitor, "lockgate_requests_in_flight") == {(): 5}
        assert samples(monitor, "lockgate_queued_rows") == {(): 7}
        assert samples(monitor, "lockgate_refusals_total") == {("column",): 1, ("too-large",): 2}


def test_a_worker_in_another_process_counts_into_the_same_sum() -> None:
    counters = counters_of(workers=2)

    def work() -> None:
        monitor = monitor_of(counters, 1)
        monitor.answered("v1", 200, 0.1)
        monitor.refused("column")
        monitor.predicted(columns_of([1], ["1"]), probabilities(0.1))
        monitor.flush()

    in_a_child(work)
    monitor = monitor_of(counters, 0)
    assert samples(monitor, "lockgate_requests_total")["v1", "200"] == 1
    assert samples(monitor, "lockgate_refusals_total") == {("column",): 1}
    assert samples(monitor, "lockgate_feature_bin_total")["distance", "1"] == 1


def test_a_worker_that_is_started_again_goes_on_with_its_counters_but_not_with_what_was_in_flight() -> None:
    counters = counters_of(workers=2)

    def work() -> None:
        monitor = monitor_of(counters, 1)
        monitor.in_flight = 4
        monitor.answered("v1", 200, 0.1)
        monitor.refused("column")

    in_a_child(work)
    in_a_child(work)
    again = monitor_of(counters, 1)
    assert samples(again, "lockgate_requests_total")["v1", "200"] == 2
    assert samples(again, "lockgate_refusals_total") == {("column",): 2}
    assert samples(again, "lockgate_requests_in_flight") == {(): 0}


def test_reasons_without_number_are_counted_as_others() -> None:
    monitor = monitor_of(counters_of())
    for reason in range(1000):
        monitor.refused(f"reason-{reason}")
    found = samples(monitor, "lockgate_refusals_total")
    assert len(found) == MOST_REASONS
    assert found["other",] == 1000 - (MOST_REASONS - 1)


def test_a_long_reason_is_cut() -> None:
    monitor = monitor_of(counters_of())
    monitor.refused("a" * 100)
    monitor.refused("a" * 100)
    assert samples(monitor, "lockgate_refusals_total") == {("a" * 32,): 2}


def test_a_silent_monitor_has_the_same_shape_and_shows_nothing() -> None:
    silent: Monitoring = Silent()
    silent.predicted(columns_of([1], ["1"]), probabilities(0.1))
    silent.answered("v1", 200, 0.1)
    silent.in_flight += 1
    assert (silent.exposition(), silent.status()) == (b"", {})
