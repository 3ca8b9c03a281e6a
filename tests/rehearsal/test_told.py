"""What a rehearsal says of the steps that it leaves out, and at its end."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.targets.watched import SLO, service

from lockgate.cli.serving.rehearsed import Rehearsal, say_as_json, say_as_text
from lockgate.cli.terminal import Terminal
from lockgate.plan.analysis import metrics
from lockgate.rehearsal.compression import Step
from lockgate.rehearsal.course import End
from lockgate.rehearsal.processes import Report, Sent
from lockgate.rehearsal.run import Asked, Measurement, StepSeen

QUIET = Sent(answers=0, failed=0, refused=0, slow=0, p99_seconds=None)
SEEN = StepSeen(number=1, weight_percent=1, report=Report(stable=QUIET, candidate=QUIET), measurements=())


def rehearsal(router: str, strategy: str = "cautious") -> Rehearsal:
    traffic = {"gateway": "g", "namespace": "gateways", "hostname": "delay.acme.test", "router": router}
    return Rehearsal(
        service=service(slo=SLO, rollout=strategy, traffic=traffic),
        stable=Path("stable"),
        candidate=Path("candidate"),
        traffic=Path("rows.parquet"),
        rate=100,
        speed=60,
        steps=(Step(1, 10),),
        asked=(),
        not_asked=(),
    )


def shown() -> tuple[Terminal, io.StringIO]:
    out = io.StringIO()
    return Terminal(out=out, err=io.StringIO(), out_colour=False, err_colour=False, live=False), out


def test_a_shadow_and_a_test_that_are_not_played_are_named() -> None:
    terminal, out = shown()
    say_as_text(rehearsal("istio"), [SEEN], terminal)
    assert [line for line in out.getvalue().splitlines() if "not played" in line] == [
        "  not played shadow: here the candidate begins with its first share",
        "  not played test by header: here the candidate begins with its first share",
    ]


@pytest.mark.parametrize(
    ("router", "strategy", "left_out"),
    [
        ("istio", "cautious", ["shadow", "test by header"]),
        ("gateway-api", "cautious", ["test by header"]),
        ("istio", "canary", []),
    ],
)
def test_machines_are_told_what_is_not_played(router: str, strategy: str, left_out: list[str]) -> None:
    terminal, out = shown()
    say_as_json(rehearsal(router, strategy), [SEEN], terminal)
    assert json.loads(out.getvalue())["not_played"] == left_out


PSI_ENDS: list[tuple[float | None, End, str]] = [
    (0.9, "failed", "30 answers, all with such predictions: 0 failed, 0 slow"),
    (None, "inconclusive", "30 answers, 0 of them bad: 0 failed, 0 slow"),
    (None, "error", "30 answers, 0 of them bad: 0 failed, 0 slow"),
]


@pytest.mark.parametrize(("value", "end", "said"), PSI_ENDS)
def test_answers_count_as_moved_predictions_only_where_these_were_seen_to_move(
    value: float | None, end: End, said: str
) -> None:
    planned = rehearsal("istio")
    asked = [it for it in metrics(planned.service) if it.name == "prediction-psi"]
    measured = Measurement("prediction-psi", value, end, end)
    report = Report(stable=QUIET, candidate=QUIET._replace(answers=30))
    terminal, out = shown()
    say_as_text(
        replace(planned, asked=tuple(Asked(it, it.expression) for it in asked if it.expression is not None)),
        [replace(SEEN, report=report, measurements=(measured,))],
        terminal,
    )
    assert out.getvalue().splitlines()[-1] == f"  the candidate gave {said}"
