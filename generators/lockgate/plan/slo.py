"""A service's promise → recording rules and alerts on how fast it uses up its error budget.

Windows and factors are those of the Site Reliability Workbook, chapter 5, for a period of 30 days: an alert needs a
long window, so that it is worth somebody's time, and a short one, so that it ends when the trouble does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import reduce
from typing import Literal, TypeAlias

from lockgate.plan import indicators
from lockgate.plan.model import Service
from lockgate.plan.promql import Absent, Binary, Expression, Number, Selector, Window, duration, equals
from lockgate.spec.model import Serve, Slo
from lockgate.tuples import NamedTuple

Severity: TypeAlias = Literal["page", "ticket"]
Promise: TypeAlias = Literal["failed", "slow"]
"""What requests may be only so often."""

RUNBOOKS = "https://github.com/lockgate/lockgate/blob/main/docs/alerts.md"
"""A heading for each alert's name."""

PERIOD_SECONDS = 30 * 86400
QUICK_SHARE = Decimal("0.99")
"""The share of requests that `latency_p99` is about."""

_NOT_SEEN_SECONDS = 600


class Burn(NamedTuple):
    """The budget burns `factor` times as fast as it would to last the period, over both windows."""

    factor: Decimal
    short_seconds: int
    long_seconds: int
    severity: Severity


BURNS = (
    Burn(Decimal("14.4"), 300, 3600, "page"),
    Burn(Decimal(6), 1800, 21600, "page"),
    Burn(Decimal(3), 7200, 86400, "ticket"),
    Burn(Decimal(1), 21600, 259200, "ticket"),
)


class Recording(NamedTuple):
    name: str
    expression: Expression
    labels: Mapping[str, str]


class Alert(NamedTuple):
    """`summary` and `description` are plain text; `value` says what the expression's value is a share of, if it is."""

    name: str
    expression: Expression
    for_seconds: int
    labels: Mapping[str, str]
    summary: str
    description: str
    value: str | None

    @property
    def runbook_url(self) -> str:
        return f"{RUNBOOKS}#{self.name.lower()}"


def latency_bound_seconds(serve: Serve) -> float | None:
    """What the server's histogram needs a bucket for: the promised latency, or else what a rollout is held to."""
    if serve.slo is not None and serve.slo.latency_p99_seconds is not None:
        return serve.slo.latency_p99_seconds
    return serve.rollout.analysis.latency_p99_max_seconds if serve.rollout.analysis else None


def budgets(slo: Slo) -> Mapping[Promise, Decimal]:
    """The share of requests that may break each promise."""
    found: dict[Promise, Decimal] = {"failed": 1 - slo.availability_percent / 100}
    if slo.latency_p99_seconds is not None:
        found["slow"] = 1 - QUICK_SHARE
    return found


def recordings(service: Service, slo: Slo) -> tuple[Recording, ...]:
    """Rates and shares over each window, so that alerts and dashboards read what was worked out once."""
    labels = _labels(service)
    return tuple(Recording(name, made, labels) for name, made in _recorded(service, slo))


def alerts(service: Service, slo: Slo) -> tuple[Alert, ...]:
    """Two for each promise, and one for the case in which none of these could fire."""
    burning = [
        _burn_alert(service, slo, promise, severity)
        for promise in budgets(slo)
        for severity in ("page", "ticket")
    ]
    scaling = service.serve.scaling
    return tuple(burning) if scaling and scaling.to_zero else (*burning, _not_seen(service))


def recorded(model: str, environment: str) -> indicators.Matchers:
    """What tells a service's recorded series from those of others."""
    return equals({"model": model, "environment": environment})


def budget_left(which: indicators.Matchers, promise: Promise, budget: Decimal) -> Expression:
    """The share of the period's budget that is not used up, of recorded series; below 0 where the promise is broken."""
    over_period = (
        Window("avg_over_time", Selector(name, which), PERIOD_SECONDS)
        for name in (_rate_name(promise, 300), _rate_name(_WHOLE[promise], 300))
    )
    part, whole = over_period
    used = Binary(indicators.share_where_any(part, whole), "/", Number(budget))
    return Binary(Number(Decimal(1)), "-", used)


def burn_rate(which: indicators.Matchers, promise: Promise, budget: Decimal, seconds: int) -> Expression:
    """How many times as fast the budget burns, by recorded series, as it would to last the period."""
    return Binary(_share(which, promise, seconds), "/", Number(budget))


_WHOLE: Mapping[Promise, Literal["answered", "timed"]] = {"failed": "answered", "slow": "timed"}


def _recorded(service: Service, slo: Slo) -> Iterator[tuple[str, Expression]]:
    which = indicators.matchers(service)
    windows = sorted({seconds for burn in BURNS for seconds in (burn.short_seconds, burn.long_seconds)})
    for seconds in windows:
        parts: dict[Promise, tuple[Expression, Expression]] = {
            "failed": (indicators.failed(which, seconds), indicators.requests(which, seconds))
        }
        if slo.latency_p99_seconds is not None:
            slow = indicators.slow(which, slo.latency_p99_seconds, seconds)
            parts["slow"] = (slow, indicators.timed(which, seconds))
        for promise, (part, whole) in parts.items():
            # The budget that is left is worked out from rates over the shortest window.
            if seconds == windows[0]:
                yield _rate_name(promise, seconds), part
            if seconds == windows[0] or (promise == "failed" and slo.min_requests_per_second):
                yield _rate_name(_WHOLE[promise], seconds), whole
            yield _share_name(promise, seconds), indicators.share_where_any(part, whole)


def _burn_alert(service: Service, slo: Slo, promise: Promise, severity: Severity) -> Alert:
    burns = [burn for burn in BURNS if burn.severity == severity]
    conditions = [_burning(service, slo, promise, burn) for burn in burns]
    what, speed = _ALERT_NAMES[promise], _SPEED[severity]
    windows = " or ".join(duration(burn.short_seconds) for burn in burns)
    return Alert(
        name=f"Lockgate{what}{speed}",
        expression=reduce(lambda left, right: Binary(left, "or", right), conditions),
        for_seconds=0,
        labels=_alert_labels(service, severity),
        summary=f"{service.name} in {service.environment}: {_SUMMARIES[promise]}, and the budget {_BURNS[severity]}",
        description=f"{_promised(promise, slo)} The budget burns at least {_factors(burns)} times too fast.",
        value=f"{_SUMMARIES[promise]} over {windows}",
    )


_ALERT_NAMES: Mapping[Promise, str] = {"failed": "Availability", "slow": "Latency"}
_SPEED: Mapping[Severity, str] = {"page": "BurnsFast", "ticket": "BurnsSlowly"}
_BURNS: Mapping[Severity, str] = {
    "page": "will be used up within days",
    "ticket": "will not last the 30 days",
}
_SUMMARIES: Mapping[Promise, str] = {"failed": "requests fail", "slow": "requests are slow"}


def _promised(promise: Promise, slo: Slo) -> str:
    if promise == "failed":
        return f"Promised is that {slo.availability_percent.normalize():f} % of requests do not fail."
    assert slo.latency_p99_seconds is not None
    return f"Promised is that 99 % of requests are answered within {slo.latency_p99_seconds:g} s."


def _factors(burns: list[Burn]) -> str:
    return " or ".join(f"{burn.factor:f} ({duration(burn.long_seconds)})" for burn in burns)


def _burning(service: Service, slo: Slo, promise: Promise, burn: Burn) -> Expression:
    limit = Number(burn.factor * budgets(slo)[promise])
    assert limit.value < 1, "the rule on objectives lets no alert through that could never fire"
    which = recorded(service.name, service.environment)
    short, long = (
        Binary(_share(which, promise, seconds), ">", limit)
        for seconds in (burn.short_seconds, burn.long_seconds)
    )
    burning = Binary(short, "and", long)
    if not slo.min_requests_per_second:
        return burning
    requests = Selector(_rate_name("answered", burn.long_seconds), which)
    least = Number(Decimal(repr(slo.min_requests_per_second)))
    return Binary(burning, "and", Binary(requests, ">=", least))


def _not_seen(service: Service) -> Alert:
    return Alert(
        name="LockgateNotSeen",
        expression=Absent(Selector(indicators.MODEL_INFO, indicators.matchers(service))),
        for_seconds=_NOT_SEEN_SECONDS,
        labels=_alert_labels(service, "page"),
        summary=f"{service.name} in {service.environment}: Prometheus sees no pod that serves it",
        description="Either no pod runs, or Prometheus does not read their metrics; then no other alert can fire.",
        value=None,
    )


def _share(which: indicators.Matchers, promise: Promise, seconds: int) -> Selector:
    return Selector(_share_name(promise, seconds), which)


def _share_name(promise: Promise, seconds: int) -> str:
    return f"lockgate:requests_{promise}:ratio_rate{duration(seconds)}"


def _rate_name(which: Promise | Literal["answered", "timed"], seconds: int) -> str:
    return f"lockgate:requests_{which}:rate{duration(seconds)}"


def _labels(service: Service) -> dict[str, str]:
    return {"model": service.name, "environment": service.environment}


def _alert_labels(service: Service, severity: Severity) -> dict[str, str]:
    return {"severity": severity, **_labels(service), "owner": service.model.owner}
