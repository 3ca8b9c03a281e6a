"""What the command line says, checked and typed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from lockgate_runtime.server.limits import Limits

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class PredictionLog:
    """Where a share of the predictions is kept; `keep_days` is None for ever."""

    to: str
    share: float = 0.01
    keep_days: int | None = None
    leave_out: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """`timeout_seconds` is for a request that waits for the model, `drain_seconds` for all of them at the end."""

    model: Path
    version: str = "unreleased"
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    artifact_sha256: str | None = None
    trusted: tuple[str, ...] = ()
    card: Path | None = None
    unknown_categories: Literal["accept", "refuse"] = "accept"
    most_rows: int = 10_000
    most_queued_rows: int = 4096
    timeout_seconds: float = 10.0
    slo_seconds: float | None = None
    auth_file: Path | None = None
    tls: tuple[Path, Path] | None = None
    prediction_log: PredictionLog | None = None
    trace_share: float = 0.01
    drain_seconds: float = 30.0
    monitoring: bool = True
    limits: Limits = field(default_factory=Limits)
