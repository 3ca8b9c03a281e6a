"""Rules about how a new version takes over: its steps, its test, and what its analysis is held to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from lockgate.diagnostics import Finding
from lockgate.spec.build_serving import is_behind_istio, rollout_block
from lockgate.spec.validate import quote

Block: TypeAlias = Mapping[str, Any]
Location: TypeAlias = tuple[str | int, ...]

# What limits a metric, and the promise that does where the limit is not said.
_MEASURED = {"success_rate": ("min", "availability"), "latency_p99": ("max", "latency_p99")}
_ARGUMENTS = ("{{args.latest-hash}}", "{{args.stable-hash}}")
# Argo Rollouts fills in whatever stands in double braces, and fails where it knows no such thing.
_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}|\{\{|\}\}")


def check_rollout(serve: Block, location: Location) -> Iterator[Finding]:
    """Of a `serve` block with its defaults; `location` is that of its rollout."""
    rollout = rollout_block(serve)
    yield from _steps(rollout, location)
    yield from _cautious(serve, rollout, location)
    yield from _shadow(serve, rollout, (*location, "shadow"))
    if "analysis" in rollout:
        yield from _analysis(rollout, serve.get("slo", {}), (*location, "analysis"))


def _steps(rollout: Block, location: Location) -> Iterator[Finding]:
    if "steps" in rollout and rollout["strategy"] not in ("canary", "cautious"):
        yield Finding(
            rule="rollout-steps",
            location=(*location, "steps"),
            at_key=True,
            message=f"steps belong to a canary, and the strategy is {rollout['strategy']}",
            help="take 'steps' out, or make the strategy canary",
        )
    weights = [step["weight"] for step in rollout.get("steps", [])]
    for index, weight in enumerate(weights[1:], start=1):
        if weight <= weights[index - 1]:
            yield Finding(
                rule="rollout-steps",
                location=(*location, "steps", index, "weight"),
                message=f"the share goes from {weights[index - 1]} % to {weight} %",
                help="let every step give the new version more than the one before",
            )


def _cautious(serve: Block, rollout: Block, location: Location) -> Iterator[Finding]:
    is_cautious = rollout["strategy"] == "cautious"
    if is_cautious and isinstance(serve["traffic"], str) and serve["platform"] != "kserve":
        yield Finding(
            rule="cautious-needs-gateway",
            location=location,
            message="a cautious rollout tells requests apart by a header, and the number of pods cannot do that",
            help="name a gateway in 'serve.traffic', or make the rollout canary or blue-green",
        )
    if "test" in rollout and not is_cautious:
        yield Finding(
            rule="rollout-steps",
            location=(*location, "test"),
            at_key=True,
            message=f"a test belongs to a cautious rollout, and the strategy is {rollout['strategy']}",
            help="take 'test' out, or make the strategy cautious",
        )


def _shadow(serve: Block, rollout: Block, location: Location) -> Iterator[Finding]:
    """Whoever says nothing of a shadow gets one where there can be one."""
    if rollout.get("shadow", "none") == "none":
        return
    if rollout["strategy"] != "cautious":
        yield Finding(
            rule="rollout-steps",
            location=location,
            at_key=True,
            message=f"a shadow belongs to a cautious rollout, and the strategy is {rollout['strategy']}",
            help="take 'shadow' out, or make the strategy cautious",
        )
    elif not isinstance(serve["traffic"], str) and not is_behind_istio(serve):
        yield Finding(
            rule="shadow-needs-istio",
            location=location,
            at_key=True,
            message="a shadow needs copies of requests, and Argo Rollouts' plugin for the Gateway API makes none:"
            " it takes the step and does nothing",
            help="take 'shadow' out and rehearse the rollout instead, or name a Gateway of Istio's own API and add"
            " 'router: istio' to 'serve.traffic'",
        )


def _analysis(rollout: Block, slo: Block, location: Location) -> Iterator[Finding]:
    if rollout["strategy"] == "rolling":
        yield Finding(
            rule="analysis-strategy",
            location=location,
            at_key=True,
            message="a rolling update exchanges pod after pod and stops for no analysis",
            help="make the strategy canary, cautious or blue-green, or take 'analysis' out",
        )
        return
    analysis: Block = rollout["analysis"]
    yield from _limits(analysis, slo, location)
    for name, query in analysis["queries"].items():
        yield from _query(name, query, (*location, "queries", name))


def _limits(analysis: Block, slo: Block, location: Location) -> Iterator[Finding]:
    """Limits that neither the analysis nor the SLO says."""
    for metric, (limit, promise) in _MEASURED.items():
        if metric in analysis and limit not in analysis[metric] and promise not in slo:
            yield Finding(
                rule="analysis-without-limit",
                location=(*location, metric),
                at_key=True,
                message=f"{metric!r} has no limit: neither {limit!r} nor 'slo.{promise}' is given",
                help=f"add {limit!r}, or promise it in 'serve.slo'",
            )
    is_compared = analysis["prediction_psi"] != "ignore"
    if not slo and not is_compared and not analysis["queries"] and not analysis.keys() & _MEASURED:
        yield Finding(
            rule="analysis-without-limit",
            location=location,
            at_key=True,
            message="the analysis looks at nothing",
            help="add a limit, promise something in 'serve.slo', or take 'analysis' out",
        )


def _query(name: str, query: Block, location: Location) -> Iterator[Finding]:
    if "min" not in query and "max" not in query:
        yield Finding(
            rule="analysis-without-limit",
            location=location,
            at_key=True,
            message=f"the query {name!r} has no limit",
            help="add 'min' or 'max'",
        )
    if query.get("min", float("-inf")) > query.get("max", float("inf")):
        yield Finding(
            rule="empty-range",
            location=(*location, "min"),
            message=f"no value is at least {query['min']} and at most {query['max']}",
            help="exchange 'min' and 'max'",
        )
    for found in _TEMPLATE.findall(query["query"]):
        if found not in _ARGUMENTS:
            yield Finding(
                rule="analysis-query",
                location=(*location, "query"),
                message=f"nothing fills in {quote(found)}",
                help=f"known are {' and '.join(quote(argument) for argument in _ARGUMENTS)}",
            )
            return
