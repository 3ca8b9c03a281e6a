"""A pin that moves: what is live against what comes, why it may, who decides, and all that was released in between."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from lockgate.plan.merge import MergeEffects
from lockgate.plan.promotion import (
    Direction,
    MetricAnswer,
    MetricChange,
    PromotionEffect,
    ReleasedGate,
    ReleasedMetric,
    ReleasedVersion,
)
from lockgate.report.document import Block, Cell, Section, Table, Text, Tone, cells, headings
from lockgate.report.numbers import ABSENT, Scale, scale_for, show, show_change, show_interval
from lockgate.report.promotions import remarks
from lockgate.report.sections.gates import LIMIT_MARKS, POLICIES, TONES
from lockgate.report.text import clean, plural

_OPEN_PINS, _OPEN_RELEASES = 3, 10
_IMAGE_SHOWN = 12
# What is told of many releases; whole it is in the record.
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)T[0-9:]{8}Z")
_NAME = re.compile(r"([^<>]*[^<> ]) <[^<>]*>")
_PULL_REQUEST = re.compile(r"https://[^/]+/[^/]+/[^/]+/(pull/\d+)")
_TITLES: Mapping[Direction, str] = {
    "first release": "First release",
    "promotion": "Promotion",
    "rollback": "Rollback",
    "withdrawal": "Withdrawal",
}
_VERDICT_TONES: Mapping[str, Tone] = {"pass": "pass", "warn": "warn"}
_ANSWER_TONES: Mapping[MetricAnswer, Tone] = {
    "equal": "",
    "better": "pass",
    "worse": "warn",
    "intervals overlap": "muted",
    "better by value": "",
    "worse by value": "",
}


def promotion_sections(effects: MergeEffects | None) -> tuple[tuple[Section, ...], ...]:
    """For each pin that moves its section, and after it what was released in between."""
    moving = effects.promotions if effects else ()
    return tuple(tuple(_sections(effect, position)) for position, effect in enumerate(moving))


def _sections(effect: PromotionEffect, position: int) -> Iterator[Section]:
    is_late = position >= _OPEN_PINS
    blocks = (*_remarks(effect), *_metrics(effect), *_gates(effect.after), *_versions(effect))
    yield Section(title=_title(effect), blocks=blocks, folded=is_late)
    if effect.between:
        is_long = len(effect.between) > _OPEN_RELEASES
        yield Section(title=_between_title(effect), blocks=_between(effect), folded=is_late or is_long)


def _title(effect: PromotionEffect) -> str:
    versions = " → ".join(it for it in (effect.old, effect.new) if it)
    return clean(f"{_TITLES[effect.direction]}: {effect.model} {versions} in {effect.environment}")


def _remarks(effect: PromotionEffect) -> Iterator[Block]:
    for remark in remarks(effect):
        yield Text(text=remark.text, tone=remark.weight)


def _versions(effect: PromotionEffect) -> Iterator[Block]:
    live, coming = effect.before, effect.after
    since = Cell(text=clean(effect.live_since or ABSENT))
    sides = (clean(f"Live now: {effect.old or 'nothing'}"), clean(f"Next: {effect.new or 'nothing'}"))
    rows = (
        (Cell(text="Live here since"), since, Cell(text=ABSENT)),
        *(
            (Cell(text=name), told(live), told(coming))
            for name, told in _FACTS.items()
            if {told(live).text, told(coming).text} != {ABSENT}
        ),
    )
    yield Table(caption="The two versions", headings=headings(("", *sides)), rows=rows, shown=len(rows))


def _said(value: Callable[[ReleasedVersion], str | None]) -> Callable[[ReleasedVersion | None], Cell]:
    return lambda release: Cell(text=clean((value(release) if release else None) or ABSENT))


def _verdict(release: ReleasedVersion | None) -> Cell:
    verdict = release.verdict if release else None
    if not verdict:
        return Cell(text=ABSENT)
    return Cell(text=clean(verdict), kind="badge", tone=_VERDICT_TONES.get(verdict, "fail"))


def _image(release: ReleasedVersion | None) -> Cell:
    if release is None or not release.image:
        return Cell(text=ABSENT)
    name, at, digest = clean(release.image).partition("@sha256:")
    return Cell(text=f"{name}{at}{digest[:_IMAGE_SHOWN]}…", kind="code")


def _report(release: ReleasedVersion | None) -> Cell:
    found = release.report if release else None
    return Cell(text=clean(found), kind="code") if found else Cell(text=ABSENT)


_FACTS: Mapping[str, Callable[[ReleasedVersion | None], Cell]] = {
    "Released": _said(lambda it: it.released),
    "Why this version": _said(lambda it: f"{it.bump}: {it.reason}" if it.bump else it.reason),
    "Verdict at its release": _verdict,
    "Author": _said(lambda it: it.author),
    "Approved by": _said(lambda it: ", ".join(it.approvers)),
    "Image": _image,
    "Report": _report,
}


def _metrics(effect: PromotionEffect) -> Iterator[Block]:
    if not effect.metrics:
        return
    yield Text(text=_lead(effect))
    live, coming = (clean(f"{it} [interval]") for it in (effect.old, effect.new))
    if effect.old is None:
        titles, rows = headings(("Metric",), (coming,)), tuple(map(_first_row, effect.metrics))
    else:
        titles = headings(("Metric",), (live, coming, "Difference")) + headings(("Answer",))
        rows = tuple(map(_metric_row, effect.metrics))
    yield Table(
        caption="Metrics at release",
        headings=titles + headings(("Better is",)),
        rows=rows,
        shown=25,
    )


def _lead(effect: PromotionEffect) -> str:
    before, after = effect.before, effect.after
    if before is None or after is None:
        return "What is to be live, as measured on the holdout of its release."
    data = ""
    if before.data and after.data:
        data = " Both were made of the same data." if before.data == after.data else " Their data differ."
    return (
        "Each version as measured on the holdout of its own release: two measurements, not two models on the same "
        f"rows.{data} Better or worse is said where the intervals in brackets are apart, and of a metric without "
        "intervals by its values."
    )


def _first_row(change: MetricChange) -> tuple[Cell, ...]:
    row = _metric_row(change)
    return row[0], row[2], row[-1]


def _metric_row(change: MetricChange) -> tuple[Cell, ...]:
    sides = [it for it in (change.before, change.after) if it is not None]
    numbers = [number for it in sides for number in (it.value, it.low, it.high)]
    better = next((it.better for it in reversed(sides) if it.better), None)
    scale = scale_for(numbers, sides[-1].unit, change.difference)
    return (
        Cell(text=clean(change.name), kind="code"),
        Cell(text=_shown(change.before, scale)),
        Cell(text=_shown(change.after, scale)),
        Cell(text=show_change(change.difference, scale)),
        _answer(change),
        Cell(text=better or ABSENT),
    )


def _shown(metric: ReleasedMetric | None, scale: Scale) -> str:
    return ABSENT if metric is None else show_interval(metric.value, metric.low, metric.high, scale)


def _answer(change: MetricChange) -> Cell:
    if change.before is None or change.after is None:
        return Cell(text="new" if change.before is None else "gone", tone="muted")
    if change.answer is None:
        return Cell(text=ABSENT)
    return Cell(text=change.answer, tone=_ANSWER_TONES[change.answer])


def _gates(release: ReleasedVersion | None) -> Iterator[Block]:
    if release is None or not release.gates:
        return
    yield Table(
        caption=clean(f"Gates of {release.version} at its release"),
        headings=headings(("Gate", "Outcome"), ("Value", "Limit")) + headings(("Policy", "Reason")),
        rows=tuple(map(_gate_row, release.gates)),
        shown=12,
    )


def _gate_row(gate: ReleasedGate) -> tuple[Cell, ...]:
    scale = scale_for((gate.value, gate.limit), gate.unit)
    mark = LIMIT_MARKS.get(gate.rule, clean(gate.rule))
    limit = f"{mark} {show(gate.limit, scale)}" if gate.limit is not None else ABSENT
    return (
        Cell(text=clean(gate.metric), kind="code"),
        Cell(text=gate.outcome, kind="badge", tone=TONES[gate.outcome]),
        *cells(show(gate.value, scale), limit, POLICIES[gate.on_fail], clean(gate.reason or ABSENT)),
    )


def _between_title(effect: PromotionEffect) -> str:
    count = plural(len(effect.between) + effect.untold, "release")
    what = "Taken away" if effect.direction == "rollback" else "Released in between"
    return clean(f"{what}: {count} of {effect.model}")


def _between(effect: PromotionEffect) -> tuple[Block, ...]:
    table = Table(
        caption="Releases, the newest first",
        headings=headings(("Version", "When", "Why", "Author", "Approved by", "Report")),
        rows=tuple(map(_release_row, effect.between)),
        shown=30,
    )
    more = f"{plural(effect.untold, 'older release')} of them are in the registry and not told here."
    return (table, Text(text=more)) if effect.untold else (table,)


def _release_row(release: ReleasedVersion) -> tuple[Cell, ...]:
    raised = f"{release.bump}: {release.reason}" if release.bump else release.reason
    why = [raised, *release.problems]
    incident = release.incident
    if incident is not None:
        overridden = "" if incident.override is None else f" (overridden: {incident.override})"
        why.insert(0, f"rejected in {incident.environment}: {incident.reason}{overridden}")
    tone: Tone = "fail" if incident else "warn" if release.problems else ""
    when, author, report = (
        _shortened(pattern, it)
        for pattern, it in (
            (_DAY, release.released),
            (_NAME, release.author),
            (_PULL_REQUEST, release.report),
        )
    )
    return (
        *cells(clean(release.version), when),
        Cell(text=clean("; ".join(it for it in why if it)) or ABSENT, tone=tone),
        *cells(author, clean(", ".join(release.approvers)) or ABSENT),
        Cell(text=report, kind="code" if release.report else "text"),
    )


def _shortened(pattern: re.Pattern[str], text: str | None) -> str:
    """What the pattern keeps of the text; all of it where it is of another form."""
    found = pattern.fullmatch(text or "")
    return clean((found[1] if found else text) or ABSENT)
