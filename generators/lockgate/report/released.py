"""What a record holds → a release as the report tells of it. A record is read as if anybody had written it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NotRequired, TypeAlias, TypedDict

from lockgate.contract import Better, Outcome, Policy
from lockgate.plan.promotion import MetricAnswer as Answer
from lockgate.plan.promotion import MetricChange, ReleasedGate, ReleasedMetric, ReleasedVersion
from lockgate.report.shape import ShapeError, conform
from lockgate.spec.metrics import METRICS


class _Metric(TypedDict):
    value: NotRequired[float | None]
    low: NotRequired[float | None]
    high: NotRequired[float | None]
    better: NotRequired[Better]
    unit: NotRequired[Literal["s", "bytes"]]


class _Gate(TypedDict):
    metric: str
    rule: str
    on_fail: Policy
    outcome: Outcome
    limit: NotRequired[float]
    value: NotRequired[float]
    reason: NotRequired[str]


class _Hashes(TypedDict):
    data: NotRequired[dict[str, str]]


class _Record(TypedDict):
    """The keys of `schema/record.schema.json` that are told."""

    model: str
    version: str
    released: NotRequired[str]
    bump: NotRequired[str]
    reason: NotRequired[str]
    author: NotRequired[str]
    approvers: NotRequired[list[str]]
    report: NotRequired[str]
    image: NotRequired[str]
    verdict: NotRequired[str]
    metrics: NotRequired[dict[str, _Metric | float | None]]
    gates: NotRequired[list[_Gate]]
    hashes: NotRequired[_Hashes]


_Interval: TypeAlias = tuple[float, float]


def released_version(model: str, version: str, block: object) -> ReleasedVersion:
    """The release; where it is not of that model and version, or not of a record's form, its problem alone."""
    try:
        record = conform(block, _Record)
    except ShapeError as error:
        return unreadable_version(model, version, f"is not what a release writes: {error}")
    if (record["model"], record["version"]) != (model, version):
        return unreadable_version(model, version, "is not of the model and version in its name")
    return ReleasedVersion(
        version=version,
        released=record.get("released"),
        bump=record.get("bump"),
        reason=record.get("reason"),
        author=record.get("author"),
        approvers=tuple(record.get("approvers", ())),
        report=record.get("report"),
        image=record.get("image"),
        verdict=record.get("verdict"),
        metrics=tuple(_metric(name, it) for name, it in record.get("metrics", {}).items()),
        gates=tuple(map(_gate, record.get("gates", ()))),
        data=tuple(sorted(record.get("hashes", {}).get("data", {}).items())),
        problems=tuple(_lacking(model, version, record)),
    )


def unreadable_version(model: str, version: str, what: str) -> ReleasedVersion:
    """A version of which nothing can be told; `what` follows the record's path in a sentence."""
    return ReleasedVersion(version=version, problems=(f"registry/{model}/{version}.yaml {what}.",))


def metric_changes(before: ReleasedVersion | None, after: ReleasedVersion | None) -> tuple[MetricChange, ...]:
    """Every metric of either, those that a gate of the later one judges first."""
    old = {it.name: it for it in before.metrics} if before else {}
    new = {it.name: it for it in after.metrics} if after else {}
    gated = [gate.metric for gate in after.gates] if after else []
    names = (name for name in dict.fromkeys((*gated, *new, *old)) if name in old or name in new)
    return tuple(_change(name, old.get(name), new.get(name)) for name in names)


def _lacking(model: str, version: str, record: _Record) -> Iterator[str]:
    lacking = [key for key in ("released", "author", "metrics") if not record.get(key)]
    if lacking:
        yield f"registry/{model}/{version}.yaml does not say: {', '.join(lacking)}."


def _metric(name: str, block: _Metric | float | None) -> ReleasedMetric:
    said = block if isinstance(block, dict) else _Metric(value=block)
    known = METRICS.get(name)
    return ReleasedMetric(
        name=name,
        value=said.get("value"),
        low=said.get("low"),
        high=said.get("high"),
        better=said.get("better") or (known.better if known else None),
        unit=said.get("unit") or (known.unit if known else ""),
    )


def _gate(block: _Gate) -> ReleasedGate:
    known = METRICS.get(block["metric"])
    return ReleasedGate(
        metric=block["metric"],
        rule=block["rule"],
        limit=block.get("limit"),
        value=block.get("value"),
        unit=known.unit if known else "",
        on_fail=block["on_fail"],
        outcome=block["outcome"],
        reason=block.get("reason"),
    )


def _change(name: str, before: ReleasedMetric | None, after: ReleasedMetric | None) -> MetricChange:
    old, new = before.value if before else None, after.value if after else None
    difference = None if old is None or new is None else new - old
    answer = _answer(before, after, difference) if before and after and difference is not None else None
    return MetricChange(name=name, before=before, after=after, difference=difference, answer=answer)


def _answer(before: ReleasedMetric, after: ReleasedMetric, difference: float) -> Answer | None:
    """Each was measured on its own holdout, so intervals that are apart tell of a difference, and others of nothing."""
    better = after.better or before.better
    if better is None:
        return None
    if difference == 0:
        return "equal"
    is_better = (difference > 0) == (better == "higher")
    intervals = _interval(before), _interval(after)
    if intervals[0] is None or intervals[1] is None:
        return "better by value" if is_better else "worse by value"
    if _overlap(intervals[0], intervals[1]):
        return "intervals overlap"
    return "better" if is_better else "worse"


def _interval(metric: ReleasedMetric) -> _Interval | None:
    return None if metric.low is None or metric.high is None else (metric.low, metric.high)


def _overlap(first: _Interval, second: _Interval) -> bool:
    return first[0] <= second[1] and second[0] <= first[1]
