"""A model's `serve` block → the flags of the server that does what it says, in a cluster or on a laptop."""

from __future__ import annotations

from collections.abc import Iterator

from lockgate.spec.model import Limits, Model, PredictionsLog, Serve

MODEL_FOLDER, CARD_FILE = "/model", "/card.md"
"""Where an image holds its model and the model's card."""

AUTH_FILE = "/etc/lockgate/auth/tokens"
TLS_FOLDER = "/etc/lockgate/tls"


def arguments(serve: Serve) -> tuple[str, ...]:
    """What holds wherever the server runs. A value that might begin with a dash stands behind an equals sign."""
    return (
        "--workers",
        str(serve.workers),
        "--unknown-categories",
        serve.unknown_categories,
        *_limits(serve.limits),
        *_latency(serve),
    )


def cluster_arguments(serve: Serve) -> tuple[str, ...]:
    """What holds only where the cluster's Secrets, storage and collectors are."""
    flags: list[str] = []
    if serve.auth_secret is not None:
        flags += ["--auth-file", AUTH_FILE]
    if serve.tls_secret is not None:
        flags += ["--tls-cert", f"{TLS_FOLDER}/tls.crt", "--tls-key", f"{TLS_FOLDER}/tls.key"]
    if serve.predictions_log is not None:
        flags += _log(serve.predictions_log)
    if serve.tracing is not None:
        flags += ["--trace-sample", number(serve.tracing.sample)]
    return tuple(flags)


def trust(model: Model) -> tuple[str, ...]:
    """The types that the spec trusts in a skops file."""
    return tuple(f"--trust={name}" for name in model.export.trusted)


def number(value: float) -> str:
    """In the fewest digits, and never with an exponent."""
    return f"{value:.12f}".rstrip("0").rstrip(".")


def _limits(limits: Limits) -> Iterator[str]:
    yield from ("--max-body", str(limits.body_bytes))
    yield from ("--max-rows", str(limits.rows))
    yield from ("--max-queue", str(limits.queue_rows))
    yield from ("--timeout", number(limits.timeout_seconds))


def _latency(serve: Serve) -> tuple[str, ...]:
    """The bound that the histogram of latencies must have a bucket at: the SLO's, else the analysis's own."""
    bounds = [serve.slo.latency_p99_seconds if serve.slo is not None else None]
    bounds += [serve.rollout.analysis.latency_p99_max_seconds if serve.rollout.analysis is not None else None]
    bound = next((seconds for seconds in bounds if seconds is not None), None)
    return () if bound is None else ("--slo-latency", number(bound))


def _log(log: PredictionsLog) -> Iterator[str]:
    yield from ("--log-predictions", log.to)
    yield from ("--log-sample", number(log.sample))
    yield from ("--log-keep-days", str(log.keep_days))
    for column in log.leave_out:
        yield f"--log-leave-out={column}"
