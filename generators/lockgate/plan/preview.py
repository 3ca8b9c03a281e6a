"""What a blue-green rollout's new version is held to before it gets any traffic: Prometheus sees it serve its model.

Without traffic nothing else can be measured of it.
"""

from __future__ import annotations

from decimal import Decimal

from lockgate.plan.analysis import HASH_LABEL, LATEST_HASH, AnalysisMetric, Limits, Schedule
from lockgate.plan.indicators import MODEL_INFO, matchers
from lockgate.plan.model import Service
from lockgate.plan.promql import Aggregate, Selector, equals, text

_SCHEDULE = Schedule(delay_seconds=60, interval_seconds=30, measurements=3)


def metrics(service: Service, latest: str = LATEST_HASH) -> tuple[AnalysisMetric, ...]:
    """`latest` is the hash of the new version's pods."""
    pods = (*matchers(service), *equals({HASH_LABEL: latest}))
    expression = Aggregate("count", Selector(MODEL_INFO, pods))
    return (
        AnalysisMetric(
            name="serving",
            query=text(expression),
            expression=expression,
            limits=Limits(Decimal(1), None),
            reason="pods of the new version that Prometheus sees",
            schedule=_SCHEDULE,
            failure_limit=0,
            inconclusive_limit=1,
        ),
    )
