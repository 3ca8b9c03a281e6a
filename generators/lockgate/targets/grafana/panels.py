"""What is shown of a service, row by row, as expressions and their units. Where it stands is decided elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal, TypeAlias

from lockgate.plan import indicators, slo
from lockgate.plan.analysis import HASH_LABEL
from lockgate.plan.drift import (
    FEATURE_BINS,
    FEATURE_REFERENCE,
    PREDICTION_BINS,
    PREDICTION_REFERENCE,
    psi_from_reference,
)
from lockgate.plan.model import Service
from lockgate.plan.promql import (
    Aggregate,
    Binary,
    Expression,
    HistogramQuantile,
    Number,
    Selector,
    Window,
    duration,
    equals,
)
from lockgate.spec.model import Slo, Strategy, Task
from lockgate.tuples import NamedTuple

Unit: TypeAlias = Literal["reqps", "short", "s", "percentunit", "none"]

_SECONDS = 300
_DRIFT_SECONDS = 3600
# With fewer rows, chance alone makes a PSI that looks like drift.
_DRIFT_MIN_SAMPLES = 200
_BY_VERSION = ("version",)
_ZERO = Number(Decimal(0))


class Shown(NamedTuple):
    """All that a dashboard's panels depend on: of services that are alike in this, they are the same."""

    model: str
    environment: str
    namespace: str
    task: Task
    slo: Slo | None
    latency_bound_seconds: float | None
    strategy: Strategy


class Query(NamedTuple):
    """`legend` names each series; `{{label}}` stands for a label's value."""

    expression: Expression
    legend: str


class Panel(NamedTuple):
    title: str
    description: str
    unit: Unit
    queries: tuple[Query, ...]
    kind: Literal["stat", "timeseries"] = "timeseries"


class Row(NamedTuple):
    title: str
    panels: tuple[Panel, ...]


def shown_of(service: Service) -> Shown:
    return Shown(
        model=service.name,
        environment=service.environment,
        namespace=service.namespace,
        task=service.model.task,
        slo=service.serve.slo,
        latency_bound_seconds=slo.latency_bound_seconds(service.serve),
        strategy=service.serve.rollout.strategy,
    )


def rows(shown: Shown) -> tuple[Row, ...]:
    which = indicators.matchers_of(shown.model, shown.namespace)
    promised = () if shown.slo is None else (Row("Budget", tuple(_budget(shown, shown.slo))),)
    confidence = () if shown.task == "regression" else (_confidence(which),)
    return (
        *promised,
        Row("Traffic", tuple(_traffic(which))),
        Row("Latency", tuple(_latency(which, shown.latency_bound_seconds))),
        Row("Errors", tuple(_errors(which))),
        Row("Drift", (*_drift(which), *confidence)),
        Row("Versions and rollout", tuple(_versions(shown, which))),
    )


def _budget(shown: Shown, promised: Slo) -> Iterator[Panel]:
    which = slo.recorded(shown.model, shown.environment)
    days = f"{slo.PERIOD_SECONDS // 86400} days"
    windows = sorted({burn.long_seconds for burn in slo.BURNS})
    for promise, budget in slo.budgets(promised).items():
        left = slo.budget_left(which, promise, budget)
        yield Panel(
            title=f"Budget left: {promise} requests",
            description=f"{budget:%} of requests may be {promise} in {days}. Below 0 the promise is broken.",
            unit="percentunit",
            queries=(Query(left, "left"),),
            kind="stat",
        )
        yield Panel(
            title=f"Burn rate: {promise} requests",
            description=f"1 uses the budget up in {days}; an alert pages at 14.4 over an hour.",
            unit="short",
            queries=tuple(
                Query(slo.burn_rate(which, promise, budget, seconds), duration(seconds))
                for seconds in windows
            ),
        )


def _traffic(which: indicators.Matchers) -> Iterator[Panel]:
    by_code = _rate(indicators.REQUESTS, which, ("code",))
    yield Panel("Requests", "Answered requests by HTTP status.", "reqps", (Query(by_code, "{{code}}"),))
    rows_rate = _rate("lockgate_rows_total", which)
    yield Panel("Rows", "Rows that were predicted in a second.", "short", (Query(rows_rate, "rows/s"),))
    waiting = (
        Query(Aggregate("sum", Selector("lockgate_requests_in_flight", which)), "requests in flight"),
        Query(Aggregate("sum", Selector("lockgate_queued_rows", which)), "rows queued"),
    )
    yield Panel("Waiting", "What has arrived and is not answered yet, over all pods.", "short", waiting)


def _latency(which: indicators.Matchers, bound: float | None) -> Iterator[Panel]:
    quantiles = tuple(
        Query(indicators.latency(which, quantile, _SECONDS), f"{float(quantile):.0%}")
        for quantile in ("0.5", "0.9", "0.99")
    )
    yield Panel(
        "Latency", "The time within which that share of requests is answered by the server.", "s", quantiles
    )
    if bound is not None:
        share = Query(indicators.quick_share(which, bound, _SECONDS), f"within {bound:g} s")
        description = "The share of requests that is answered in time; 99 % are to be."
        yield Panel("Quick enough", description, "percentunit", (share,))


def _errors(which: indicators.Matchers) -> Iterator[Panel]:
    share = indicators.share_where_any(
        indicators.failed(which, _SECONDS), indicators.requests(which, _SECONDS)
    )
    yield Panel(
        "Failed requests",
        "The share answered with 5xx, 424 or 429; a refused input is no failure.",
        "percentunit",
        (Query(share, "failed"),),
    )
    refusals = _rate("lockgate_refusals_total", which, ("reason",))
    yield Panel("Refused requests", "By reason, in a second.", "reqps", (Query(refusals, "{{reason}}"),))


def _drift(which: indicators.Matchers) -> Iterator[Panel]:
    by_feature = psi_from_reference(
        FEATURE_BINS, FEATURE_REFERENCE, which, ("version", "feature"), _DRIFT_SECONDS, _DRIFT_MIN_SAMPLES
    )
    of_predictions = psi_from_reference(
        PREDICTION_BINS, PREDICTION_REFERENCE, which, _BY_VERSION, _DRIFT_SECONDS, _DRIFT_MIN_SAMPLES
    )
    how = (
        "The last hour against the model's reference, as population stability index. Drift is usually above 0.2. "
        f"Nothing is shown below {_DRIFT_MIN_SAMPLES} rows."
    )
    yield Panel("Features", how, "none", (Query(by_feature, "{{feature}} ({{version}})"),))
    yield Panel("Predictions", how, "none", (Query(of_predictions, "{{version}}"),))


def _confidence(which: indicators.Matchers) -> Panel:
    buckets = Aggregate(
        "sum", Window("rate", Selector("lockgate_confidence_bucket", which), _SECONDS), ("version", "le")
    )
    queries = tuple(
        Query(HistogramQuantile(Decimal(quantile), buckets), f"{name} ({{{{version}}}})")
        for quantile, name in (("0.5", "median"), ("0.1", "lowest tenth"))
    )
    return Panel("Confidence", "The probability of the likeliest class.", "percentunit", queries)


def _versions(shown: Shown, which: indicators.Matchers) -> Iterator[Panel]:
    pods = Aggregate("count", Selector(indicators.MODEL_INFO, which), _BY_VERSION)
    yield Panel("Pods by version", "Pods that are measured.", "short", (Query(pods, "{{version}}"),))
    by_version = _rate(indicators.REQUESTS, which, _BY_VERSION)
    yield Panel("Requests by version", "In a second.", "reqps", (Query(by_version, "{{version}}"),))
    if shown.strategy == "rolling":
        return
    by_pods = _rate(indicators.REQUESTS, which, (HASH_LABEL,))
    description = "In a second, by the hash of the pods' template: during a rollout there are two."
    yield Panel("Requests by rollout", description, "reqps", (Query(by_pods, f"{{{{{HASH_LABEL}}}}}"),))
    # The controller's own namespace label may be renamed where it is scraped, so only the name is asked for.
    info = Aggregate("max", Selector("rollout_info", equals({"name": shown.model})), ("phase",))
    description = "As Argo Rollouts reports it, where Prometheus reads its controller's metrics."
    yield Panel("Rollout", description, "none", (Query(Binary(info, ">", _ZERO), "{{phase}}"),))


def _rate(metric: str, which: indicators.Matchers, by: tuple[str, ...] = ()) -> Expression:
    return Aggregate("sum", Window("rate", Selector(metric, which), _SECONDS), by)
