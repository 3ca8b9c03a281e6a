"""What merging does, told from its effects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.report.report_artifacts import THREE_SPEC
from tests.report.report_changes import EFFECTS, NO_EFFECTS

from lockgate.plan.merge import FieldChange, MergeEffects, ModelEffect, ShadowEffect
from lockgate.report import Proposal, Report, load, render_html, render_json, render_markdown
from lockgate.report.budget import measure
from lockgate.report.markdown import LIMIT
from lockgate.report.numbers import ABSENT


def told(effects: MergeEffects) -> str:
    report = Report(models=(), patches=(), effects=effects)
    assert render_html(report)
    assert render_json(report)
    return render_markdown(report)


def test_a_change_of_documentation_deploys_and_trains_nothing() -> None:
    assert told(NO_EFFECTS) == (
        "> [!TIP]\n> **Lockgate: no model is affected.** There is nothing to judge.\n\n"
        "## When this merges\n\n"
        "Nothing that is deployed changes: what is live stays live until its pin moves.\n\n"
        "No pipeline runs again: nothing is trained.\n\n"
        "Nothing here reads 1 changed file: README.md.\n"
    )


def test_a_change_of_replicas_retrains_nothing_and_says_so() -> None:
    served = ModelEffect(name="flight-delay", change="served", stages=(), reasons=())
    text = told(replace(NO_EFFECTS, models=(served,)))
    assert f"| `flight-delay` | nothing is trained: only what serves it changes | {ABSENT} |" in text


def test_a_rollout_is_told_with_its_steps_and_the_image_by_a_short_digest() -> None:
    text = told(EFFECTS)
    assert (
        "| production (namespace ml) | flight-delay | 1.2.0 → 1.3.0 | canary: 10 % for 10 min, 50 % for 90 s, 100 % "
        "| `ghcr.io/acme/flight-delay@sha256:bbbbbbbbbbbb…` |"
    ) in text


def test_a_cautious_rollout_is_told_with_its_shadow_and_its_test() -> None:
    production, staging = EFFECTS.environments
    shadow = ShadowEffect(percent=20, seconds=3600)
    service = replace(production.services[0], strategy="cautious", shadow=shadow, test_seconds=600)
    text = told(replace(EFFECTS, environments=(replace(production, services=(service,)), staging)))
    steps = "shadow of 20 % for 60 min, test by header for 10 min, 10 % for 10 min, 50 % for 90 s, 100 %"
    assert f"| cautious: {steps} |" in text


def test_long_and_empty_values_are_cut_and_told() -> None:
    changes = (
        FieldChange(pointer="a", old="", new="x" * 500),
        FieldChange(pointer="b", old=None, new=False),
        FieldChange(pointer="c", old=[1, {"d": None}], new=0),
    )
    text = told(replace(NO_EFFECTS, spec=changes))
    assert f"| `a` | '' | {'x' * 119}… |" in text
    assert f"| `b` | {ABSENT} | false |" in text
    assert '| `c` | \\[1, {"d": null}\\] | 0 |' in text


def test_patches_tell_what_the_change_does_to_them(tmp_path: Path) -> None:
    report = load(tmp_path, THREE_SPEC, [], proposal=Proposal(effects=EFFECTS, base_locks={}))
    assert (
        "| arm-nodes | manifests/production/\\*/deployment.yaml | the production pool is arm64 | added "
        "| manifests/production/flight-delay/deployment.yaml |"
    ) in render_markdown(report)


def test_a_patch_that_is_taken_out_is_told() -> None:
    gone = replace(EFFECTS.patches[0], change="removed", files=())
    text = told(replace(NO_EFFECTS, patches=(gone,)))
    assert f"| the production pool is arm64 | taken out | {ABSENT} |" in text


def test_numbers_that_json_does_not_have_are_text() -> None:
    change = FieldChange(pointer="a", old=float("inf"), new=float("nan"))
    report = Report(models=(), patches=(), effects=replace(NO_EFFECTS, spec=(change,)))
    assert '"new": "nan",\n        "old": "inf",' in render_json(report)


@pytest.mark.parametrize("count", [13, 300, 5_000])
def test_any_number_of_changes_fits_with_the_verdict_first(count: int) -> None:
    change = FieldChange(pointer="a" * 300, old="|" * 400, new="<" * 400)
    effects = replace(
        EFFECTS,
        spec=(change,) * count,
        manifests=(replace(EFFECTS.manifests[0], fields=(change,)),) * count,
        environments=EFFECTS.environments * count,
        models=EFFECTS.models * count,
        notes=("@" * 2_000,) * count,
        idle_files=("#" * 500,) * count,
    )
    text = render_markdown(Report(models=(), patches=(), effects=effects))
    assert measure(text) <= LIMIT
    assert text.startswith("> [!TIP]\n> **Lockgate: no model is affected.**")
    assert "When this merges" in text
