"""Every diagram of a report is read by the real Mermaid, in a release of today and in an old one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Literal

import pytest
from tests.report.report_artifacts import (
    THREE_SPEC,
    binary_files,
    multiclass_files,
    regression_files,
    write_files,
)
from tests.report.report_changes import comparison

from lockgate.report import load, render_markdown
from lockgate.report.document import PointChart
from lockgate.report.mermaid import mermaid

HERE = Path(__file__).parent / "mermaid"
CACHE = Path(__file__).parents[2] / ".cache" / "mermaid"


@pytest.fixture(scope="session")
def reader() -> Path:
    """The script that reads diagrams, in a folder where what it needs is installed."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("npm and node are not on the PATH: install Node.js 18 or later")
    lock = (HERE / "package-lock.json").read_bytes()
    stamp = CACHE / "installed-lock.json"
    if not stamp.is_file() or stamp.read_bytes() != lock:
        CACHE.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, CACHE / name)
        install(CACHE)
        stamp.write_bytes(lock)
    return Path(shutil.copy(HERE / "parse.mjs", CACHE / "parse.mjs"))


def install(folder: Path) -> None:
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode != 0 and re.search(r"ENOTFOUND|ECONN|EAI_AGAIN|ETIMEDOUT|network", done.stderr):
        pytest.skip(
            "npm cannot reach its registry: run once with a network, the result is kept in .cache/mermaid"
        )
    assert done.returncode == 0, done.stderr


def read(reader: Path, diagrams: list[str]) -> list[list[str]]:
    done = subprocess.run(
        ["node", reader],
        input=json.dumps(diagrams),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "NODE_NO_WARNINGS": "1"},
    )
    assert done.returncode == 0, done.stderr
    answers: list[list[str]] = json.loads(done.stdout)
    return answers


@pytest.mark.slow
def test_mermaid_reads_every_diagram(reader: Path, tmp_path: Path) -> None:
    write_files(tmp_path, "flight-delay", binary_files())
    write_files(tmp_path, "species", multiclass_files())
    write_files(tmp_path, "bike-rentals", regression_files())
    compared = {**comparison(), "rows": regression_files()["evaluation.json"]["rows"]}
    write_files(tmp_path, "bike-rentals", {"comparison.json": compared})
    text = render_markdown(load(tmp_path, THREE_SPEC, list(THREE_SPEC.models)))
    diagrams = re.findall(r"^```mermaid\n(.*?)\n```$", text, flags=re.MULTILINE | re.DOTALL)
    assert len(diagrams) == 9
    assert read(reader, diagrams) == [["ok", "ok"]] * 9


@pytest.mark.slow
def test_mermaid_reads_odd_numbers_too(reader: Path) -> None:
    odd: list[tuple[tuple[float, float], ...]] = [
        ((0.0, 0.0), (0.0, 0.0)),
        ((-1e9, 5e12), (1e-9, -3e-7)),
        ((0.5, 0.5), (0.5, 0.5), (1.0, 1.0)),
    ]
    styles: tuple[Literal["steps", "curve", "scatter"], ...] = ("steps", "curve", "scatter")
    charts = [
        PointChart(title="T", description="", x_axis="x", y_axis="y", style=style, points=points)
        for points in odd
        for style in styles
    ]
    diagrams = [diagram for diagram in map(mermaid, charts) if diagram is not None]
    assert len(diagrams) == 9
    assert read(reader, diagrams) == [["ok", "ok"]] * 9


@pytest.mark.slow
def test_the_reader_tells_a_wrong_diagram(reader: Path) -> None:
    [[today, old]] = read(reader, ["xychart-beta\n    line [a]"])
    assert "Parse error" in today
    assert "Parse error" in old


def test_a_chart_of_less_than_two_points_is_not_drawn() -> None:
    chart = PointChart(title="T", description="", x_axis="x", y_axis="y", style="curve", points=((0.5, 0.5),))
    assert mermaid(chart) is None
