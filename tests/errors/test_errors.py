"""Each rule's smallest wrong spec beside exactly what is printed of it. A spec that is right is in tests/golden."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lockgate import plan, spec, targets
from lockgate.diagnostics import Diagnostic
from lockgate.diagnostics.text import render_text

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("*.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_wrong_spec_prints_exactly_this(case: Path) -> None:
    expected = case.with_suffix(".txt")
    printed = render_text(
        diagnose(case), {"mlops.yaml": case.read_bytes().decode(errors="replace")}, colour=False
    )
    if os.environ.get("LOCKGATE_UPDATE_GOLDEN"):
        expected.write_text(printed)
    assert printed == expected.read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_one_mistake_gives_one_diagnostic_of_the_rule_the_case_is_named_after(case: Path) -> None:
    assert [diagnostic.rule for diagnostic in diagnose(case)] == [case.stem]


def diagnose(case: Path) -> tuple[Diagnostic, ...]:
    """All that the compiler says of a spec without looking at other files."""
    reading = spec.read(case.read_bytes())
    if reading.spec is None:
        return reading.diagnostics
    planned, findings = plan.make(reading.spec, {})
    return spec.locate((*findings, *targets.render(planned).findings), reading.text)
