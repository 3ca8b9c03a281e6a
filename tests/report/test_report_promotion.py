"""What is told of pins that move and of releases that follow, and what a record may do to it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.report.report_changes import NO_EFFECTS
from tests.report.report_promotions import (
    FIRST,
    INCIDENT,
    LIVE,
    NEXT,
    PATCHED,
    PROMOTION,
    REJECTED,
    RELEASE,
    ROLLBACK,
    WITHDRAWAL,
    moving,
    released,
)
from tests.report.test_report_hostile import HOSTILE, Page, poisoned_effects

from lockgate.contract import Verdict
from lockgate.plan.merge import MergeEffects
from lockgate.plan.promotion import PromotionEffect, RequirementEffect
from lockgate.report import Report, render_html, render_json, render_markdown, verdict
from lockgate.report.budget import measure
from lockgate.report.effects import render_effects
from lockgate.report.markdown import LIMIT
from lockgate.report.numbers import ABSENT, show_duration
from lockgate.report.promotions import promotion_title, promotion_verdict
from lockgate.report.released import metric_changes, released_version


def report(effects: MergeEffects) -> Report:
    return Report(models=(), patches=(), effects=effects)


def told(*effects: PromotionEffect) -> str:
    return render_markdown(report(moving(*effects)))


@pytest.mark.parametrize(
    ("effect", "title"),
    [
        (PROMOTION, "Promotes flight-delay 1.3.0 to production (was 1.2.0)"),
        (FIRST, "Promotes flight-delay 1.3.0 to production (nothing was live)"),
        (ROLLBACK, "Rolls flight-delay back to 1.2.0 in production (was 1.3.0)"),
        (WITHDRAWAL, "Withdraws flight-delay from production (was 1.2.0)"),
    ],
)
def test_the_verdict_line_says_what_the_pin_does(effect: PromotionEffect, title: str) -> None:
    assert promotion_title(effect) == title
    assert f"> **Lockgate: {title}.** " in told(effect)
    assert f"<h1>{title}</h1>" in render_html(report(moving(effect)))


def test_several_pins_are_counted_and_each_has_its_section() -> None:
    text = told(PROMOTION, replace(FIRST, environment="staging"))
    assert text.splitlines()[1] == (
        "> **Lockgate: moves 2 pins.** flight-delay in production from 1.2.0 to 1.3.0, flight-delay in staging from "
        "nothing to 1.3.0."
    )
    assert "## Promotion: flight-delay 1.2.0 → 1.3.0 in production\n" in text
    assert "## First release: flight-delay 1.3.0 in staging\n" in text


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (PROMOTION, "pass"),
        (ROLLBACK, "pass"),
        (replace(PROMOTION, after=REJECTED), "warn"),
        (replace(PROMOTION, after=replace(NEXT, verdict="warn")), "warn"),
        (replace(PROMOTION, after=released_version("flight-delay", "1.3.0", [])), "warn"),
        (replace(PROMOTION, metrics=metric_changes(NEXT, LIVE)), "warn"),
        (replace(ROLLBACK, metrics=metric_changes(NEXT, LIVE)), "pass"),
        (replace(PROMOTION, notes=("This clone is shallow.",)), "warn"),
    ],
)
def test_what_speaks_against_a_promotion_warns(effect: PromotionEffect, expected: Verdict) -> None:
    assert promotion_verdict(effect) == expected
    assert verdict(report(moving(effect))) == expected


def test_a_rejected_version_is_told_first_with_its_evidence() -> None:
    lines = told(replace(PROMOTION, after=REJECTED)).split("\n\n")
    assert lines[2] == (
        "❌ 1.3.0 was rejected in production on 2026-10-20T03:12:00Z: error rate 4.1 % against 0.2 %. "
        "Nothing overrides that. What was seen: errors = 0.041, stable errors = 0.002."
    )


def test_an_override_is_told_with_its_reason() -> None:
    overridden = replace(NEXT, incident=replace(INCIDENT, override="the load was the test's"))
    text = told(replace(PROMOTION, after=overridden, between=(overridden,)))
    assert "0.2 %. It is to be live all the same: the load was the test's. What was seen: " in text
    assert (
        "| rejected in production: error rate 4.1 % against 0.2 % (overridden: the load was the test's); "
        in text
    )


def waiting(**others: Any) -> str:
    requirement = RequirementEffect(
        environment="staging",
        is_met=False,
        since="2026-10-16T03:00:00Z",
        live_seconds=3 * 3600,
        soak_seconds=24 * 3600,
    )
    return told(replace(PROMOTION, requirements=(replace(requirement, **others),)))


def test_a_version_that_has_to_wait_is_told_with_what_is_missing() -> None:
    assert (
        "⚠️ 1.3.0 first came to staging on 2026-10-16T03:00:00Z and was live there for 3 h: production asks for 1 d, "
        "so 21 h are missing."
    ) in waiting()


def test_a_version_that_never_was_where_it_has_to_be_is_told() -> None:
    text = waiting(since=None, live_seconds=0)
    assert "⚠️ 1.3.0 has never been live in staging, which production requires." in text


def test_a_version_that_comes_back_need_not_wait() -> None:
    assert "1.2.0 was live in production before, so it need not wait again." in told(ROLLBACK)


@pytest.mark.parametrize(
    ("effect", "sentence"),
    [
        (replace(PROMOTION, reviewers=("@acme/ml",)), "one of &#64;&#8203;acme/ml, who own production."),
        (
            FIRST,
            "production promotes automatically: opened by the release workflow, it merges itself when its checks",
        ),
        (replace(FIRST, direction="rollback"), "production names no reviewers: whoever may merge decides."),
        (WITHDRAWAL, "production names no reviewers: whoever may merge decides."),
    ],
)
def test_who_decides_is_told(effect: PromotionEffect, sentence: str) -> None:
    assert sentence in told(effect)


@pytest.mark.parametrize(
    ("before", "after", "answer"),
    [
        ({"value": 0.70, "low": 0.69, "high": 0.71}, {"value": 0.73, "low": 0.72, "high": 0.74}, "better"),
        ({"value": 0.73, "low": 0.72, "high": 0.74}, {"value": 0.70, "low": 0.69, "high": 0.71}, "worse"),
        (
            {"value": 0.70, "low": 0.69, "high": 0.71},
            {"value": 0.71, "low": 0.70, "high": 0.72},
            "intervals overlap",
        ),
        ({"value": 0.70, "low": 0.69, "high": 0.71}, {"value": 0.70, "low": 0.69, "high": 0.71}, "equal"),
        ({"value": 0.70}, {"value": 0.73, "low": 0.72, "high": 0.74}, "better by value"),
        (0.73, 0.70, "worse by value"),
        ({"value": None}, {"value": 0.70}, None),
    ],
)
def test_two_measurements_differ_only_where_their_intervals_are_apart(
    before: Any, after: Any, answer: str
) -> None:
    versions = [released("1.0.0", 1, metrics={"roc_auc": it}) for it in (before, after)]
    (change,) = metric_changes(*versions)
    assert change.answer == answer


def test_less_is_better_where_the_metric_says_so() -> None:
    versions = [released("1.0.0", 1, metrics={"log_loss": it}) for it in (0.5, 0.4)]
    (change,) = metric_changes(*versions)
    assert change.answer == "better by value"


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        (None, "is not what a release writes: expected a mapping, found null."),
        ({"model": "m"}, "is not what a release writes: the key 'version' is missing."),
        ({"model": "m", "version": "1.0.1"}, "is not of the model and version in its name."),
        (
            {"model": "m", "version": "1.0.0", "metrics": [1]},
            "at 'metrics': expected a mapping, found a list.",
        ),
        (
            {"model": "m", "version": "1.0.0", "metrics": {"f1": float("nan")}},
            "at 'metrics.f1': expected a mapping or a number or null, found nan.",
        ),
        ({"model": "m", "version": "1.0.0"}, "does not say: released, author, metrics."),
    ],
)
def test_a_record_that_is_broken_or_lacks_something_is_told(block: object, problem: str) -> None:
    release = released_version("m", "1.0.0", block)
    (said,) = release.problems
    assert said.startswith("registry/m/1.0.0.yaml ")
    assert said.endswith(problem)
    assert "⚠️ registry/m/1.0.0.yaml " in told(replace(PROMOTION, after=release))


def test_many_releases_are_folded_and_their_rest_is_counted() -> None:
    few = told(replace(PROMOTION, between=(NEXT,) * 10))
    many = told(replace(PROMOTION, between=(NEXT,) * 11, untold=470))
    assert "### Released in between: 10 releases of flight-delay" in few
    assert "<summary><b>Released in between: 481 releases of flight-delay</b></summary>" in many
    assert "470 older releases of them are in the registry and not told here." in many


@pytest.mark.parametrize("count", [4, 40, 400])
def test_any_number_of_pins_fits_with_what_they_do_first(count: int) -> None:
    wide = replace(PATCHED, reason="|" * 2_000, author="@" * 500)
    effect = replace(PROMOTION, between=(wide,) * 30, notes=("<" * 2_000,) * 5)
    text = told(*(effect,) * count)
    assert measure(text) <= LIMIT
    assert text.startswith(f"> [!WARNING]\n> **Lockgate: moves {count} pins.**")
    assert text.count("<details>") == text.count("</details>")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_words_of_a_pin_that_moves_are_text(text: str) -> None:
    effects = poisoned_effects(moving(replace(PROMOTION, after=REJECTED)), text)
    first = render_markdown(report(effects)).splitlines()
    assert first[0] == "> [!WARNING]"
    assert first[2] == ""
    page = Page(render_html(report(effects)))
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img", "a"})
    assert json.loads(render_json(report(effects)))["verdict"] == "warn"


def test_the_report_in_json_has_the_versions_whole() -> None:
    (promotion,) = json.loads(render_json(report(moving(PROMOTION))))["effects"]["promotions"]
    assert (promotion["direction"], promotion["before"]["version"]) == ("promotion", "1.2.0")
    assert promotion["after"]["report"] == "https://github.com/acme/flights/pull/16"
    assert promotion["metrics"][0]["difference"] == pytest.approx(0.0231)


def test_the_page_of_a_plan_begins_with_the_promotion() -> None:
    assert render_effects(moving(PROMOTION)).startswith(
        "### Promotion: flight-delay 1.2.0 → 1.3.0 in production\n"
    )


def test_a_version_that_stays_leads_to_no_promotion() -> None:
    stays = replace(RELEASE, outcome="unchanged", version="1.3.0", reason="its artifact is that of 1.3.0")
    text = render_markdown(report(replace(NO_EFFECTS, releases=(stays,))))
    assert f"| `flight-delay` | stays 1.3.0 | its artifact is that of 1.3.0 | {ABSENT} |" in text
    assert "Promotions that follow" not in text


def test_without_an_image_no_promotion_follows() -> None:
    text = render_markdown(
        report(replace(NO_EFFECTS, releases=(replace(RELEASE, image=None, promotions=()),)))
    )
    assert "| none is built |" in text
    assert "No promotion follows by itself" in text


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3_660, "1 h 1 min"), (86_459, "1 d"), (187_200, "2 d 4 h")],
)
def test_a_duration_is_told_in_two_units(seconds: float, shown: str) -> None:
    assert show_duration(seconds) == shown
