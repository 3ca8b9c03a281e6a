"""Pins that move and releases that follow, made by hand, as the command line gathers them."""

from __future__ import annotations

from dataclasses import replace

from tests.report.report_changes import EFFECTS, NO_EFFECTS

from lockgate.plan.merge import MergeEffects
from lockgate.plan.promotion import (
    Incident,
    NextPromotion,
    PromotionEffect,
    ReleasedVersion,
    ReleaseEffect,
    RequirementEffect,
)
from lockgate.report.released import metric_changes, released_version

_METRICS = {
    "1.2.0": {
        "roc_auc": {"value": 0.7081, "low": 0.7002, "high": 0.716, "better": "higher"},
        "log_loss": {"value": 0.4975, "low": 0.4921, "high": 0.5029, "better": "lower"},
        "latency_p99": {"value": 0.0031, "better": "lower", "unit": "s"},
        "recall": {"value": 0.211, "better": "higher"},
    },
    "1.3.0": {
        "roc_auc": {"value": 0.7312, "low": 0.7235, "high": 0.7389, "better": "higher"},
        "log_loss": {"value": 0.4981, "low": 0.4927, "high": 0.5035, "better": "lower"},
        "latency_p99": {"value": 0.0042, "better": "lower", "unit": "s"},
        "f1": {"value": None, "better": "higher"},
    },
}
_GATES = [
    {
        "metric": "roc_auc",
        "rule": "min",
        "limit": 0.7,
        "value": 0.7312,
        "on_fail": "block",
        "outcome": "pass",
        "reason": "0.731 is at least 0.700, and so is the whole interval",
    },
    {
        "metric": "latency_p99",
        "rule": "max",
        "limit": 0.005,
        "value": 0.0042,
        "on_fail": "block",
        "outcome": "pass",
    },
    {
        "metric": "expected_calibration_error",
        "rule": "max",
        "limit": 0.02,
        "value": 0.0231,
        "on_fail": "warn",
        "outcome": "warn",
        "reason": "0.0231 is more than 0.0200",
    },
    {
        "metric": "scan",
        "rule": "scan",
        "on_fail": "block",
        "outcome": "pass",
        "reason": "the scan found nothing",
    },
]


def released(version: str, day: int, measured: str = "1.2.0", **others: object) -> ReleasedVersion:
    """A version from a whole record, with the metrics of one of the two that are measured."""
    block = {
        "model": "flight-delay",
        "version": version,
        "released": f"2026-10-{day:02}T02:00:00Z",
        "bump": "minor",
        "reason": "the code or the settings that the model is made of changed",
        "author": "Ada <ada@example.com>",
        "approvers": ["grace"],
        "report": f"https://github.com/acme/flights/pull/{day}",
        "image": "ghcr.io/acme/flight-delay@sha256:" + "b" * 64,
        "verdict": "pass",
        "metrics": _METRICS[measured],
        "gates": _GATES,
        "hashes": {"model": "0" * 32 + ".dir", "data": {"data/flights.csv": f"{day:032}"}},
    }
    return released_version("flight-delay", version, {**block, **others})


LIVE = released("1.2.0", 2)
PATCHED = replace(released("1.2.1", 9), bump="patch", reason="only the data or the locked requirements moved")
NEXT = released("1.3.0", 16, "1.3.0")
INCIDENT = Incident(
    environment="production",
    reason="error rate 4.1 % against 0.2 %",
    time="2026-10-20T03:12:00Z",
    evidence=(("errors", "0.041"), ("stable errors", "0.002")),
    override=None,
)
PROMOTION = PromotionEffect(
    model="flight-delay",
    environment="production",
    direction="promotion",
    old="1.2.0",
    new="1.3.0",
    live_since="2026-10-05T02:00:00Z",
    before=LIVE,
    after=NEXT,
    metrics=metric_changes(LIVE, NEXT),
    between=(NEXT, PATCHED),
    untold=0,
    requirements=(
        RequirementEffect(
            environment="staging",
            is_met=True,
            since="2026-10-16T03:00:00Z",
            live_seconds=187_200,
            soak_seconds=86_400,
        ),
    ),
    was_live_before=False,
    promote="pull-request",
    reviewers=("@acme/ml", "@grace"),
    notes=(),
)
REJECTED = replace(NEXT, incident=INCIDENT)
ROLLBACK = replace(
    PROMOTION,
    direction="rollback",
    old="1.3.0",
    new="1.2.0",
    before=REJECTED,
    after=LIVE,
    metrics=metric_changes(REJECTED, LIVE),
    between=(REJECTED, PATCHED),
    was_live_before=True,
)
FIRST = replace(
    PROMOTION,
    direction="first release",
    old=None,
    live_since=None,
    before=None,
    metrics=metric_changes(None, NEXT),
    requirements=(),
    promote="automatic",
    reviewers=(),
)
WITHDRAWAL = replace(
    PROMOTION,
    direction="withdrawal",
    new=None,
    after=None,
    metrics=(),
    between=(),
    requirements=(),
    reviewers=(),
)
RELEASE = ReleaseEffect(
    model="flight-delay",
    newest="1.3.0",
    outcome="released",
    version="1.4.0",
    reason="minor: the code or the settings that the model is made of changed",
    image="ghcr.io/acme/flight-delay",
    promotions=(
        NextPromotion(environment="staging", promote="automatic", reviewers=(), requires=(), soak_seconds=0),
        NextPromotion(
            environment="production",
            promote="pull-request",
            reviewers=("@acme/ml",),
            requires=("staging",),
            soak_seconds=86_400,
        ),
    ),
)


def moving(*effects: PromotionEffect) -> MergeEffects:
    """A change of nothing but these pins, with the manifests of the usual one."""
    return replace(
        NO_EFFECTS,
        promotions=effects,
        manifests=EFFECTS.manifests[:1],
        environments=EFFECTS.environments[:1],
        idle_files=(),
    )
