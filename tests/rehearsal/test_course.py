"""An analysis ends as Argo Rollouts would end it."""

from __future__ import annotations

import pytest
from tests.targets.watched import service

from lockgate.plan.analysis import metrics
from lockgate.rehearsal.course import Answer, Course, End


@pytest.mark.parametrize(
    ("answers", "end"),
    [
        (["successful"] * 9, None),
        (["failed"], None),
        (["failed", "successful", "failed"], "failed"),
        (["inconclusive"] * 3, None),
        (["inconclusive", "successful"] * 3 + ["inconclusive"], "inconclusive"),
        (["error"] * 2 + ["successful"] + ["error"] * 2, None),
        (["error"] * 3, "error"),
    ],
)
def test_an_analysis_ends_when_more_is_wrong_than_allowed(answers: list[Answer], end: End | None) -> None:
    (first, *_) = metrics(service(slo={"availability": 99.9}, rollout="canary"))
    metric = first._replace(failure_limit=1, inconclusive_limit=3, consecutive_error_limit=2)
    course = Course(metric)
    *before, last = [course.take(answer) for answer in answers]
    assert (set(before) <= {None}, last) == (True, end)
