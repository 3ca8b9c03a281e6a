"""The text that Prometheus reads, by its own tools."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.server.observed import HOSTILE, columns_of, counters_of, monitor_of, probabilities

from lockgate_runtime.server.monitor import Monitor

PAGE = Path(__file__).parents[2] / "docs" / "serving.md"


def busy(version: str = "1.2.0", model: str = "late-bus") -> Monitor:
    monitor = monitor_of(counters_of(model=model), version=version)
    monitor.predicted(columns_of([1, 5], ["1", HOSTILE]), probabilities(0.25, 0.7))
    monitor.answered("v1", 200, 0.004)
    monitor.refused("column")
    monitor.log_dropped(3)
    return monitor


def samples(text: str) -> dict[tuple[str, str], float]:
    """By metric and its labels as JSON."""
    return {
        (sample.name, json.dumps(sample.labels, sort_keys=True)): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_promtool_finds_nothing_to_improve() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: 'apt-get install prometheus' brings it")
    found = subprocess.run(
        [promtool, "check", "metrics"], input=busy().exposition(), capture_output=True, check=False
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, b"", b"")


def test_every_sample_names_the_model_and_its_version() -> None:
    for family in text_string_to_metric_families(busy().exposition().decode()):
        for sample in family.samples:
            assert (sample.labels["model"], sample.labels["version"]) == ("late-bus", "1.2.0")


def test_names_that_try_to_break_out_of_their_label_are_escaped() -> None:
    for family in text_string_to_metric_families(busy(HOSTILE, HOSTILE).exposition().decode()):
        for sample in family.samples:
            assert (sample.labels["model"], sample.labels["version"]) == (HOSTILE, HOSTILE)


def test_a_name_without_utf_8_is_replaced() -> None:
    assert b'version="1?"' in busy("1\ud800").exposition()


def test_values_of_categories_are_no_labels() -> None:
    assert "{a=" not in busy().exposition().decode()


def test_the_references_shares_sum_to_1_and_none_is_0() -> None:
    found = samples(busy().exposition().decode())
    line = [
        value for (name, labels), value in found.items() if "_reference_ratio" in name and '"line"' in labels
    ]
    assert line == pytest.approx([5.5 / 12, 4.5 / 12, 0.5 / 12, 1.5 / 12])


def test_what_is_served_is_told() -> None:
    labels = {"model": "late-bus", "version": "1.2.0", "artifact_sha256": "3f2a", "format": "onnx"}
    found = samples(busy().exposition().decode())
    assert found["lockgate_model_info", json.dumps(labels, sort_keys=True)] == 1


def test_rows_that_were_not_logged_are_told() -> None:
    assert (
        b'lockgate_prediction_log_dropped_total{model="late-bus",version="1.2.0"} 3\n' in busy().exposition()
    )


def test_no_series_comes_twice() -> None:
    lines = [line.rpartition(" ")[0] for line in busy().exposition().decode().splitlines() if line[0] != "#"]
    assert len(lines) == len(set(lines))


def test_the_processes_are_measured_together() -> None:
    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc, which Linux has")
    found = {name: value for (name, _), value in samples(busy().exposition().decode()).items()}
    assert 0 < found["process_cpu_seconds_total"] < 10_000
    assert found["process_resident_memory_bytes"] > 10_000_000
    assert found["process_open_fds"] >= 3
    assert found["process_max_fds"] > found["process_open_fds"]
    assert time.time() - 86_400 < found["process_start_time_seconds"] < time.time() + 1


def test_the_page_on_serving_tells_each_metric_with_its_labels() -> None:
    families = text_string_to_metric_families(busy().exposition().decode())
    common = {"model", "version", "le"}
    shown = {
        sample.name if family.type == "counter" else family.name: frozenset(sample.labels) - common
        for family in families
        for sample in family.samples
        if not family.name.startswith("process_")
    }
    table = PAGE.read_text(encoding="utf-8").partition("## Metrics")[2].partition("\n## ")[0]
    told = re.findall(r"(?m)^\| `(lockgate_\w+)(?:\{([\w,]+)\})?` \|", table)
    assert {name: frozenset(labels.split(",") if labels else ()) for name, labels in told} == shown
