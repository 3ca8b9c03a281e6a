"""Rules about serving, for the model's own block and for what each environment makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from lockgate.diagnostics import Finding
from lockgate.spec import units
from lockgate.spec.build import served_in
from lockgate.spec.build_serving import rollout_block
from lockgate.spec.rules.rollouts import check_rollout
from lockgate.spec.validate import quote, suggest

Block: TypeAlias = Mapping[str, Any]
Location: TypeAlias = tuple[str | int, ...]

# The fastest burn that pages somebody, by the common multi-window rules for 30 days.
_FASTEST_BURN = Decimal("14.4")


def check(filled: Block, written: Block) -> Iterator[Finding]:
    for name, model in filled["models"].items():
        if "serve" in model:
            yield from _serve(model["serve"], model, ("models", name, "serve"))
    for environment, block in filled["environments"].items():
        yield from _changes(environment, block, filled, written)


def _changes(environment: str, block: Block, filled: Block, written: Block) -> Iterator[Finding]:
    for name in block["models"]:
        if name in written["models"] and "serve" in block["models"][name]:
            serve = served_in(block, name, written)
            if serve is not None:
                location = ("environments", environment, "models", name, "serve")
                yield from _serve(serve, filled["models"][name], location)


def _serve(serve: Block, model: Block, location: Location) -> Iterator[Finding]:
    yield from _pods(serve, location)
    yield from _slo(serve, (*location, "slo"))
    yield from _scaling(serve["scaling"], (*location, "scaling"))
    yield from _left_out(serve, model["data"], (*location, "predictions_log", "leave_out"))
    yield from _gateway(serve, location)
    yield from check_rollout(serve, (*location, "rollout"))
    if serve["platform"] == "kserve":
        yield from _kserve(serve, location)


def _pods(serve: Block, location: Location) -> Iterator[Finding]:
    replicas, resources = serve["replicas"], serve["resources"]
    if replicas["min"] > replicas["max"]:
        yield Finding(
            rule="empty-range",
            location=(*location, "replicas", "min"),
            message=f"at least {replicas['min']} pods and at most {replicas['max']} cannot both hold",
            help="raise 'max' or lower 'min'; what is not given has a default, see 'lockgate explain'",
        )
    if units.cpu_cores(resources["cpu"]) > units.cpu_cores(resources["cpu_limit"]):
        yield Finding(
            rule="empty-range",
            location=(*location, "resources", "cpu"),
            message=f"a pod is promised {resources['cpu']} CPU and may use {resources['cpu_limit']}",
            help="raise 'cpu_limit' or lower 'cpu'",
        )


def _slo(serve: Block, location: Location) -> Iterator[Finding]:
    slo: Block = serve.get("slo", {})
    budget = 1 - Decimal(str(slo.get("availability", 100))) / 100
    if budget * _FASTEST_BURN >= 1:
        yield Finding(
            rule="slo-impossible",
            location=(*location, "availability"),
            message=f"with {slo['availability']} % not even an outage burns the budget {_FASTEST_BURN} times too fast,"
            " so nobody would be paged",
            help="promise at least 93.1 %",
        )
    timeout = serve["limits"]["timeout"]
    if "latency_p99" in slo and units.seconds(slo["latency_p99"]) > units.seconds(timeout):
        yield Finding(
            rule="slo-impossible",
            location=(*location, "latency_p99"),
            message=f"answers may take {slo['latency_p99']}, and the server gives up after {timeout}",
            help="promise less than 'limits.timeout', or raise that",
        )


def _scaling(scaling: str | Block, location: Location) -> Iterator[Finding]:
    if not isinstance(scaling, str) and scaling["to_zero"] and "demand" not in scaling:
        yield Finding(
            rule="scale-to-zero",
            location=(*location, "to_zero"),
            message="where no pod runs none counts requests, and so nothing would ever start one again",
            help="add 'demand', a query for the requests that are counted before the pods; or leave a pod running",
        )


def _left_out(serve: Block, data: Block, location: Location) -> Iterator[Finding]:
    """A column that is misspelt here would be logged."""
    for index, column in enumerate(serve.get("predictions_log", {}).get("leave_out", [])):
        if column not in data.get("columns", [column]):
            yield Finding(
                rule="unknown-column",
                location=(*location, index),
                message=f"no feature is called {quote(column)}",
                help=suggest(column, data["columns"]) or "take it out: what is no feature is not kept",
            )


def _gateway(serve: Block, location: Location) -> Iterator[Finding]:
    if not isinstance(serve["traffic"], str) and "tls" in serve:
        yield Finding(
            rule="gateway-tls",
            location=(*location, "tls"),
            at_key=True,
            message="a gateway calls the server in plain HTTP, and 'tls' lets it speak nothing but HTTPS",
            help="take 'tls' out and let the gateway's listener hold the certificate, or take the gateway out",
        )


def _kserve(serve: Block, location: Location) -> Iterator[Finding]:
    strategy = rollout_block(serve)["strategy"]
    cannot = {
        "rollout": f"be rolled out as {strategy}" if strategy != "rolling" else "",
        "traffic": "" if isinstance(serve["traffic"], str) else "be given a route of Lockgate's",
        "scaling": "" if isinstance(serve["scaling"], str) else "be scaled by requests",
        "tls": "be called in HTTPS by KServe's own route" if "tls" in serve else "",
    }
    for key, what in cannot.items():
        if what:
            yield Finding(
                rule="kserve-limit",
                location=(*location, key),
                at_key=True,
                message=f"an InferenceService in Standard mode cannot {what}",
                help=f"take {key!r} out, or make the platform kubernetes",
            )
