"""Why a rollout failed, as far as the cluster tells: analysis runs, warnings, its own words. Bounded in every way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lockgate.cluster.client import Cluster, ClusterError
from lockgate.cluster.errors import one_line
from lockgate.cluster.reading import Document, blocks, text, whole
from lockgate.cluster.states import Course
from lockgate.tuples import NamedTuple

_MOST_ANALYSES = 20
_MOST_VALUES = 5
_MOST_WARNINGS = 10
_MOST_TIMES = 1_000_000
_LONGEST = 200
_URGENCY = ("Failed", "Error", "Inconclusive", "Running", "Pending")
_REVISION = "rollout.argoproj.io/revision"


class Analysis(NamedTuple):
    """What became of one metric in one run; `values` are the last ones that were measured, the newest last."""

    run: str
    metric: str
    phase: str
    message: str
    values: tuple[str, ...]


class Warned(NamedTuple):
    """A warning that the cluster keeps about the object, and how often it came."""

    reason: str
    message: str
    times: int
    last: str


class Evidence(NamedTuple):
    """`gaps` says what could not be read."""

    message: str
    analyses: tuple[Analysis, ...] = ()
    warnings: tuple[Warned, ...] = ()
    gaps: tuple[str, ...] = ()


def gather(cluster: Cluster, workload: Document, course: Course) -> Evidence:
    """A right that is missing here keeps nobody from rolling back: it leaves a gap."""
    gaps: list[str] = []
    analyses: tuple[Analysis, ...] = ()
    warnings: tuple[Warned, ...] = ()
    try:
        analyses = _analyses(cluster, workload, course)
    except ClusterError as error:
        gaps.append(f"analysis runs: {error.message}")
    try:
        warnings = _warnings(cluster, workload)
    except ClusterError as error:
        gaps.append(f"events: {error.message}")
    return Evidence(course.word, analyses, warnings, tuple(gaps))


def as_block(evidence: Evidence) -> dict[str, Any]:
    """As JSON and YAML have it, without what is empty."""
    found: dict[str, Any] = {
        "message": evidence.message,
        "analyses": [{**it._asdict(), "values": list(it.values)} for it in evidence.analyses],
        "warnings": [it._asdict() for it in evidence.warnings],
        "gaps": list(evidence.gaps),
    }
    return {key: value for key, value in found.items() if value}


def from_block(document: Mapping[str, Any]) -> Evidence:
    """Of what somebody wrote: whatever is there of the right type, bounded as if the cluster had said it."""
    gaps = document.get("gaps")
    return Evidence(
        message=text(document, "message"),
        analyses=tuple(_analysis(it) for it in blocks(document, "analyses")[:_MOST_ANALYSES]),
        warnings=tuple(_warned(it) for it in blocks(document, "warnings")[:_MOST_WARNINGS]),
        gaps=tuple(_short(it) for it in gaps[:2] if isinstance(it, str)) if isinstance(gaps, list) else (),
    )


def _analyses(cluster: Cluster, workload: Document, course: Course) -> tuple[Analysis, ...]:
    if not course.pod_hash:
        return ()
    runs = cluster.list(
        workload["apiVersion"],
        "AnalysisRun",
        text(workload, "metadata", "namespace"),
        f"rollouts-pod-template-hash={course.pod_hash}",
    )
    found = [it for run in runs if _is_of(run, workload, course.revision) for it in _metrics(run)]
    return tuple(sorted(found, key=_urgency)[:_MOST_ANALYSES])


def _is_of(run: Document, workload: Document, revision: str) -> bool:
    owners = {text(it, "name") for it in blocks(run, "metadata", "ownerReferences")}
    own = text(run, "metadata", "annotations", _REVISION)
    return text(workload, "metadata", "name") in owners and own in ("", revision)


def _metrics(run: Document) -> Iterator[Analysis]:
    name = text(run, "metadata", "name")
    results = blocks(run, "status", "metricResults")
    if not results:
        yield Analysis(name, "", text(run, "status", "phase"), _short(text(run, "status", "message")), ())
    for result in results:
        measured = [text(it, "value") or text(it, "message") for it in blocks(result, "measurements")]
        yield _analysis({**result, "run": name, "metric": result.get("name"), "values": measured})


def _analysis(fields: Mapping[str, Any]) -> Analysis:
    values = fields.get("values")
    return Analysis(
        run=_short(text(fields, "run")),
        metric=_short(text(fields, "metric")),
        phase=_short(text(fields, "phase")),
        message=_short(text(fields, "message")),
        values=tuple(_short(it) for it in _texts(values)[-_MOST_VALUES:]),
    )


def _warnings(cluster: Cluster, workload: Document) -> tuple[Warned, ...]:
    name, namespace = text(workload, "metadata", "name"), text(workload, "metadata", "namespace")
    about = f"involvedObject.kind={workload['kind']},involvedObject.name={name},type=Warning"
    events = cluster.list("v1", "Event", namespace, fields=about)
    found = [_warned({**it, "times": it.get("count"), "last": _last(it)}) for it in events]
    return tuple(sorted(found, key=lambda it: it.last)[-_MOST_WARNINGS:])


def _warned(fields: Mapping[str, Any]) -> Warned:
    return Warned(
        reason=_short(text(fields, "reason")),
        message=_short(text(fields, "message")),
        times=min(max(whole(fields, "times") or 1, 1), _MOST_TIMES),
        last=_short(text(fields, "last")),
    )


def _last(event: Document) -> str:
    series = text(event, "series", "lastObservedTime")
    return series or text(event, "lastTimestamp") or text(event, "eventTime")


def _urgency(analysis: Analysis) -> tuple[int, str, str]:
    place = _URGENCY.index(analysis.phase) if analysis.phase in _URGENCY else len(_URGENCY)
    return place, analysis.run, analysis.metric


def _texts(values: object) -> list[str]:
    return [it for it in values if isinstance(it, str)] if isinstance(values, Iterable) else []


def _short(words: str) -> str:
    words = one_line(words)
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
