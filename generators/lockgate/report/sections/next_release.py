"""What a merge releases, and which promotions follow: of each model its next version, and who decides where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lockgate.plan.promotion import ReleaseEffect
from lockgate.report.document import Block, Cell, Table, Text, cells, headings
from lockgate.report.numbers import ABSENT
from lockgate.report.promotions import next_merges, next_opens, release_happens
from lockgate.report.text import clean


def releases_blocks(releases: Sequence[ReleaseEffect]) -> Iterator[Block]:
    if not releases:
        return
    yield Table(
        caption="What is released",
        headings=headings(("Model", "Its version", "Because", "Image")),
        rows=tuple(map(_release_row, releases)),
        shown=20,
    )
    if all(it.outcome == "unchanged" for it in releases):
        return
    yield Text(text=_MEANING)
    yield from _promotions(releases)


_MEANING = (
    "A release is a record in registry/, a tag and, where one is named above, an image. A label release:major, "
    "release:minor or release:patch on the pull request overrides the rule, but for a first release. A release changes "
    "nothing that is live: that is up to promotions."
)


def _release_row(effect: ReleaseEffect) -> tuple[Cell, ...]:
    image = Cell(text=clean(effect.image), kind="code") if effect.image else Cell(text="none is built")
    return (
        Cell(text=clean(effect.model), kind="code"),
        *cells(release_happens(effect), clean(effect.reason)),
        image if effect.outcome != "unchanged" else Cell(text=ABSENT),
    )


def _promotions(releases: Sequence[ReleaseEffect]) -> Iterator[Block]:
    rows = tuple(
        (
            Cell(text=clean(effect.model), kind="code"),
            *cells(clean(it.environment), next_opens(it), next_merges(it)),
        )
        for effect in releases
        if effect.outcome != "unchanged"
        for it in effect.promotions
    )
    if rows:
        yield Table(
            caption="Promotions that follow",
            headings=headings(("Model", "Environment", "Its pull request is opened", "It is merged")),
            rows=rows,
            shown=20,
        )
    else:
        yield Text(text="No promotion follows by itself: there is no environment to serve it, or no image.")
