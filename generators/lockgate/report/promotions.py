"""A pin that moves, in words: what it does, what speaks for and against it, who decides. For pages and terminals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

from lockgate.contract import Verdict
from lockgate.plan.promotion import (
    Incident,
    NextPromotion,
    PromotionEffect,
    ReleaseEffect,
    RequirementEffect,
)
from lockgate.report.numbers import show_duration
from lockgate.report.text import clean, clip, plural
from lockgate.tuples import NamedTuple

Weight: TypeAlias = Literal["", "warn", "fail"]

_MOST_EVIDENCE = 8
_VALUE_LENGTH = 60
_REASON_LENGTH = 300


class Remark(NamedTuple):
    """A sentence or two; `weight` is whether they speak against the change."""

    text: str
    weight: Weight = ""


def promotion_title(effect: PromotionEffect) -> str:
    """`Promotes flight-delay 1.3.0 to production (was 1.2.0)`, and what else a pin can do."""
    model, place = clean(effect.model), clean(effect.environment)
    old, new = clean(effect.old or "nothing"), clean(effect.new or "nothing")
    match effect.direction:
        case "promotion":
            return f"Promotes {model} {new} to {place} (was {old})"
        case "first release":
            return f"Promotes {model} {new} to {place} (nothing was live)"
        case "rollback":
            return f"Rolls {model} back to {new} in {place} (was {old})"
        case "withdrawal":
            return f"Withdraws {model} from {place} (was {old})"


def promotion_verdict(effect: PromotionEffect) -> Verdict:
    """Whether anything speaks against it. It never fails: what may not be at all, `lockgate check` refuses."""
    speaks_against = any(remark.weight for remark in remarks(effect))
    is_worse = effect.direction != "rollback" and any(it.answer == "worse" for it in effect.metrics)
    return "warn" if speaks_against or is_worse else "pass"


def remarks(effect: PromotionEffect) -> tuple[Remark, ...]:
    """What a reader has to know besides numbers, what speaks against it first."""
    told = (*_against(effect), *_requirements(effect), *_taken_away(effect), Remark(approval(effect)))
    return tuple(sorted(told, key=lambda it: ("fail", "warn", "").index(it.weight)))


def approval(effect: PromotionEffect) -> str:
    """Who lets it happen."""
    place = clean(effect.environment)
    if effect.reviewers:
        return f"It waits for the approval of one of {_listed(effect.reviewers)}, who own {place}."
    if effect.promote == "automatic" and effect.direction in ("promotion", "first release"):
        return f"{place} promotes automatically: opened by the release workflow, it merges itself when its checks pass."
    return f"{place} names no reviewers: whoever may merge decides."


def brought(effect: PromotionEffect) -> str:
    """How many releases come or go, in a clause; empty where there is none to count."""
    count = len(effect.between) + effect.untold
    if not count:
        return ""
    verb = "takes away" if effect.direction == "rollback" else "brings"
    return f"{verb} {plural(count, 'release')}"


def release_happens(effect: ReleaseEffect) -> str:
    """What becomes of the model's version, in a clause."""
    newest, version = clean(effect.newest or ""), clean(effect.version or "")
    match effect.outcome:
        case "unchanged":
            return f"stays {newest}"
        case "released":
            return f"becomes {version}" if version else f"becomes the next version after {newest}"
        case "depends":
            condition = f"if its artifact is not that of {newest}" if newest else "if its gates hold"
            return f"becomes {version or f'the next version after {newest}'} {condition}"


def next_opens(promotion: NextPromotion) -> str:
    """When its pull request is opened."""
    if not promotion.requires:
        return "after the release"
    required = clean(" and ".join(promotion.requires))
    soak = f" for {show_duration(promotion.soak_seconds)}" if promotion.soak_seconds else ""
    return f"once it has been live in {required}{soak}"


def next_merges(promotion: NextPromotion) -> str:
    """Who merges it."""
    if promotion.promote == "automatic":
        return "by itself, when its checks pass"
    if promotion.reviewers:
        return f"with the approval of one of {_listed(promotion.reviewers)}"
    return "when somebody who may merges it"


def _against(effect: PromotionEffect) -> Iterator[Remark]:
    if effect.after is not None and effect.after.incident is not None and effect.new is not None:
        yield _rejected(clean(effect.new), effect.after.incident)
    for release in (effect.after, effect.before):
        yield from (Remark(clean(it), "warn") for it in (release.problems if release else ()))
    if effect.after is not None and effect.after.verdict == "warn":
        yield Remark(f"{clean(effect.after.version)} was released with warnings: see its gates.", "warn")
    yield from (Remark(clean(note), "warn") for note in effect.notes)


def _rejected(version: str, incident: Incident) -> Remark:
    said = f"{version} was rejected in {_happened(incident)}."
    if incident.override is None:
        return Remark(f"{said} Nothing overrides that.{_evidence(incident)}", "fail")
    overridden = f"It is to be live all the same: {_reason(incident.override)}."
    return Remark(f"{said} {overridden}{_evidence(incident)}", "fail")


def _taken_away(effect: PromotionEffect) -> Iterator[Remark]:
    if effect.direction != "rollback" or effect.before is None or effect.before.incident is None:
        return
    incident, version = effect.before.incident, clean(effect.before.version)
    yield Remark(f"{version}, which goes, was rejected in {_happened(incident)}.{_evidence(incident)}")


def _happened(incident: Incident) -> str:
    return f"{clean(incident.environment)} on {clean(incident.time)}: {_reason(incident.reason)}"


def _evidence(incident: Incident) -> str:
    """As a sentence after another; empty where nothing was kept."""
    shown = incident.evidence[:_MOST_EVIDENCE]
    if not shown:
        return ""
    more = len(incident.evidence) - len(shown)
    rest = f", and {more:,} more" if more else ""
    told = ", ".join(f"{_short(name)} = {_short(value)}" for name, value in shown)
    return f" What was seen: {told}{rest}."


def _requirements(effect: PromotionEffect) -> Iterator[Remark]:
    if effect.was_live_before and effect.requirements:
        yield Remark(
            f"{clean(effect.new or '')} was live in {clean(effect.environment)} before, so it need not wait again."
        )
        return
    for it in effect.requirements:
        yield _requirement(effect, it)


def _requirement(effect: PromotionEffect, it: RequirementEffect) -> Remark:
    version, place, required = map(clean, (effect.new or "", effect.environment, it.environment))
    if it.since is None:
        return Remark(f"{version} has never been live in {required}, which {place} requires.", "warn")
    live, soak = show_duration(it.live_seconds), show_duration(it.soak_seconds)
    asked = f"{place} asks for {soak}" if it.soak_seconds else f"{place} requires that"
    said = f"{version} first came to {required} on {clean(it.since)} and was live there for {live}: {asked}"
    if it.is_met:
        return Remark(f"{said}.")
    missing = show_duration(it.soak_seconds - it.live_seconds + 59)
    return Remark(f"{said}, so {missing} are missing.", "warn")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(clip(clean(name), 80) for name in names)


def _short(text: str) -> str:
    return clip(clean(text), _VALUE_LENGTH)


def _reason(text: str) -> str:
    return clip(clean(text), _REASON_LENGTH).rstrip(".")
