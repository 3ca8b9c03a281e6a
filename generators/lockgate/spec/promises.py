"""Gates that a model has without naming them: what its SLO promises is measured before it is merged."""

from __future__ import annotations

from collections.abc import Mapping

from lockgate.spec.model import Gate, Model

SERVED_LATENCY = "served_latency_p99"


def promised_seconds(model: Model) -> float | None:
    """The time within which the model's SLO wants 99 of 100 requests answered."""
    slo = model.serve.slo if model.serve is not None else None
    return None if slo is None else slo.latency_p99_seconds


def with_promises(model: Model) -> Mapping[str, Gate]:
    """The model's gates, and the promise as one that blocks where the spec has none of its own on that metric."""
    seconds = promised_seconds(model)
    if seconds is None:
        return model.gates
    promise = Gate(min=None, max=seconds, max_drop=None, on_fail="block")
    return {SERVED_LATENCY: promise, **model.gates}
