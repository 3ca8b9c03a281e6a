"""Pins that move and releases that follow, on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lockgate.cli.terminal import Terminal, printable
from lockgate.plan.promotion import MetricChange, PromotionEffect, ReleasedVersion, ReleaseEffect
from lockgate.report.numbers import scale_for, show, show_change
from lockgate.report.promotions import (
    next_merges,
    next_opens,
    promotion_title,
    release_happens,
    remarks,
)
from lockgate.report.text import clip

_MOST_METRICS, _MOST_RELEASES = 6, 10
_REASON_LENGTH = 100


def show_promotions(terminal: Terminal, promotions: Sequence[PromotionEffect]) -> None:
    """Each with what speaks for and against it, its metrics, and what was released in between."""
    for effect in promotions:
        terminal.say(printable(promotion_title(effect)))
        for remark in remarks(effect):
            mark = {"fail": terminal.red("✗"), "warn": terminal.yellow("!"), "": "·"}[remark.weight]
            terminal.say(f"  {mark} {printable(remark.text)}")
        for line in (*_metrics(effect.metrics), *_between(effect)):
            terminal.say(f"  {printable(line)}")


def release_lines(releases: Sequence[ReleaseEffect]) -> Iterator[str]:
    """What becomes of each model's version, and below it the promotions that follow."""
    for effect in releases:
        yield f"{effect.model} {release_happens(effect)}: {effect.reason}"
        if effect.outcome == "unchanged":
            continue
        for it in effect.promotions:
            yield f"  promoted to {it.environment}: proposed {next_opens(it)}, merged {next_merges(it)}"
        if effect.image is None:
            yield "  no image is built of it, so no promotion follows by itself"


def _metrics(changes: Sequence[MetricChange]) -> Iterator[str]:
    for change in changes[:_MOST_METRICS]:
        unit = next((it.unit for it in (change.after, change.before) if it is not None), "")
        values = tuple(it.value if it is not None else None for it in (change.before, change.after))
        scale = scale_for(values, unit, change.difference)
        told = f" ({show_change(change.difference, scale)}, {change.answer})" if change.answer else ""
        yield f"{change.name}: {show(values[0], scale)} → {show(values[1], scale)}{told}"
    if len(changes) > _MOST_METRICS:
        yield f"and {len(changes) - _MOST_METRICS:,} metrics more: --format md has them"


def _between(effect: PromotionEffect) -> Iterator[str]:
    if not effect.between:
        return
    yield "takes away" if effect.direction == "rollback" else "released in between"
    for release in effect.between[:_MOST_RELEASES]:
        yield f"  {_release(release)}"
    more = len(effect.between) + effect.untold - _MOST_RELEASES
    if more > 0:
        yield f"  and {more:,} more"


def _release(release: ReleasedVersion) -> str:
    facts = (release.released, release.author, f"{release.bump}: {release.reason}" if release.bump else None)
    told = ", ".join(clip(it, _REASON_LENGTH) for it in facts if it)
    rejected = f"; rejected in {release.incident.environment}" if release.incident else ""
    return f"{release.version}  {told or 'its record says nothing'}{rejected}"
