"""A model's `serve` block with its defaults → Serve. What follows from another word of the block is filled in here."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from lockgate.spec import model as m
from lockgate.spec import units
from lockgate.spec.schema import fill_block

Block: TypeAlias = Mapping[str, Any]

_DEFAULT_WEIGHTS = (10, 25, 50)
_FIRST_CAUTIOUS_WEIGHT = 1
_DEFAULT_PAUSE_SECONDS = 600


def serve(block: Block) -> m.Serve:
    replicas, resources = block["replicas"], block["resources"]
    return m.Serve(
        replicas_min=replicas["min"],
        replicas_max=replicas["max"],
        target_cpu_percent=block["target_cpu"],
        scaling=_scaling(block["scaling"]),
        cpu=resources["cpu"],
        cpu_limit=resources["cpu_limit"],
        memory=resources["memory"],
        workers=block["workers"],
        limits=_limits(block["limits"]),
        unknown_categories=block["unknown_categories"],
        auth_secret=block["auth"]["secret"] if "auth" in block else None,
        tls_secret=block["tls"]["secret"] if "tls" in block else None,
        predictions_log=_predictions_log(block["predictions_log"]) if "predictions_log" in block else None,
        tracing=m.Tracing(**block["tracing"]) if "tracing" in block else None,
        clients=tuple(block["clients"]),
        gateway=_gateway(block["traffic"]),
        platform=block["platform"],
        slo=_slo(block["slo"]) if "slo" in block else None,
        rollout=_rollout(block),
        pod=block["pod"],
    )


def _scaling(block: str | Block) -> m.RequestScaling | None:
    if isinstance(block, str):
        return None
    return m.RequestScaling(
        requests_per_second=block["requests_per_second"],
        demand=block.get("demand"),
        to_zero=block["to_zero"],
    )


def _limits(block: Block) -> m.Limits:
    return m.Limits(
        body_bytes=units.memory_bytes(block["body"]),
        rows=block["rows"],
        queue_rows=block["queue"],
        timeout_seconds=units.seconds(block["timeout"]),
    )


def _predictions_log(block: Block) -> m.PredictionsLog:
    return m.PredictionsLog(
        to=block["to"],
        sample=block["sample"],
        keep_days=units.days(block["keep"]),
        leave_out=tuple(block["leave_out"]),
    )


def _gateway(block: str | Block) -> m.Gateway | None:
    if isinstance(block, str):
        return None
    return m.Gateway(
        name=block["gateway"],
        namespace=block["namespace"],
        hostname=block["hostname"],
        router=block["router"],
    )


def _slo(block: Block) -> m.Slo:
    return m.Slo(
        availability_percent=Decimal(str(block["availability"])),
        latency_p99_seconds=units.seconds(block["latency_p99"]) if "latency_p99" in block else None,
        min_requests_per_second=block["min_requests_per_second"],
    )


def rollout_block(serve: Block) -> Block:
    """The rollout as a map, of whichever form the spec has it in."""
    block: str | Block = serve["rollout"]
    return {"strategy": block} if isinstance(block, str) else block


def _rollout(serve: Block) -> m.Rollout:
    block = rollout_block(serve)
    strategy = block["strategy"]
    return m.Rollout(
        strategy=strategy,
        steps=_steps(block, serve) if strategy in ("canary", "cautious") else (),
        test_seconds=_test_seconds(block) if strategy == "cautious" else 0,
        analysis=_analysis(block, serve) if strategy != "rolling" else None,
        shadow=_shadow(block) if strategy == "cautious" and is_behind_istio(serve) else None,
    )


def is_behind_istio(serve: Block) -> bool:
    """Whether what shares the traffic out can copy requests."""
    traffic: str | Block = serve["traffic"]
    return not isinstance(traffic, str) and traffic["router"] == "istio"


def _shadow(block: Block) -> m.Shadow | None:
    written: str | Block = block.get("shadow", fill_block("shadow", {}))
    if isinstance(written, str):
        return None
    return m.Shadow(seconds=round(units.seconds(written["for"])), percent=written["percent"])


def _test_seconds(block: Block) -> int:
    return round(units.seconds(block["test"])) if "test" in block else _DEFAULT_PAUSE_SECONDS


def _steps(block: Block, serve: Block) -> tuple[m.RolloutStep, ...]:
    if "steps" not in block:
        weights = _default_weights(block["strategy"], serve)
        return tuple(
            m.RolloutStep(weight_percent=weight, pause_seconds=_DEFAULT_PAUSE_SECONDS) for weight in weights
        )
    return tuple(
        m.RolloutStep(weight_percent=step["weight"], pause_seconds=round(units.seconds(step["pause"])))
        for step in block["steps"]
    )


def _default_weights(strategy: m.Strategy, serve: Block) -> tuple[int, ...]:
    """Without a gateway, those that are at least one whole replica of the fewest and leave at least one."""
    if isinstance(serve["traffic"], str):
        replicas_min = serve["replicas"]["min"]
        return tuple(weight for weight in _DEFAULT_WEIGHTS if weight * replicas_min >= 100)
    return (_FIRST_CAUTIOUS_WEIGHT, *_DEFAULT_WEIGHTS) if strategy == "cautious" else _DEFAULT_WEIGHTS


def _analysis(block: Block, serve: Block) -> m.Analysis | None:
    """None where neither the rollout nor an SLO says what to hold it to."""
    slo: Block = serve.get("slo", {})
    if "analysis" not in block and not slo:
        return None
    written: Block = block.get("analysis", fill_block("analysis", {}))
    success = written.get("success_rate", {}).get("min", slo.get("availability"))
    latency = written.get("latency_p99", {}).get("max", slo.get("latency_p99"))
    psi: str | Block = written["prediction_psi"]
    return m.Analysis(
        success_rate_min_percent=Decimal(str(success)) if success is not None else None,
        latency_p99_max_seconds=units.seconds(latency) if latency is not None else None,
        prediction_psi=m.PsiLimit(max=psi["max"], min_samples=psi["min_samples"])
        if not isinstance(psi, str)
        else None,
        queries={name: _query(query) for name, query in written["queries"].items()},
    )


def _query(block: Block) -> m.Query:
    return m.Query(query=block["query"], min=block.get("min"), max=block.get("max"), reason=block["reason"])
