"""What a service's own metrics say of it, as expressions that rules, analyses and dashboards share.

A service is told from others by the model, which its server writes, and the namespace, which Prometheus adds.
"""

from __future__ import annotations

import math
from decimal import Decimal

from lockgate.plan.model import Service
from lockgate.plan.promql import (
    Aggregate,
    Binary,
    Expression,
    HistogramQuantile,
    Matcher,
    Number,
    On,
    Selector,
    Window,
    equals,
    pattern_of,
)

REQUESTS = "lockgate_requests_total"
DURATION = "lockgate_request_duration_seconds"
MODEL_INFO = "lockgate_model_info"

# A request that the server could not answer. One with a wrong input was answered.
_FAILED = "5..|424|429"

Matchers = tuple[Matcher, ...]


def matchers(service: Service) -> Matchers:
    return matchers_of(service.name, service.namespace)


def matchers_of(model: str, namespace: str) -> Matchers:
    return equals({"model": model, "namespace": namespace})


def requests(which: Matchers, seconds: int) -> Expression:
    """Requests a second."""
    return _rate(Selector(REQUESTS, which), seconds)


def failed(which: Matchers, seconds: int) -> Expression:
    """Failures a second, 0 where there are requests and no series of failures yet."""
    failures = Selector(REQUESTS, (*which, Matcher("code", "=~", _FAILED)))
    none = Binary(requests(which, seconds), "*", Number(Decimal(0)))
    return Binary(_rate(failures, seconds), "or", none)


def timed(which: Matchers, seconds: int) -> Expression:
    """Requests a second whose time was taken."""
    return _rate(Selector(f"{DURATION}_count", which), seconds)


def slow(which: Matchers, bound_seconds: float, seconds: int) -> Expression:
    """Requests a second that took longer than the bound, which is one of the histogram's."""
    return Binary(timed(which, seconds), "-", _within(which, bound_seconds, seconds))


def success_share(which: Matchers, seconds: int) -> Expression:
    """NaN without requests, and nothing without series."""
    one = Number(Decimal(1))
    return Binary(one, "-", Binary(failed(which, seconds), "/", requests(which, seconds)))


def quick_share(which: Matchers, bound_seconds: float, seconds: int) -> Expression:
    """The share of requests within the bound; NaN without requests, and nothing without series."""
    return Binary(_within(which, bound_seconds, seconds), "/", timed(which, seconds))


def latency(which: Matchers, quantile: str, seconds: int) -> Expression:
    """The quantile of the seconds that requests took, as far as the histogram's buckets tell."""
    buckets = Window("rate", Selector(f"{DURATION}_bucket", which), seconds)
    return HistogramQuantile(Decimal(quantile), Aggregate("sum", buckets, ("le",)))


def share_where_any(part: Expression, whole: Expression) -> Expression:
    """The part of the whole, and nothing where the whole is nothing: without traffic nothing is good or bad."""
    return Binary(part, "/", Binary(whole, ">", Number(Decimal(0))))


def where_enough(value: Expression, count: Expression, least: int, by: tuple[str, ...] = ()) -> Expression:
    """The value where the count, which has the same labels `by`, is at least so large."""
    return Binary(value, "and", Binary(count, ">=", Number(Decimal(least))), On(by))


def _within(which: Matchers, bound_seconds: float, seconds: int) -> Expression:
    return _rate(Selector(f"{DURATION}_bucket", (*which, _bound(bound_seconds))), seconds)


def _bound(seconds: float) -> Matcher:
    """Prometheus 3 writes a whole bound with `.0`, Prometheus 2 as the server does."""
    if seconds == math.floor(seconds):
        return Matcher("le", "=~", f"{pattern_of(str(int(seconds)))}(\\.0)?")
    return Matcher("le", "=", repr(float(seconds)))


def _rate(selector: Selector, seconds: int) -> Expression:
    return Aggregate("sum", Window("rate", selector, seconds))
