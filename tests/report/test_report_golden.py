"""Whole reports as they are posted, beside the artifact files that they are made from."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.report.report_artifacts import (
    BINARY_SPEC,
    MULTICLASS_SPEC,
    REGRESSION_SPEC,
    THREE_SPEC,
    binary_files,
    multiclass_files,
    regression_files,
    write_files,
)
from tests.report.report_changes import (
    COMPARED_SPEC,
    FIRST,
    LOCK,
    NO_EFFECTS,
    NO_PROPOSAL,
    PROPOSAL,
    compared_files,
    regression_comparison,
    unscored,
    with_comparison,
    write_lock,
)
from tests.report.report_promotions import PROMOTION, RELEASE, ROLLBACK, moving

from lockgate.report import Report, load, render_json, render_markdown

GOLDEN = Path(__file__).parent / "golden"


def binary(root: Path) -> Report:
    write_files(root, "flight-delay", binary_files())
    return load(root, BINARY_SPEC, ["flight-delay"], {"flight-delay": {"ingest": "cached", "train": "ran"}})


def multiclass(root: Path) -> Report:
    write_files(root, "species", multiclass_files())
    return load(root, MULTICLASS_SPEC, ["species"])


def regression(root: Path) -> Report:
    write_files(root, "bike-rentals", regression_files())
    return load(root, REGRESSION_SPEC, ["bike-rentals"])


def missing(root: Path) -> Report:
    return load(root, BINARY_SPEC, ["flight-delay"])


def three(root: Path) -> Report:
    write_files(root, "flight-delay", binary_files())
    write_files(root, "species", multiclass_files())
    write_files(root, "bike-rentals", regression_files())
    return load(root, THREE_SPEC, ["bike-rentals", "flight-delay", "species"])


def compared(root: Path) -> Report:
    write_files(root, "flight-delay", compared_files())
    write_lock(root, LOCK)
    return load(root, COMPARED_SPEC, ["flight-delay"], proposal=PROPOSAL)


def first(root: Path) -> Report:
    write_files(
        root, "flight-delay", with_comparison(compared_files(), unscored(FIRST, str(FIRST["reason"])))
    )
    return load(root, COMPARED_SPEC, ["flight-delay"], proposal=NO_PROPOSAL)


def both(root: Path) -> Report:
    write_files(root, "species", multiclass_files())
    write_files(root, "bike-rentals", with_comparison(regression_files(), regression_comparison()))
    return load(root, THREE_SPEC, ["bike-rentals", "species"], proposal=PROPOSAL)


def promotion(root: Path) -> Report:
    return Report(models=(), patches=(), effects=moving(PROMOTION))


def rollback(root: Path) -> Report:
    return Report(models=(), patches=(), effects=moving(ROLLBACK))


def release(root: Path) -> Report:
    return Report(models=(), patches=(), effects=replace(NO_EFFECTS, releases=(RELEASE,)))


@pytest.mark.parametrize(
    "case",
    [binary, multiclass, regression, missing, three, compared, first, both, promotion, rollback, release],
    ids=lambda case: case.__name__,
)
def test_a_report_in_markdown_is_exactly_this(case: Callable[[Path], Report], tmp_path: Path) -> None:
    hold(GOLDEN / f"{case.__name__}.md", render_markdown(case(tmp_path)))


def test_a_report_in_json_is_exactly_this(tmp_path: Path) -> None:
    hold(GOLDEN / "regression.json", render_json(regression(tmp_path)))


def test_a_comparison_in_json_is_exactly_this(tmp_path: Path) -> None:
    hold(GOLDEN / "compared.json", render_json(compared(tmp_path)))


def hold(golden: Path, text: str) -> None:
    if os.environ.get("LOCKGATE_UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
