"""Conditions of an analysis, read as they are written for Argo Rollouts."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.targets.watched import service

from lockgate.plan.analysis import AnalysisMetric, Limits, metrics
from lockgate.rehearsal.conditions import holds, judge

LIMITS = [Limits(Decimal("0.99"), None), Limits(None, Decimal("0.2")), Limits(Decimal(-1), Decimal("2.5"))]


def metric(limits: Limits) -> AnalysisMetric:
    (first, *_) = metrics(service(slo={"availability": 99.9}, rollout="canary"))
    return AnalysisMetric(
        name=first.name,
        query=first.query,
        expression=first.expression,
        limits=limits,
        reason=first.reason,
        schedule=first.schedule,
        failure_limit=0,
        inconclusive_limit=0,
    )


@given(
    limits=st.sampled_from(LIMITS),
    value=st.one_of(st.floats(), st.sampled_from([0.99, 0.2, -1.0, 2.5]), st.none()),
)
def test_the_text_says_what_the_limits_say(limits: Limits, value: float | None) -> None:
    it = metric(limits)
    result = [] if value is None else [value]
    assert judge(it.success_condition, it.failure_condition, result) == limits.judge(value)


@pytest.mark.parametrize("result", [[], [math.nan]])
def test_no_value_is_neither_good_nor_bad(result: list[float]) -> None:
    it = metric(LIMITS[0])
    assert not holds(it.success_condition, result)
    assert not holds(it.failure_condition, result)


def test_a_condition_of_another_hand_is_refused() -> None:
    with pytest.raises(ValueError, match="no condition of an analysis"):
        holds("default(result, 0) < 5", [1.0])
