"""A comment is never too long, and what gives way last is the verdict and the gates."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.contract import GateResult, Outcome
from lockgate.report.budget import Part, fit, measure
from lockgate.report.markdown import LIMIT, render_markdown
from lockgate.report.model import ModelReport, Patch, Problem, Report, verdict

OUTCOMES: tuple[Outcome, ...] = ("pass", "fail", "warn", "observed", "skipped")


def gate(number: int, outcome: Outcome, reason: str) -> GateResult:
    return GateResult(
        metric=f"metric_{number}",
        rule="min",
        limit=0.7,
        value=0.8,
        low=0.75,
        high=0.85,
        margin=0.1,
        unit="",
        on_fail="block",
        outcome=outcome,
        reason=reason,
    )


def model(name: str, gates: tuple[GateResult, ...], card: str = "", problems: int = 0) -> ModelReport:
    broken = {it["outcome"] for it in gates}
    return ModelReport(
        name=name,
        owner="ops",
        description=None,
        verdict="fail" if "fail" in broken or not gates else "warn" if "warn" in broken else "pass",
        problems=(Problem(file="artifacts/x/y.json", message="is missing"),) * problems,
        gates=gates,
        ingest=None,
        validation=None,
        split=None,
        training=None,
        evaluation=None,
        export=None,
        latency=None,
        scan=None,
        roc=(),
        residuals=(),
        card=card,
        stages={},
    )


def many_slices(count: int) -> ModelReport:
    slices = [
        {
            "label": f"{'@|' * 50}{number}",
            "rows": 100,
            "metrics": {"auc": {"value": 0.5, "low": 0.4, "high": 0.6}},
        }
        for number in range(count)
    ]
    whole = {"value": 0.7, "low": 0.6, "high": 0.8, "better": "higher", "unit": "", "description": "|" * 500}
    evaluation = {
        "kind": "binary",
        "rows": 1,
        "confidence": 0.95,
        "samples": 1,
        "threshold": 0.5,
        "positive": "|" * 5_000,
        "metrics": {f"auc{'' if number == 0 else number}": whole for number in range(count)},
        "baseline": {},
        "slices": {"column": slices},
        "calibration": [{"rows": 1, "predicted": 0.5, "observed": 0.5}] * count,
        "confusion": {"labels": ["|" * 300] * 12, "counts": [[1] * 12] * 12},
    }
    return replace(model("sliced", (gate(1, "pass", "holds"),)), evaluation=evaluation)  # type: ignore[arg-type]


models = st.builds(
    lambda number, outcomes, reason, card, problems: model(
        f"model-{number}",
        tuple(gate(it, outcome, reason) for it, outcome in enumerate(outcomes)),
        card,
        problems,
    ),
    st.integers(0, 99),
    st.lists(st.sampled_from(OUTCOMES), max_size=400),
    st.sampled_from(["", "holds", "|" * 400, "🚀" * 300]),
    st.sampled_from(["", "text\n" * 20, "<" * 40_000]),
    st.integers(0, 40),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(models, max_size=12), st.integers(0, 200))
def test_a_comment_fits_whatever_it_is_about(many: list[ModelReport], patches: int) -> None:
    patch = Patch(name="p", target="manifests/" + "*" * 200, reason="|" * 1_000)
    report = Report(models=tuple(many), patches=(patch,) * patches)
    text = render_markdown(report)
    assert measure(text) <= LIMIT
    assert text.startswith(
        f"> [!{ {'pass': 'TIP', 'warn': 'WARNING', 'fail': 'CAUTION'}[verdict(report)] }]\n> **Lockgate: "
    )
    assert text.count("<details>") == text.count("</details>")


@pytest.mark.parametrize("count", [1, 30, 300, 3_000])
def test_any_number_of_models_fits_and_the_failing_ones_are_named_first(count: int) -> None:
    failing = model("the-broken-one", (gate(1, "fail", "0.8 is less than 0.9"),))
    others = tuple(
        model(f"model-{number}", (gate(1, "pass", "holds"),), "card " * 50) for number in range(count)
    )
    text = render_markdown(Report(models=(failing, *others), patches=()))
    assert measure(text) <= LIMIT
    assert text.splitlines()[1].startswith(f"> **Lockgate: 1 of {count + 1:,} models fail.** the-broken-one")


@pytest.mark.parametrize("count", [5, 300, 3_000])
def test_gates_that_fail_are_told_before_those_that_hold(count: int) -> None:
    gates = (*(gate(number, "pass", "|" * 200) for number in range(count)), gate(-1, "fail", "too low"))
    text = render_markdown(Report(models=(model("m", gates),), patches=()))
    assert measure(text) <= LIMIT
    assert f"{count:,} of {count + 1:,} gates hold" in text
    rows = [line for line in text.splitlines() if line.startswith("| `metric_")]
    assert rows[0].startswith("| `metric_-1` | ❌ fail |")


def test_a_section_that_does_not_fit_says_where_it_is_whole() -> None:
    gates = tuple(gate(number, "fail", "|" * 30) for number in range(760))
    text = render_markdown(Report(models=(model("m", gates, "word " * 2_300),), patches=()))
    assert "*Model card: left out for length, whole in `report.html`.*" in text
    assert text.endswith(
        "*Shortened to fit into a comment: `report.html` is beside this file, or in the run's artifact.*\n"
    )
    assert text.count("| `metric_") == 760


@pytest.mark.parametrize("count", [0, 1, 13, 400])
def test_any_number_of_slices_metrics_and_bins_fits(count: int) -> None:
    text = render_markdown(Report(models=(many_slices(count),), patches=()))
    assert measure(text) <= LIMIT
    assert text.count("column = ") == min(count, 12)


def test_the_important_parts_are_kept_longest() -> None:
    parts = [Part(rank=rank, text="t" * 100, brief="b" * 40, line="l" * 10) for rank in (2, 0, 1)]
    assert fit(parts, 300, 1_000) == ("t" * 100,) * 3
    assert fit(parts, 300, 50) == ("b" * 40,) * 3
    assert fit(parts, 240, 1_000) == ("b" * 40, "t" * 100, "t" * 100)
    assert fit(parts, 230, 1_000) == ("l" * 10, "t" * 100, "t" * 100)
    assert fit(parts, 170, 1_000) == ("l" * 10, "t" * 100, "b" * 40)
    assert fit(parts, 30, 1_000) == ("l" * 10,) * 3
    assert fit(parts, 29, 1_000) == ("", "", "")
