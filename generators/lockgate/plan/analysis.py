"""What a rollout is held to → queries, each with limits and how often it is asked. It knows no controller's format.

A query that has no value says neither good nor bad. Too many of these, and the rollout waits for a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal, TypeAlias

from lockgate.plan import indicators
from lockgate.plan.drift import prediction_psi
from lockgate.plan.model import Service
from lockgate.plan.promql import Expression, equals, number, text
from lockgate.plan.slo import QUICK_SHARE, latency_bound_seconds
from lockgate.spec.model import Analysis, PsiLimit, Query
from lockgate.tuples import NamedTuple

Judgement: TypeAlias = Literal["successful", "failed", "inconclusive"]

HASH_LABEL = "rollouts_pod_template_hash"
"""What tells a version's pods from others; Prometheus takes it over from the pod's label."""
LATEST_HASH = "{{args.latest-hash}}"
STABLE_HASH = "{{args.stable-hash}}"
"""Arguments that the rollout gives its analysis; a query of the user's own may hold them too."""

AFTER_SWITCH_SECONDS = 480
"""How long a blue-green rollout is watched after the switch; the old version has to wait for longer."""

_INTERVAL_SECONDS = 60
_LEAST_INTERVAL_SECONDS = 10
# A rate needs two scrapes in its window, and half a minute between them is usual.
_LEAST_WINDOW_SECONDS = 120
_WINDOW_SECONDS = 300
_LONGEST_WINDOW_SECONDS = 3600
_FAILURES_FORGIVEN_FROM = 4
_CONSECUTIVE_ERRORS = 4


class Limits(NamedTuple):
    """What a value may be; at least one of the two is there."""

    least: Decimal | None
    most: Decimal | None

    def judge(self, value: float | None) -> Judgement:
        if value is None or value != value:  # noqa: PLR0124 - not a number is the only such value
            return "inconclusive"
        low = self.least is not None and value < float(self.least)
        high = self.most is not None and value > float(self.most)
        return "failed" if low or high else "successful"


class Schedule(NamedTuple):
    """The measurements begin after `delay_seconds` and end before the time that they have is over."""

    delay_seconds: int
    interval_seconds: int
    measurements: int


class AnalysisMetric(NamedTuple):
    """`expression` is what `query` says, None for a query of the user's own.

    The analysis fails after more than `failure_limit` failures, waits for a person after more than `inconclusive_limit`
    measurements that say nothing, and fails too after more than `consecutive_error_limit` that could not be made.
    """

    name: str
    query: str
    expression: Expression | None
    limits: Limits
    reason: str
    schedule: Schedule
    failure_limit: int
    inconclusive_limit: int
    consecutive_error_limit: int = _CONSECUTIVE_ERRORS

    @property
    def success_condition(self) -> str:
        return " && ".join([_THERE, *(f"result[0] {operator} {limit}" for operator, limit in self._bounds())])

    @property
    def failure_condition(self) -> str:
        beyond = " || ".join(f"result[0] {_OPPOSITE[operator]} {limit}" for operator, limit in self._bounds())
        return f"{_THERE} && ({beyond})"

    @property
    def interval_seconds(self) -> int:
        return self.schedule.interval_seconds

    @property
    def initial_delay_seconds(self) -> int:
        return self.schedule.delay_seconds

    @property
    def measurements(self) -> int:
        return self.schedule.measurements

    def _bounds(self) -> Iterator[tuple[str, str]]:
        if self.limits.least is not None:
            yield ">=", number(self.limits.least)
        if self.limits.most is not None:
            yield "<=", number(self.limits.most)


# Prometheus answers with a list, which is empty where nothing is known.
_THERE = "len(result) > 0 && !isNaN(result[0])"
_OPPOSITE = {">=": "<", "<=": ">"}


def metrics(
    service: Service, latest: str = LATEST_HASH, stable: str = STABLE_HASH
) -> tuple[AnalysisMetric, ...]:
    """Empty where time alone decides. `latest` and `stable` are the hashes of the pods that are compared."""
    analysis = service.serve.rollout.analysis
    if analysis is None or service.serve.rollout.strategy == "rolling":
        return ()
    pods = _pods(service, latest), _pods(service, stable)
    total = watched_seconds(service)
    when = schedule(total)
    own = (_own(name, query, when) for name, query in analysis.queries.items())
    return (*_metrics(service, analysis, *pods, total, when), *own)


def shadow_metrics(
    service: Service, latest: str = LATEST_HASH, stable: str = STABLE_HASH
) -> tuple[AnalysisMetric, ...]:
    """What the new version is held to while it gets copies of requests; the last measurement is at their end.

    Queries of the user's own are not among it: they ask what came of answers, and nobody gets these.
    """
    rollout = service.serve.rollout
    if rollout.analysis is None or rollout.shadow is None:
        return ()
    pods = _pods(service, latest), _pods(service, stable)
    total = rollout.shadow.seconds
    interval = schedule(total).interval_seconds
    when = Schedule(interval, interval, max(1, total // interval))
    return tuple(_metrics(service, rollout.analysis, *pods, total, when))


def watched_seconds(service: Service) -> int:
    """How long the new version gets requests before the rollout is over."""
    rollout = service.serve.rollout
    if rollout.strategy == "blue-green":
        return AFTER_SWITCH_SECONDS
    return sum(step.pause_seconds for step in rollout.steps)


def schedule(total_seconds: int) -> Schedule:
    """As many measurements as fit, the first after one interval."""
    interval = max(_LEAST_INTERVAL_SECONDS, min(_INTERVAL_SECONDS, total_seconds // 4))
    count = max(1, total_seconds // interval - 1)
    return Schedule(delay_seconds=interval, interval_seconds=interval, measurements=count)


def _metrics(
    service: Service,
    analysis: Analysis,
    latest: indicators.Matchers,
    stable: indicators.Matchers,
    total: int,
    when: Schedule,
) -> Iterator[AnalysisMetric]:
    """Each is of one version's pods alone, whatever sent them their requests."""
    window = max(_LEAST_WINDOW_SECONDS, min(_WINDOW_SECONDS, total))
    if analysis.success_rate_min_percent is not None:
        least = Limits(analysis.success_rate_min_percent / 100, None)
        share = indicators.success_share(latest, window)
        yield _metric("success-rate", share, least, "requests that did not fail", when)
    if analysis.latency_p99_max_seconds is not None:
        yield _latency(service, analysis.latency_p99_max_seconds, latest, window, when)
    if analysis.prediction_psi is not None:
        yield _psi(analysis.prediction_psi, latest, stable, total, when)


def _latency(
    service: Service, most_seconds: float, latest: indicators.Matchers, window: int, when: Schedule
) -> AnalysisMetric:
    """A share of requests within the limit is exact where the histogram has that bound; a quantile is not."""
    if most_seconds == latency_bound_seconds(service.serve):
        share = indicators.quick_share(latest, most_seconds, window)
        reason = f"requests answered within {most_seconds:g} s"
        return _metric("latency-p99", share, Limits(QUICK_SHARE, None), reason, when)
    quantile = indicators.latency(latest, "0.99", window)
    limits = Limits(None, _decimal(most_seconds))
    return _metric("latency-p99", quantile, limits, "seconds in which 99 % of requests were answered", when)


def _psi(
    limit: PsiLimit, latest: indicators.Matchers, stable: indicators.Matchers, total: int, when: Schedule
) -> AnalysisMetric:
    """Until enough predictions were made there is no value; one that was judged good is enough."""
    window = max(_WINDOW_SECONDS, min(_LONGEST_WINDOW_SECONDS, total))
    psi = prediction_psi(latest, stable, window, limit.min_samples)
    limits, reason = Limits(None, _decimal(limit.max)), "predictions against those of the stable version"
    metric = _metric("prediction-psi", psi, limits, reason, when)
    return metric._replace(inconclusive_limit=when.measurements - 1 - metric.failure_limit)


def _metric(name: str, expression: Expression, limits: Limits, reason: str, when: Schedule) -> AnalysisMetric:
    return AnalysisMetric(
        name=name,
        query=text(expression),
        expression=expression,
        limits=limits,
        reason=reason,
        schedule=when,
        failure_limit=1 if when.measurements >= _FAILURES_FORGIVEN_FROM else 0,
        inconclusive_limit=when.measurements // 2,
    )


def _own(name: str, query: Query, when: Schedule) -> AnalysisMetric:
    limits = Limits(*(None if limit is None else _decimal(limit) for limit in (query.min, query.max)))
    return AnalysisMetric(
        name=f"query-{name}",
        query=query.query,
        expression=None,
        limits=limits,
        reason=query.reason,
        schedule=when,
        failure_limit=1 if when.measurements >= _FAILURES_FORGIVEN_FROM else 0,
        inconclusive_limit=when.measurements // 2,
    )


def _pods(service: Service, template_hash: str) -> indicators.Matchers:
    return (*indicators.matchers(service), *equals({HASH_LABEL: template_hash}))


def _decimal(value: float) -> Decimal:
    """As it was written, not as it is stored."""
    return Decimal(repr(value))
