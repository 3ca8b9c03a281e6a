"""What pages say of commands, exit codes, metrics and stages is what the code has."""

from __future__ import annotations

import argparse
import re

import pytest
from tests.docs.pages import ROOT

from lockgate import spec
from lockgate.cli.arguments import build_parser
from lockgate.cli.failure import Exit
from lockgate.plan.stages import stages
from lockgate.spec.metrics import METRICS

CLI = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
METRICS_PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
COMMON = {"--help", "--root", "--color"}


def _commands() -> dict[str, argparse.ArgumentParser]:
    parser = build_parser()
    found = next(
        action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)
    )
    return dict(found)


def _sections() -> dict[str, str]:
    parts = re.split(r"(?m)^## ", CLI)[1:]
    titled = {part.partition("\n")[0]: part for part in parts}
    return {
        title.removeprefix("lockgate "): text
        for title, text in titled.items()
        if title.startswith("lockgate ")
    }


def test_every_command_has_a_section() -> None:
    assert sorted(_sections()) == sorted(_commands())


@pytest.mark.parametrize("command", sorted(_commands()))
def test_a_command_s_section_names_its_options_and_no_others(command: str) -> None:
    actions = _commands()[command]._actions
    options = {option for action in actions for option in action.option_strings if option.startswith("--")}
    named = set(re.findall(r"(?m)^\| `(--[a-z-]+)", _sections()[command]))
    assert named == options - COMMON


def test_exit_codes_are_those_of_the_command_line() -> None:
    table = CLI.partition("## Exit codes")[2].partition("\n## ")[0]
    told = {int(code) for code in re.findall(r"(?m)^\| (\d+) \|", table)}
    signals = {Exit.INTERRUPTED, Exit.BROKEN_PIPE}
    assert told == {int(code) for code in Exit if code not in signals}


def test_the_page_on_metrics_has_each_metric_and_which_way_is_better() -> None:
    told = re.findall(r"(?m)^\| `([a-z0-9_]+)` \| (higher|lower) \|", METRICS_PAGE)
    assert sorted(told) == sorted((name, info.better) for name, info in METRICS.items())


def test_the_page_on_architecture_has_what_each_stage_writes() -> None:
    table = ARCHITECTURE.partition("| Stage | Writes |")[2].partition("\n\n")[0]
    told = {
        stage: set(re.findall(r"`([a-z_.]+/?)`", files))
        for stage, files in re.findall(r"(?m)^\| `([a-z]+)` \| (.*) \|$", table)
    }
    inside_model = {"signature.json", "reference.json"}
    assert {stage: files - inside_model for stage, files in told.items()} == _written()


def _written() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for task in ("classification", "regression"):
        text = _SPEC.replace("TASK", task)
        reading = spec.read(text.encode())
        assert reading.spec is not None, reading.diagnostics
        for stage in stages(reading.spec.models["m"]):
            paths = (*stage.outs, *stage.metrics, *stage.plots)
            names = {path.removeprefix("artifacts/m/") for path in paths}
            found.setdefault(stage.name, set()).update(
                "model/" if name == "model" else name for name in names
            )
    return found


_SPEC = """\
apiVersion: lockgate.dev/v1
project: {repository: github.com/acme/flights}
models:
  m:
    owner: ops
    task: TASK
    data: {source: data.csv, target: y}
    train: {estimator: models.m.model:build}
"""
