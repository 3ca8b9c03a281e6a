"""Artifact files are read as if anybody had written them, and nothing is green because it is absent."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.report.report_artifacts import (
    BINARY_SPEC,
    REGRESSION_SPEC,
    THREE_SPEC,
    binary_files,
    changed,
    multiclass_files,
    regression_files,
    write_files,
)

from lockgate.report import Report, load, render_html, render_json, render_markdown, verdict, write

NAME = "bike-rentals"


def report(root: Path, files: dict[str, object]) -> Report:
    write_files(root, NAME, files)
    loaded = load(root, REGRESSION_SPEC, [NAME])
    for render in (render_markdown, render_html, render_json):
        assert render(loaded)
    return loaded


def messages(loaded: Report) -> list[tuple[str, str]]:
    return [(problem.file.rpartition("/")[2], problem.message) for problem in loaded.models[0].problems]


def test_a_whole_set_of_files_has_no_problems(tmp_path: Path) -> None:
    loaded = report(tmp_path, regression_files())
    assert (verdict(loaded), messages(loaded)) == ("pass", [])


@pytest.mark.parametrize("stated", ["pass", "warn", "fail"])
def test_the_verdict_is_that_of_the_gates(tmp_path: Path, stated: str) -> None:
    assert verdict(report(tmp_path, changed(regression_files(), ("gates.json", "verdict"), stated))) == stated


@pytest.mark.parametrize(("outcome", "expected"), [("fail", "fail"), ("warn", "warn"), ("observed", "pass")])
def test_a_verdict_is_never_better_than_its_gates(tmp_path: Path, outcome: str, expected: str) -> None:
    files = changed(regression_files(), ("gates.json", "gates", 0, "outcome"), outcome)
    assert verdict(report(tmp_path, files)) == expected


def test_a_model_without_gates_fails(tmp_path: Path) -> None:
    files = regression_files()
    del files["gates.json"]
    loaded = report(tmp_path, files)
    assert (verdict(loaded), messages(loaded)) == ("fail", [("gates.json", "is missing")])


def test_a_model_without_any_file_fails_and_names_each(tmp_path: Path) -> None:
    loaded = load(tmp_path, BINARY_SPEC, ["flight-delay"])
    assert verdict(loaded) == "fail"
    assert [name for name, _ in messages(loaded)] == [
        "gates.json",
        "evaluation.json",
        "export.json",
        "scan.json",
        "ingest.json",
        "validation.json",
        "split.json",
        "training.json",
        "latency.json",
        "card.md",
    ]


@pytest.mark.parametrize("name", ["evaluation.json", "export.json", "scan.json"])
def test_what_the_gates_rest_on_may_not_be_missing(tmp_path: Path, name: str) -> None:
    files = regression_files()
    del files[name]
    assert verdict(report(tmp_path, files)) == "warn"


def test_a_refused_model_fails_whatever_its_gates_say(tmp_path: Path) -> None:
    assert (
        verdict(report(tmp_path, changed(regression_files(), ("scan.json", "passed"), value=False))) == "fail"
    )


@pytest.mark.parametrize(
    ("path", "value", "doubt"),
    [
        (("limit",), 900.0, "its 'max' of 'rmse' is 900.0, but the spec says 150.0"),
        (("on_fail",), "observe", "its gate on 'rmse' is set to 'observe', but the spec says 'block'"),
        (("metric",), "mae", "it does not judge 'rmse' by 'max', which the spec asks for"),
    ],
)
def test_gates_of_another_spec_fail(tmp_path: Path, path: Sequence[str], value: object, doubt: str) -> None:
    loaded = report(tmp_path, changed(regression_files(), ("gates.json", "gates", 0, *path), value))
    assert verdict(loaded) == "fail"
    assert messages(loaded) == [("gates.json", f"is not from this spec: {doubt}; run the pipeline again")]


def test_no_gates_at_all_is_no_pass(tmp_path: Path) -> None:
    assert verdict(report(tmp_path, changed(regression_files(), ("gates.json", "gates"), []))) == "fail"


def test_a_report_on_no_model_passes_and_says_why(tmp_path: Path) -> None:
    loaded = load(tmp_path, BINARY_SPEC, [])
    assert verdict(loaded) == "pass"
    assert render_markdown(loaded) == (
        "> [!TIP]\n> **Lockgate: no model is affected.** There is nothing to judge.\n"
    )


def test_a_model_that_the_spec_does_not_have_fails_and_reads_nothing(tmp_path: Path) -> None:
    write_files(tmp_path / "artifacts", "secret", {"gates.json": regression_files()["gates.json"]})
    loaded = load(tmp_path, BINARY_SPEC, ["../artifacts/secret"])
    assert verdict(loaded) == "fail"
    assert messages(loaded) == [("mlops.yaml", "has no model '../artifacts/secret'; name one that it has")]


def test_models_that_need_attention_come_first(tmp_path: Path) -> None:
    write_files(tmp_path, "bike-rentals", regression_files())
    write_files(tmp_path, "flight-delay", binary_files())
    write_files(tmp_path, "species", multiclass_files())
    loaded = load(tmp_path, THREE_SPEC, ["bike-rentals", "flight-delay", "species", "species"])
    assert [model.name for model in loaded.models] == ["species", "flight-delay", "bike-rentals"]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("metrics",), [], "at 'metrics': expected a mapping, found a list"),
        (
            ("metrics", "rmse", "value"),
            "101",
            "at 'metrics.rmse.value': expected a number or null, found '101'",
        ),
        (
            ("metrics", "rmse", "value"),
            True,
            "at 'metrics.rmse.value': expected a number or null, found true",
        ),
        (
            ("metrics", "rmse", "better"),
            "x",
            "at 'metrics.rmse.better': expected one of 'higher', 'lower', found 'x'",
        ),
        (("rows",), 1.5, "at 'rows': expected a whole number, found 1.5"),
        (("rows",), None, "at 'rows': expected a whole number, found null"),
        (("slices", "season", 0), {}, "at 'slices.season[0]': the key 'label' is missing"),
        (("confidence",), 10**400, "at 'confidence': expected a number, found 1" + 39 * "0"),
    ],
)
def test_a_wrong_shape_is_said_with_its_place(
    tmp_path: Path, path: Sequence[str | int], value: object, message: str
) -> None:
    loaded = report(tmp_path, changed(regression_files(), ("evaluation.json", *path), value))
    found = [problem for problem in messages(loaded) if problem[0] == "evaluation.json"]
    assert found == [("evaluation.json", f"is not what its stage writes: {message}; run the pipeline again")]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[" * 100_000, "null x", "9" * 5_000, '{"a": ' * 20_000],
    ids=["empty", "cut", "deep", "two", "long", "deeper"],
)
def test_what_is_no_json_is_said(tmp_path: Path, text: str) -> None:
    loaded = report(tmp_path, {**regression_files(), "scan.json": text})
    assert messages(loaded) == [("scan.json", "is not readable JSON; run the pipeline again")]


def test_bytes_that_are_no_text_and_folders_in_the_way_are_said(tmp_path: Path) -> None:
    files = regression_files()
    del files["split.json"]
    write_files(tmp_path, NAME, files)
    folder = tmp_path / "artifacts" / NAME
    (folder / "split.json").mkdir()
    (folder / "card.md").write_bytes(b"\xff\xfe\x00")
    loaded = load(tmp_path, REGRESSION_SPEC, [NAME])
    assert messages(loaded) == [("split.json", "is missing"), ("card.md", "cannot be read as UTF-8 text")]


@pytest.mark.parametrize(
    "table",
    ["", "x,y\n1,2\n", "predicted,actual\n1\n", "predicted,actual\n1,nan\n", "predicted,actual\na,b\n"],
)
def test_a_plot_of_another_shape_is_said(tmp_path: Path, table: str) -> None:
    loaded = report(tmp_path, {**regression_files(), "residuals.csv": table})
    expected = "is not a table of numbers with the columns 'predicted,actual'"
    assert messages(loaded) == [("residuals.csv", expected)]


def test_numbers_that_are_none_are_absent_and_odd_text_is_made_printable(tmp_path: Path) -> None:
    files = regression_files()
    files["evaluation.json"]["baseline"]["rmse"] = float("nan")
    files["evaluation.json"]["slices"]["season"][0]["label"] = "a\ud800\x00\u202eb"
    loaded = report(tmp_path, files)
    evaluation = loaded.models[0].evaluation
    assert evaluation is not None
    assert evaluation["baseline"]["rmse"] is None
    assert evaluation["slices"]["season"][0]["label"] == "a\ufffd\ufffd\ufffdb"


@pytest.mark.slow
def test_any_value_may_be_of_any_type(tmp_path: Path) -> None:
    files = {name: content for name, content in binary_files().items() if not isinstance(content, str)}
    odd_values: Iterator[object] = itertools.cycle((None, [], {}, "", -1, 1e308, 0, "x" * 3_000, True))
    write_files(tmp_path, "flight-delay", files)
    for place in places(files):
        name = str(place[0])
        for odd in itertools.islice(odd_values, 2):
            write_files(tmp_path, "flight-delay", {name: changed(files, place, odd)[name]})
            loaded = load(tmp_path, BINARY_SPEC, ["flight-delay"])
            assert render_markdown(loaded)
            assert render_html(loaded)
            assert json.loads(render_json(loaded))["verdict"] in ("warn", "fail")
        write_files(tmp_path, "flight-delay", {name: files[name]})


def places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The paths of all values inside, one of each list standing for its other items."""
    if isinstance(value, dict):
        inside = [place for key, item in value.items() for place in places(item, (*path, key))]
    elif isinstance(value, list):
        inside = [place for item in value[:1] for place in places(item, (*path, 0))]
    else:
        inside = []
    return ([path] if len(path) > 1 else []) + inside


def test_a_report_is_written_in_all_its_formats(tmp_path: Path) -> None:
    loaded = report(tmp_path, regression_files())
    written = write(loaded, tmp_path / "reports" / NAME)
    assert [path.relative_to(tmp_path).as_posix() for path in written] == [
        f"reports/{NAME}/report.md",
        f"reports/{NAME}/report.html",
        f"reports/{NAME}/report.json",
    ]
    assert [path.read_text(encoding="utf-8") for path in written] == [
        render_markdown(loaded),
        render_html(loaded),
        render_json(loaded),
    ]
