"""The SLO's rules: what is recorded, when Prometheus itself says that an alert fires, and that no text gets out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.promtool import check_rules, judged, needs_promtool
from tests.replacing import replace
from tests.spec.specs import TEXT
from tests.targets.watched import SLO, content, document, planned

from lockgate.targets.prometheus import emit
from lockgate.targets.prometheus.emit import literal

RULE = "manifests/production/delay/prometheus-rule.yaml"
OK = 'lockgate_requests_total{model="delay", namespace="ml", route="v1", code="200"}'
FAILED = 'lockgate_requests_total{model="delay", namespace="ml", route="v1", code="500"}'
REFUSED = 'lockgate_requests_total{model="delay", namespace="ml", route="v1", code="422"}'
SEEN = 'lockgate_model_info{model="delay", namespace="ml", version="1.2.3"}'
QUICK = 'lockgate_request_duration_seconds_bucket{model="delay", namespace="ml", le="0.05"}'
TIMED = 'lockgate_request_duration_seconds_count{model="delay", namespace="ml"}'
ELSEWHERE = 'lockgate_requests_total{model="delay", namespace="staging", route="v1", code="500"}'
PAGES = ("LockgateAvailabilityBurnsFast", "LockgateAvailabilityBurnsSlowly")
ALL = (*PAGES, "LockgateLatencyBurnsFast", "LockgateLatencyBurnsSlowly", "LockgateNotSeen")


def groups(**serve: object) -> Any:
    (file,) = emit(planned(document(**serve)))
    assert file.path == RULE
    return content(file)["spec"]["groups"]


def rules(**serve: object) -> list[Any]:
    (group,) = groups(**serve)
    return list(group["rules"])


def alert(name: str, **serve: object) -> Any:
    (found,) = (rule for rule in rules(**serve) if rule.get("alert") == name)
    return found


def firing(series: dict[str, str], tmp_path: Path, at: str = "8h", **serve: object) -> set[str]:
    """The alerts that fire, asked of promtool by expecting of each that it does not."""
    made = groups(**(serve or {"slo": SLO}))
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": made}))
    test = {
        "interval": "5m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"eval_time": at, "alertname": name, "exp_alerts": []} for name in ALL],
    }
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": "5m", "tests": [test]}
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(document))
    printed = judged("test", "rules", tmp_path / "test.yaml")
    assert not printed or "FAILED" in printed, printed
    found = {name for name in ALL if f"alertname: {name}," in printed}
    assert bool(found) == bool(printed), printed
    return found


# Samples are five minutes apart; a gain of 300 is one request a second. Longer windows see what there is.
STEPS = 110


def test_a_service_without_a_promise_has_no_rules() -> None:
    assert emit(planned(document())) == ()


def test_a_service_without_a_release_has_no_rules() -> None:
    made = planned(document(slo=SLO))
    unreleased = tuple(replace(service, release=None) for service in made.services)
    assert emit(replace(made, services=unreleased)) == ()


def test_alerts_name_the_model_its_owner_and_the_runbook() -> None:
    found = alert("LockgateAvailabilityBurnsFast", slo=SLO)
    labels = {"severity": "page", "model": "delay", "environment": "production", "owner": "ops"}
    assert found["labels"] == labels
    url = "https://github.com/lockgate/lockgate/blob/main/docs/alerts.md#lockgateavailabilityburnsfast"
    assert found["annotations"] == {
        "summary": "delay in production: requests fail, and the budget will be used up within days",
        "description": "Promised is that 99.9 % of requests do not fail. The budget burns at least 14.4 (1h) or 6 (6h) "
        "times too fast. Now {{ $value | humanizePercentage }} of requests fail over 5m or 30m.",
        "runbook_url": url,
    }


def test_every_alert_has_a_section_in_the_runbook() -> None:
    text = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text()
    headings = {line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")}
    assert set(ALL) <= headings


def test_limits_are_exact_decimals() -> None:
    assert "> 0.0144)" in alert("LockgateAvailabilityBurnsFast", slo={"availability": 99.9})["expr"]


def test_a_promise_without_a_latency_has_no_latency_alerts() -> None:
    found = [rule["alert"] for rule in rules(slo={"availability": 99.9}) if "alert" in rule]
    assert found == [*PAGES, "LockgateNotSeen"]


@pytest.mark.parametrize("text", ["{{ 1 }}", "{", "{{", "}}{{{", "a {{ .Labels }} b {"])
def test_a_text_of_the_spec_is_no_template(text: str) -> None:
    assert "{{" not in literal(text).replace('{{"{"}}', "")


@needs_promtool
def test_prometheus_takes_every_rule(tmp_path: Path) -> None:
    least = {**SLO, "min_requests_per_second": 0.5}
    for promise in (SLO, {"availability": 99.95}, least, {**SLO, "latency_p99": "1s"}):
        assert check_rules(groups(slo=promise), tmp_path) == ""


@needs_promtool
def test_no_owner_makes_rules_that_prometheus_refuses(tmp_path: Path) -> None:
    written = document(slo=SLO)
    made: list[Any] = []

    @settings(max_examples=50)
    @given(st.one_of(TEXT, TEXT.map("{}{{".format)))
    def collect(owner: str) -> None:
        written["models"]["delay"]["owner"] = owner
        (file,) = emit(planned(written))
        alerts = [rule for rule in content(file)["spec"]["groups"][0]["rules"] if "alert" in rule]
        made.append({"name": f"{len(made)}", "rules": alerts})

    collect()
    assert check_rules(made, tmp_path) == ""


@needs_promtool
def test_a_good_service_alerts_nobody(tmp_path: Path) -> None:
    good = {
        OK: f"0+300x{STEPS}",
        FAILED: f"0+0.1x{STEPS}",
        SEEN: f"1x{STEPS}",
        QUICK: f"0+299x{STEPS}",
        TIMED: f"0+300x{STEPS}",
    }
    assert firing(good, tmp_path) == set()


@needs_promtool
def test_no_series_of_failures_is_no_failure(tmp_path: Path) -> None:
    assert firing({OK: f"0+300x{STEPS}", SEEN: f"1x{STEPS}"}, tmp_path) == set()


@needs_promtool
def test_failures_from_the_start_page_and_write_a_ticket(tmp_path: Path) -> None:
    series = {OK: f"0+300x{STEPS}", FAILED: f"0+30x{STEPS}", SEEN: f"1x{STEPS}"}
    assert firing(series, tmp_path) == set(PAGES)


@needs_promtool
def test_a_few_failures_for_long_write_a_ticket_alone(tmp_path: Path) -> None:
    series = {OK: f"0+300x{STEPS}", FAILED: f"0+1.05x{STEPS}", SEEN: f"1x{STEPS}"}
    assert firing(series, tmp_path) == {"LockgateAvailabilityBurnsSlowly"}


@needs_promtool
def test_an_alert_ends_soon_after_the_failures_do(tmp_path: Path) -> None:
    burst = "0x70 0+150x12 1950x20"
    series = {OK: f"0+300x{STEPS}", FAILED: burst, SEEN: f"1x{STEPS}"}
    assert "LockgateAvailabilityBurnsFast" in firing(series, tmp_path, "7h")
    assert "LockgateAvailabilityBurnsFast" not in firing(series, tmp_path, "7h40m")


@needs_promtool
def test_nothing_but_failures_pages(tmp_path: Path) -> None:
    assert set(PAGES) == firing({FAILED: f"0+30x{STEPS}", SEEN: f"1x{STEPS}"}, tmp_path)


@needs_promtool
@pytest.mark.parametrize("series", [{}, {OK: f"5x{STEPS}", FAILED: f"7x{STEPS}", TIMED: f"9x{STEPS}"}])
def test_no_traffic_is_neither_good_nor_bad(series: dict[str, str], tmp_path: Path) -> None:
    assert firing({**series, SEEN: f"1x{STEPS}"}, tmp_path) == set()


@needs_promtool
def test_wrong_inputs_and_other_environments_are_no_failures(tmp_path: Path) -> None:
    series = {OK: f"0+300x{STEPS}", REFUSED: f"0+300x{STEPS}", ELSEWHERE: f"0+300x{STEPS}"}
    assert firing({**series, SEEN: f"1x{STEPS}"}, tmp_path) == set()


@needs_promtool
def test_slow_answers_page(tmp_path: Path) -> None:
    series = {QUICK: f"0+200x{STEPS}", TIMED: f"0+300x{STEPS}", SEEN: f"1x{STEPS}"}
    assert firing(series, tmp_path) == {"LockgateLatencyBurnsFast", "LockgateLatencyBurnsSlowly"}


@needs_promtool
@pytest.mark.parametrize("bound", ["1", "1.0"])
def test_a_whole_bound_is_found_however_it_is_written(bound: str, tmp_path: Path) -> None:
    quick = QUICK.replace("0.05", bound)
    series = {quick: f"0+200x{STEPS}", TIMED: f"0+300x{STEPS}", SEEN: f"1x{STEPS}"}
    found = firing(series, tmp_path, slo={**SLO, "latency_p99": "1s"})
    assert found == {"LockgateLatencyBurnsFast", "LockgateLatencyBurnsSlowly"}


@needs_promtool
def test_below_the_least_traffic_nobody_is_paged(tmp_path: Path) -> None:
    series = {OK: f"0+30x{STEPS}", FAILED: f"0+30x{STEPS}", SEEN: f"1x{STEPS}"}
    assert firing(series, tmp_path, slo={**SLO, "min_requests_per_second": 0.5}) == set()
    assert firing(series, tmp_path, slo={**SLO, "min_requests_per_second": 0.005}) == set(PAGES)


@needs_promtool
def test_a_service_that_nobody_sees_pages(tmp_path: Path) -> None:
    assert firing({OK: f"0+300x{STEPS}"}, tmp_path) == {"LockgateNotSeen"}
