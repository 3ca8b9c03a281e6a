"""What becomes of an analysis, measurement by measurement: the rules by which Argo Rollouts counts them.

https://github.com/argoproj/argo-rollouts/blob/master/analysis/analysis.go, `assessMetricFailureInconclusiveOrError`
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from lockgate.plan.analysis import AnalysisMetric, Judgement

Answer: TypeAlias = Judgement | Literal["error"]
End: TypeAlias = Literal["failed", "inconclusive", "error"]


class Course:
    """One metric's measurements so far."""

    def __init__(self, metric: AnalysisMetric) -> None:
        self.metric = metric
        self.failed = 0
        self._inconclusive = 0
        self._errors_in_a_row = 0

    def take(self, answer: Answer) -> End | None:
        """How the whole rollout ends by it; None where it goes on."""
        self.failed += answer == "failed"
        self._inconclusive += answer == "inconclusive"
        self._errors_in_a_row = self._errors_in_a_row + 1 if answer == "error" else 0
        if self.failed > self.metric.failure_limit:
            return "failed"
        if self._inconclusive > self.metric.inconclusive_limit:
            return "inconclusive"
        return "error" if self._errors_in_a_row > self.metric.consecutive_error_limit else None
