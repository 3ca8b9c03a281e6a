"""Which parts of a report fit into a comment. The verdict always does; the gates give way last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A section as text, and the line that stands for it where it does not fit. The lowest rank is kept longest."""

    rank: int
    text: str
    line: str


def measure(text: str) -> int:
    """The length as GitHub may count it: in UTF-16 units, the larger of the usual ways of counting characters."""
    return len(text.encode("utf-16-le")) // 2


def fit(parts: Sequence[Part], room: int) -> tuple[str, ...]:
    """For each part its text where it fits, else its line; no lines at all where not even the lines fit."""
    lines = [part.line for part in parts]
    left = room - sum(map(measure, lines))
    if left < 0:
        return tuple("" for _ in parts)
    chosen = lines
    for index in sorted(range(len(parts)), key=lambda index: (parts[index].rank, index)):
        cost = measure(parts[index].text) - measure(parts[index].line)
        if cost <= left:
            chosen[index] = parts[index].text
            left -= cost
    return tuple(chosen)
