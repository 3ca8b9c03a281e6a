"""Which of two versions gets the next request, and with which row. Knows neither servers nor time."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Side: TypeAlias = Literal["stable", "candidate"]

_SEEDS: dict[Side, int] = {"stable": 1, "candidate": 2}


class Sharing:
    """Each version goes through all the rows by itself, so that whatever its share, it gets rows of every kind.

    Of rows that both took from one row of numbers, a version with a share of 5 % would get every 20th in each pass.
    """

    def __init__(self, stable: Sequence[bytes], candidate: Sequence[bytes]) -> None:
        self._rows = {
            "stable": _in_passes(stable, _SEEDS["stable"]),
            "candidate": _in_passes(candidate, _SEEDS["candidate"]),
        }
        self._weight_percent, self._given = 0, 0

    def shift(self, weight_percent: int) -> None:
        """Give the candidate that share from now on."""
        self._weight_percent, self._given = weight_percent, 0

    def take(self) -> tuple[Side, bytes]:
        """For the next request; of any hundred in a row, the weight's number are the candidate's."""
        self._given += self._weight_percent
        side: Side = "stable" if self._given < 100 else "candidate"
        self._given %= 100
        return side, next(self._rows[side])


def _in_passes(rows: Sequence[bytes], seed: int) -> Iterator[bytes]:
    """All of them once, then again and again, each time in another order: the same in every rehearsal."""
    order, random = list(rows), Random(seed)  # noqa: S311 - nothing secret hangs on it
    while True:
        random.shuffle(order)
        yield from order
