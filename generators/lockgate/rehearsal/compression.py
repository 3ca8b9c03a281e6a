"""A rollout of half an hour in a minute: all its times divided by the same factor."""

from __future__ import annotations

import math

from lockgate.plan.analysis import AFTER_SWITCH_SECONDS, AnalysisMetric, watched_seconds
from lockgate.plan.model import Service
from lockgate.plan.promql import (
    Aggregate,
    Binary,
    Expression,
    HistogramQuantile,
    Ln,
    Window,
)
from lockgate.tuples import NamedTuple

USUAL_SECONDS = 60
_MOST_BETWEEN_SCRAPES = 1.0
_LEAST_BETWEEN_SCRAPES = 0.1
_SCRAPES_A_WINDOW = 5


class Step(NamedTuple):
    """`weight_percent` of the requests go to the candidate for so many seconds of this rehearsal."""

    weight_percent: int
    seconds: float


def usual_speed(service: Service) -> float:
    """Such that the whole takes about a minute."""
    return max(1.0, watched_seconds(service) / USUAL_SECONDS)


def steps(service: Service, speed: float) -> tuple[Step, ...]:
    """A blue-green rollout has one: all requests at once, watched for as long as there is a way back."""
    rollout = service.serve.rollout
    if rollout.strategy == "blue-green":
        return (Step(100, AFTER_SWITCH_SECONDS / speed),)
    return tuple(Step(step.weight_percent, step.pause_seconds / speed) for step in rollout.steps)


def lead_seconds(service: Service, speed: float, between_scrapes: float) -> float:
    """How long the stable version gets all requests before: two scrapes.

    After a switch there are no more predictions of it to compare with, so those before have to be enough.
    """
    is_switch = service.serve.rollout.strategy == "blue-green"
    return max(2 * between_scrapes, AFTER_SWITCH_SECONDS / 2 / speed if is_switch else 0.0)


def compressed(expression: Expression, speed: float) -> Expression:
    """With windows of whole seconds, at least one, so that they can be written in PromQL too."""
    match expression:
        case Window(function, selector, seconds):
            return Window(function, selector, max(1, math.ceil(seconds / speed)))
        case Ln(operand):
            return Ln(compressed(operand, speed))
        case Aggregate():
            return expression._replace(operand=compressed(expression.operand, speed))
        case HistogramQuantile(quantile, operand):
            return HistogramQuantile(quantile, compressed(operand, speed))
        case Binary(left, operator, right, on):
            return Binary(compressed(left, speed), operator, compressed(right, speed), on)
        case _:
            return expression


def scrape_seconds(asked: list[Expression]) -> float:
    """Between two scrapes: a few of them have to fit into the shortest window."""
    shortest = min((seconds for expression in asked for seconds in _windows(expression)), default=5)
    return min(_MOST_BETWEEN_SCRAPES, max(_LEAST_BETWEEN_SCRAPES, shortest / _SCRAPES_A_WINDOW))


def due_seconds(metric: AnalysisMetric, speed: float) -> list[float]:
    """When it is measured, from the beginning of the steps."""
    first, between = metric.initial_delay_seconds / speed, metric.interval_seconds / speed
    return [first + number * between for number in range(metric.measurements)]


def _windows(expression: Expression) -> list[int]:
    match expression:
        case Window():
            return [expression.seconds]
        case Ln() | Aggregate() | HistogramQuantile():
            return _windows(expression.operand)
        case Binary():
            return [*_windows(expression.left), *_windows(expression.right)]
        case _:
            return []
