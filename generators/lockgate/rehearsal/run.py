"""A rollout's steps and measurements in order, over traffic and a judge that are given; what was seen, step by step."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from lockgate.plan.analysis import AnalysisMetric
from lockgate.plan.promql import Expression
from lockgate.rehearsal.compression import Step, due_seconds
from lockgate.rehearsal.conditions import judge
from lockgate.rehearsal.course import Answer, Course, End
from lockgate.rehearsal.processes import Report
from lockgate.rehearsal.scrapes import JudgeError
from lockgate.tuples import NamedTuple

Outcome: TypeAlias = Literal["promoted", "aborted", "inconclusive"]


class Traffic(Protocol):
    def shift(self, weight_percent: int) -> None: ...

    def report(self) -> Report: ...


class Judge(Protocol):
    @property
    def name(self) -> str: ...

    def scrape(self) -> None: ...

    def ask(self, expression: Expression) -> list[float]: ...


class Asked(NamedTuple):
    """A metric and its expression in the rehearsal's own time."""

    metric: AnalysisMetric
    expression: Expression


class Pace(NamedTuple):
    """`speed` is how many seconds of the rollout pass in one here; before the steps, the stable version leads in."""

    speed: float
    scrape_seconds: float
    lead_seconds: float


class Measurement(NamedTuple):
    """`value` is None where the query had none. `end` is how the rollout ends by it."""

    metric: str
    value: float | None
    answer: Answer
    end: End | None


@dataclass(frozen=True, kw_only=True, slots=True)
class StepSeen:
    """What happened while the candidate had that share of requests; the last measurement may have ended it."""

    number: int
    weight_percent: int
    report: Report
    measurements: tuple[Measurement, ...]

    @property
    def end(self) -> Measurement | None:
        """The measurement that ended the rollout."""
        return next((it for it in self.measurements if it.end is not None), None)


def outcome(end: Measurement | None) -> Outcome:
    """Measurements that say nothing make the rollout wait for a person; any other end takes the traffic back."""
    if end is None:
        return "promoted"
    return "inconclusive" if end.end == "inconclusive" else "aborted"


def rehearse(
    steps: Sequence[Step], asked: Sequence[Asked], traffic: Traffic, judge_: Judge, pace: Pace
) -> Iterator[StepSeen]:
    """Each step as soon as it is over, until one has ended the rollout."""
    watch = _Watch(asked, judge_, pace)
    traffic.shift(0)
    watch.wait()
    for number, step in enumerate(steps, start=1):
        traffic.shift(step.weight_percent)
        measurements = tuple(watch.measure_for(step.seconds))
        seen = StepSeen(
            number=number,
            weight_percent=step.weight_percent,
            report=traffic.report(),
            measurements=measurements,
        )
        yield seen
        if seen.end is not None:
            return


class _Watch:
    """Scrapes and measures at their times, whatever step it is."""

    def __init__(self, asked: Sequence[Asked], judge_: Judge, pace: Pace) -> None:
        self._judge, self._between = judge_, pace.scrape_seconds
        self._scrape_at = time.monotonic()
        self._end = start = self._scrape_at + pace.lead_seconds
        self._courses = [(it, Course(it.metric)) for it in asked]
        self._due = sorted(
            (start + at, place) for place, it in enumerate(asked) for at in due_seconds(it.metric, pace.speed)
        )

    def wait(self) -> None:
        """Until the steps begin."""
        self._scrape_until(self._end)

    def measure_for(self, seconds: float) -> Iterator[Measurement]:
        """The measurements of the next seconds, up to one that ends the rollout."""
        self._end += seconds
        while self._due and self._due[0][0] <= self._end:
            at, place = self._due.pop(0)
            self._scrape_until(at)
            measured = self._measure(*self._courses[place])
            yield measured
            if measured.end is not None:
                return
        self._scrape_until(self._end)

    def _scrape_until(self, at: float) -> None:
        while self._scrape_at <= at:
            _sleep_until(self._scrape_at)
            self._judge.scrape()
            self._scrape_at = max(self._scrape_at + self._between, time.monotonic())
        _sleep_until(at)

    def _measure(self, asked: Asked, course: Course) -> Measurement:
        metric = asked.metric
        try:
            result = self._judge.ask(asked.expression)
        except JudgeError:
            return Measurement(metric.name, None, "error", course.take("error"))
        answer = judge(metric.success_condition, metric.failure_condition, result)
        value = result[0] if result else None
        return Measurement(metric.name, value, answer, course.take(answer))


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))
