"""What moving a pin brings or takes away, and the release that follows a merge: plain data. Reads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from lockgate.contract import Better, Outcome, Policy

Direction: TypeAlias = Literal["first release", "promotion", "rollback", "withdrawal"]
MetricAnswer: TypeAlias = Literal[
    "equal", "better", "worse", "intervals overlap", "better by value", "worse by value"
]
Promote: TypeAlias = Literal["automatic", "pull-request"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleasedMetric:
    """A metric on the holdout of its release. What could not be computed is None; `unit` is "" for a plain number."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    better: Better | None
    unit: Literal["", "s", "bytes"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleasedGate:
    """A gate and what came of it when the version was released; limit and value are in `unit`."""

    metric: str
    rule: str
    limit: float | None
    value: float | None
    unit: Literal["", "s", "bytes"]
    on_fail: Policy
    outcome: Outcome
    reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Incident:
    """A mark that keeps a version from being promoted; `override` is why it may be all the same, None where it may not.

    `evidence` is what was seen, by name.
    """

    environment: str
    reason: str
    time: str
    evidence: tuple[tuple[str, str], ...]
    override: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleasedVersion:
    """A release as its record tells of it; what the record does not say is None or empty.

    `problems` are sentences on what is missing or cannot be read. `data` is DVC's hashes of what it was made of.
    """

    version: str
    released: str | None = None
    bump: str | None = None
    reason: str | None = None
    author: str | None = None
    approvers: tuple[str, ...] = ()
    report: str | None = None
    image: str | None = None
    verdict: str | None = None
    metrics: tuple[ReleasedMetric, ...] = ()
    gates: tuple[ReleasedGate, ...] = ()
    data: tuple[tuple[str, str], ...] = ()
    incident: Incident | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricChange:
    """A metric of what is live and of what comes; None on the side whose record lacks it.

    `difference` is after minus before. `answer` is "better" or "worse" only where the intervals are apart; where a side
    has no interval it is said of the values alone.
    """

    name: str
    before: ReleasedMetric | None
    after: ReleasedMetric | None
    difference: float | None
    answer: MetricAnswer | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RequirementEffect:
    """An environment in which the version has to have been live for `soak_seconds`.

    `since` is when it first was, in UTC; None where it never was. It was live for `live_seconds` in all.
    """

    environment: str
    is_met: bool
    since: str | None
    live_seconds: float
    soak_seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PromotionEffect:
    """A pin that moves; a version is None where nothing was or will be live, and so is its release.

    `live_since` is when the old version became live, as far as Git knows. `between` are the releases that come with the
    new version or go with the old one, that one among them, the newest first; `untold` are as many more of them.
    `was_live_before` is whether the new version is back: then it need not meet requirements again.
    `reviewers` are those who own what the environment deploys, as the base has it. `notes` are sentences on what could
    not be looked up.
    """

    model: str
    environment: str
    direction: Direction
    old: str | None
    new: str | None
    live_since: str | None
    before: ReleasedVersion | None
    after: ReleasedVersion | None
    metrics: tuple[MetricChange, ...]
    between: tuple[ReleasedVersion, ...]
    untold: int
    requirements: tuple[RequirementEffect, ...]
    was_live_before: bool
    promote: Promote
    reviewers: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class NextPromotion:
    """The promotion that a release leads to in one environment, once its requirements are met."""

    environment: str
    promote: Promote
    reviewers: tuple[str, ...]
    requires: tuple[str, ...]
    soak_seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseEffect:
    """What becomes of a model's version after the merge; `newest` is the newest release, None where there is none.

    `outcome` is "released" where the artifact is a new one, "unchanged" where it is that of `newest`, and "depends"
    where nothing is made yet. `version` is None where it cannot be told, and `reason` says why it is what it is or
    cannot be told. `image` is where its image goes, None where the workflow builds none: then nothing is promoted.
    """

    model: str
    newest: str | None
    outcome: Literal["released", "unchanged", "depends"]
    version: str | None
    reason: str
    image: str | None
    promotions: tuple[NextPromotion, ...]
