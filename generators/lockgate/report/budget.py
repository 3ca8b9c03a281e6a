"""Which parts of a report fit into a comment. The verdict always does; the gates give way last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A section as text, in brief, and the line that stands for it where neither fits.

    The lowest rank is kept longest.
    """

    rank: int
    text: str
    brief: str
    line: str


def measure(text: str) -> int:
    """The length as GitHub may count it: in UTF-16 units, the larger of the usual ways of counting characters."""
    return len(text.encode("utf-16-le")) // 2


def fit(parts: Sequence[Part], room: int, most: int) -> tuple[str, ...]:
    """For each part its text where it fits, else in brief, else its line; nothing at all where no lines fit.

    No part has more than `most`, so that a long one leaves room for the others.
    """
    chosen = [part.line for part in parts]
    left = room - sum(map(measure, chosen))
    if left < 0:
        return tuple("" for _ in parts)
    for index in sorted(range(len(parts)), key=lambda index: (parts[index].rank, index)):
        part = parts[index]
        available = left + measure(part.line)
        allowed = min(most, available)
        best = next((text for text in (part.text, part.brief) if measure(text) <= allowed), part.line)
        chosen[index] = best
        left = available - measure(best)
    return tuple(chosen)
