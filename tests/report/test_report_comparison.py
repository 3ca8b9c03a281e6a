"""The verdict with a champion: what was compared counts, and what was not compared is never green by that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.report.report_artifacts import Files, changed, make_spec, regression_files, write_files
from tests.report.report_changes import (
    ARTIFACT,
    BASE,
    BASE_LOCK,
    CHAMPION_CARD,
    COMPARED_SPEC,
    FIRST,
    LOCK,
    LOST,
    NO_PROPOSAL,
    compared_files,
    comparison,
    difference,
    regression_comparison,
    unscored,
    with_comparison,
)

from lockgate.contract.comparison import Champion
from lockgate.report import ModelReport, keep_stages, load, render_html, render_markdown, verdict
from lockgate.report.budget import measure
from lockgate.report.champion import champion_name
from lockgate.report.markdown import LIMIT
from lockgate.report.numbers import ABSENT
from lockgate.report.tracked import Tracked, TrackedChange, tracked_changes
from lockgate.spec.model import Spec

NAME = "flight-delay"
FAIR = changed(changed(comparison(), ("gates", 3, "outcome"), "pass"), ("fairness", 0, "outcome"), "pass")


def loaded(root: Path, files: Files, spec: Spec = COMPARED_SPEC) -> ModelReport:
    write_files(root, NAME, files)
    report = load(root, spec, [NAME])
    assert render_html(report)
    return report.models[0]


def told(root: Path, files: Files) -> str:
    write_files(root, NAME, files)
    return render_markdown(load(root, COMPARED_SPEC, [NAME]))


def messages(model: ModelReport) -> list[tuple[str, str]]:
    return [(problem.file.rpartition("/")[2], problem.message) for problem in model.problems]


def compared_with(compared: Files) -> Files:
    return with_comparison(compared_files(), compared)


@pytest.mark.parametrize(
    ("answer", "outcome", "verdict", "badge"),
    [
        ("better", "pass", "warn", "✅ pass: better"),
        ("no worse", "pass", "warn", "✅ pass: no worse"),
        ("worse", "fail", "fail", "❌ fail: worse"),
        ("too little data", "warn", "warn", "⚠️ warn: too little data to say"),
        ("too little data", "fail", "fail", "❌ fail: too little data to say"),
        ("worse", "observed", "warn", "| observed: worse"),
    ],
)
def test_each_answer_is_told_in_words_and_decides_by_its_policy(
    tmp_path: Path, answer: str, outcome: str, verdict: str, badge: str
) -> None:
    compared = changed(FAIR, ("metrics", 0, "answer"), answer)
    model = loaded(tmp_path, compared_with(changed(compared, ("gates", 0, "outcome"), outcome)))
    assert (model.verdict, model.problems) == (verdict, ())
    assert badge in told(tmp_path, {})


def test_the_comparison_stands_in_place_of_the_gates_that_were_skipped(tmp_path: Path) -> None:
    model = loaded(tmp_path, compared_with(FAIR))
    outcomes = {(gate["metric"], gate["rule"]): gate["outcome"] for gate in model.gates}
    assert len(outcomes) == len(model.gates) == 9
    assert outcomes["roc_auc", "max_drop"] == "pass"
    assert outcomes["carriers", "fairness"] == "pass"


def test_unfairness_fails(tmp_path: Path) -> None:
    assert loaded(tmp_path, compared_files()).verdict == "fail"


@pytest.mark.parametrize(
    ("champion", "name"),
    [
        (comparison()["champion"], "production 1.2.0"),
        (BASE, "the base branch at 4f1d2a9"),
        (FIRST, "nothing to compare with: nothing is live yet"),
        (
            LOST,
            "nothing to compare with: neither the cache nor the remote has 'artifacts/flight-delay/model'",
        ),
    ],
)
def test_the_champion_has_a_name(champion: Champion, name: str) -> None:
    assert champion_name(champion) == name


def test_a_first_model_has_nothing_to_compare_with_and_that_is_no_warning(tmp_path: Path) -> None:
    files = with_comparison(regression_files(), {**regression_comparison(), **_no_champion(FIRST)})
    write_files(tmp_path, "bike-rentals", files)
    report = load(tmp_path, _regression({"rmse": {"max": 150}}), ["bike-rentals"], proposal=NO_PROPOSAL)
    assert verdict(report) == "pass"
    text = render_markdown(report)
    assert "There is nothing to compare with: nothing is live yet." in text
    assert text.splitlines()[1].endswith("3 of 3 gates hold. Nothing is live yet to compare with.")


def _no_champion(champion: Files) -> Files:
    return {"champion": champion, "reason": champion["reason"], "metrics": [], "data": None}


def _regression(gates: Files, evaluate: Files | None = None) -> Spec:
    blocks: dict[str, Any] = {"task": "regression", "gates": gates, "evaluate": evaluate or {}}
    return make_spec({"bike-rentals": blocks})


def test_a_champion_that_cannot_be_had_is_a_warning(tmp_path: Path) -> None:
    write_files(tmp_path, "bike-rentals", regression_files())
    write_files(
        tmp_path, "bike-rentals", {"comparison.json": {**regression_comparison(), **_no_champion(LOST)}}
    )
    report = load(tmp_path, _regression({"rmse": {"max": 150}}), ["bike-rentals"])
    assert verdict(report) == "warn"
    assert (
        render_markdown(report)
        .splitlines()[1]
        .endswith(
            "Not compared: production 1.2.0 could not be had: neither the cache nor the remote has "
            "'artifacts/flight-delay/model'."
        )
    )


def test_a_champion_that_cannot_be_scored_is_a_warning(tmp_path: Path) -> None:
    reason = "the champion cannot be scored: it takes 'tailnum', which the holdout lacks"
    compared = {**unscored(comparison()["champion"], reason), "fairness": FAIR["fairness"]}
    text = told(tmp_path, compared_with(changed(compared, ("gates", 3, "outcome"), "pass")))
    assert text.splitlines()[0] == "> [!WARNING]"
    assert f"⚠️ production 1.2.0 is the champion, but nothing is compared: {reason}." in text


@pytest.mark.parametrize(
    ("gates", "evaluate", "expected"),
    [
        ({"rmse": {"max": 150, "max_drop": 2}}, {}, "fail"),
        ({"rmse": {"max": 150, "max_drop": 2, "on_fail": "warn"}}, {}, "warn"),
        ({"rmse": {"max": 150}}, {}, "warn"),
        (
            {"rmse": {"max": 150}},
            {"fairness": {"seasons": {"column": "season", "metric": "mae", "max_difference": 5}}},
            "fail",
        ),
    ],
)
@pytest.mark.parametrize("broken", [None, "{"])
def test_a_proposal_that_was_not_compared_does_not_pass(
    tmp_path: Path, gates: Files, evaluate: Files, expected: str, broken: str | None
) -> None:
    on_fail = gates["rmse"].get("on_fail", "block")
    files = regression_files()
    files["gates.json"]["gates"][0]["on_fail"] = on_fail
    if "max_drop" in gates["rmse"]:
        skipped = {**files["gates.json"]["gates"][0], "rule": "max_drop", "limit": 2, "outcome": "skipped"}
        files["gates.json"]["gates"].append(skipped)
    write_files(tmp_path, "bike-rentals", {**files, **({"comparison.json": broken} if broken else {})})
    report = load(tmp_path, _regression(gates, evaluate), ["bike-rentals"], proposal=NO_PROPOSAL)
    said = "is not readable JSON; run the pipeline again" if broken else "is missing: nothing was compared"
    assert verdict(report) == expected
    assert [(file, message[: len(said)]) for file, message in messages(report.models[0])] == [
        ("comparison.json", said)
    ]


def test_without_a_base_nothing_has_to_be_compared_and_fairness_is_shown_as_skipped(tmp_path: Path) -> None:
    fairness = {"seasons": {"column": "season", "metric": "mae", "max_difference": 5}}
    write_files(tmp_path, "bike-rentals", regression_files())
    spec = _regression({"rmse": {"max": 150}}, {"fairness": fairness})
    report = load(tmp_path, spec, ["bike-rentals"])
    assert (verdict(report), messages(report.models[0])) == ("pass", [])
    assert "seasons: it is judged where the candidate is compared: run with --base." in render_markdown(
        report
    )
    row = f"| `seasons` | skipped | {ABSENT} | difference ≤ 5.000 | {ABSENT} | blocks |"
    assert row in render_markdown(report)


@pytest.mark.parametrize(
    ("path", "value", "doubt"),
    [
        (("confidence",), 0.8, "its confidence is 0.8, but the spec says 0.95"),
        (("rows",), 5, "it is of 5 rows, but the holdout has 27004"),
        (
            ("candidate_sha256",),
            "f" * 64,
            f"it is of the artifact ffffffffffff…, but {ARTIFACT[:12]}… was exported",
        ),
        (
            ("gates", 3, "limit"),
            0.9,
            "its 'fairness' of 'carriers' is 0.9, but the spec says 0.1",
        ),
        (
            ("gates", 3, "metric"),
            "others",
            "it does not judge 'carriers' by 'fairness', which the spec asks for",
        ),
    ],
)
def test_a_comparison_of_another_spec_fails(
    tmp_path: Path, path: tuple[str | int, ...], value: object, doubt: str
) -> None:
    model = loaded(tmp_path, compared_with(changed(FAIR, path, value)))
    assert model.verdict == "fail"
    assert messages(model) == [("comparison.json", f"is not from this spec: {doubt}; run the pipeline again")]


def test_a_drop_that_another_spec_allows_fails(tmp_path: Path) -> None:
    model = loaded(tmp_path, compared_with(changed(FAIR, ("gates", 0, "limit"), 0.5)))
    assert model.verdict == "fail"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "warn"),
        ({"answer": "different", "outcome": "fail"}, "fail"),
        ({"on_difference": "block"}, "fail"),
        ({"mode": "reuse"}, "fail"),
    ],
)
def test_who_trained_it_counts(tmp_path: Path, changes: Files, expected: str) -> None:
    files = compared_with(FAIR)
    files["provenance.json"] = {**files["provenance.json"], **changes}
    model = loaded(tmp_path, files)
    assert model.verdict == expected
    assert bool(model.problems) == ("on_difference" in changes or "mode" in changes)
    is_said = "Against the author's dvc.lock: different." in told(tmp_path, {}).splitlines()[1]
    assert is_said == ("answer" in changes)


def test_what_the_author_made_of_an_edit_is_said_to_be_just_that(tmp_path: Path) -> None:
    files = compared_with(FAIR)
    reason = "of inputs that no commit has yet: commit them together with pipelines/flight-delay/dvc.lock"
    made = {"answer": "made here", "outcome": "pass", "reason": reason}
    files["provenance.json"] = {**files["provenance.json"], **made}
    text = told(tmp_path, files)
    assert f"Made here, {reason}. Until then there is nothing to compare it with." in text
    assert "Who trained it" not in text


def test_the_champions_files_count_only_where_it_was_found(tmp_path: Path) -> None:
    assert loaded(tmp_path, compared_files()).champion_card == CHAMPION_CARD
    model = loaded(tmp_path, compared_with(unscored(LOST, "lost")))
    assert (model.champion_card, model.champion_scan) == (None, None)


def test_a_slice_that_is_worse_by_another_metric_is_told(tmp_path: Path) -> None:
    worse = difference("log_loss", 0.52, 0.49, 0.01, better="lower", answer="worse")
    fine = difference("log_loss", 0.42, 0.49, 0.01, better="lower", answer="better")
    place = {"column": "carrier", "rows": 900}
    others = [{**worse, **place, "label": "AA"}, {**fine, **place, "label": "AS"}]
    text = told(tmp_path, compared_with({**FAIR, "slices": [*FAIR["slices"], *others]}))
    assert "**Slices that got worse by other metrics**" in text
    assert "| log\\_loss: carrier = AA | 900 | 0.520 | 0.490 | +0.030 \\[+0.020, +0.040\\] | worse |" in text
    assert "carrier = AS" not in text


def test_many_slices_are_weighed_against_chance(tmp_path: Path) -> None:
    many = [{**FAIR["slices"][1], "label": f"carrier {number}"} for number in range(80)]
    text = told(tmp_path, compared_with({**FAIR, "slices": many}))
    assert (
        "80 of 80 slices got worse by more than 0.00500. Of 80 intervals about 2 would say so by chance alone."
        in text
    )


def test_none_found_among_the_slices_is_said(tmp_path: Path) -> None:
    text = told(tmp_path, compared_with({**FAIR, "worst_slices": []}))
    assert "Of 214 slices that were tested, none is clearly worse than the other rows." in text


def test_a_card_that_is_the_champions_has_no_difference(tmp_path: Path) -> None:
    files = {**compared_with(FAIR), "card.md": CHAMPION_CARD}
    assert "It is the champion's, word for word." in told(tmp_path, files)


def test_what_a_run_said_of_its_stages_is_kept_for_the_report(tmp_path: Path) -> None:
    files = compared_files()
    del files["stages.json"]
    assert loaded(tmp_path, files).stages == {}
    keep_stages(tmp_path, NAME, {"train": "ran", "ingest": "unchanged"})
    assert list(load(tmp_path, COMPARED_SPEC, [NAME]).models[0].stages.items()) == [
        ("train", "ran"),
        ("ingest", "unchanged"),
    ]


def test_tracked_data_that_changed_is_told_from_two_locks() -> None:
    assert tracked_changes(BASE_LOCK, LOCK) == (
        TrackedChange(
            path="data/weather",
            before=Tracked(md5="a" * 32 + ".dir", size_bytes=2_400_000, files=12),
            after=Tracked(md5="c" * 32 + ".dir", size_bytes=2_400_000, files=13),
        ),
        TrackedChange(
            path="artifacts/flight-delay/raw.parquet",
            before=Tracked(md5="b" * 32, size_bytes=1_200_345, files=None),
            after=Tracked(md5="d" * 32, size_bytes=1_200_345, files=None),
        ),
    )


@pytest.mark.parametrize(
    "lock", [b"", b"[1]", b"stages: {ingest: {deps: [1, {path: x}]}}", b"\xff", b"a: *b"]
)
def test_what_is_no_lock_tells_nothing(lock: bytes) -> None:
    assert tracked_changes(lock, LOCK) == tracked_changes(LOCK, lock) == ()


def test_a_comparison_of_any_size_fits_in_brief(tmp_path: Path) -> None:
    slices = [{**FAIR["slices"][1], "label": f"{number} {'|' * 500}"} for number in range(400)]
    columns = {f"{number} {'<' * 500}": FAIR["data"]["columns"]["temperature"] for number in range(400)}
    changes = [{**FAIR["metrics"][0], "metric": f"{number} {'@' * 500}"} for number in range(400)]
    compared = {
        **FAIR,
        "slices": slices,
        "metrics": [*FAIR["metrics"], *changes],
        "data": {**FAIR["data"], "columns": columns},
    }
    text = told(tmp_path, compared_with(compared))
    assert measure(text) <= LIMIT
    assert text.startswith("> [!WARNING]\n> **Lockgate: flight-delay passes with warnings.**")
    assert "In brief, for length: the rest is in report.html." in text
    assert "| `roc_auc` | 0.712 | 0.708 | +0.0043 \\[+0.0004, +0.0082\\] | better | higher |" in text
