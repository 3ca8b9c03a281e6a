"""The real Prometheus as a judge: promtool on rule files, and the values that it gives expressions over series."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

MISSING = "promtool is missing: apt-get install prometheus, or take it from https://prometheus.io/download"
INTERVAL_SECONDS = 30

needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason=MISSING)


class Asked(NamedTuple):
    expression: str
    at_seconds: int


Answer = dict[frozenset[tuple[str, str]], float]


def judged(*arguments: str | Path) -> str:
    """What promtool found; empty where it accepts."""
    done = subprocess.run(
        ["promtool", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def check_rules(groups: Any, folder: Path) -> str:
    path = folder / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": groups}))
    return judged("check", "rules", path)


def check_expressions(expressions: Sequence[str], folder: Path) -> str:
    rules = [{"record": f"e{index}", "expr": expression} for index, expression in enumerate(expressions)]
    return check_rules([{"name": "expressions", "rules": rules}], folder)


def values(series: dict[str, str], asked: Sequence[Asked], folder: Path) -> list[Answer]:
    """What Prometheus answers; `series` maps the series' text to its values in promtool's notation, every 30 s.

    Each expectation is one that never comes true, so that promtool prints what it got.
    """
    never = [{"labels": "never", "value": 1}]
    test = {
        "interval": f"{INTERVAL_SECONDS}s",
        "input_series": [{"series": name, "values": text} for name, text in series.items()],
        "promql_expr_test": [
            {"expr": it.expression, "eval_time": f"{it.at_seconds}s", "exp_samples": never} for it in asked
        ],
    }
    path = folder / "test.yaml"
    path.write_text(
        yaml.safe_dump({"rule_files": [], "evaluation_interval": f"{INTERVAL_SECONDS}s", "tests": [test]})
    )
    printed = judged("test", "rules", path)
    answers = [_answer(text) for text in re.findall(r"^ +got: ?(.*)$", printed, re.MULTILINE)]
    assert len(answers) == len(asked), printed
    return answers


def _answer(text: str) -> Answer:
    found = re.findall(r"(\w*)(\{[^}]*\}) ([^ ,]+)", text)
    assert found or text in ("", "nil"), text
    return {_labels(name, inside): float(value.replace("Inf", "inf")) for name, inside, value in found}


def _labels(name: str, inside: str) -> frozenset[tuple[str, str]]:
    return frozenset(
        pair for pair in [("__name__", name), *re.findall(r'(\w+)="([^"]*)"', inside)] if pair[1]
    )
