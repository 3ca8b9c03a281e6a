"""Which rows each version of a rehearsal gets: the same mix for both, whatever the weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from lockgate_runtime.traffic.sharing import Sharing, Side

LOW, HIGH, BAD, GOOD = b"low", b"high", b"bad", b"good"
WEIGHTS = [5, 10, 20, 25, 50, 75, 100]


def taken(sharing: Sharing, requests: int) -> Iterator[tuple[Side, bytes]]:
    return (sharing.take() for _ in range(requests))


def share(sharing: Sharing, weight_percent: int, requests: int) -> Counter[tuple[Side, bytes]]:
    """How often each version got each row in so many requests."""
    sharing.shift(weight_percent)
    return Counter(taken(sharing, requests))


@pytest.mark.parametrize("weight", WEIGHTS)
def test_a_row_in_twenty_on_which_the_candidate_fails_reaches_it_at_every_weight(weight: int) -> None:
    rows = [BAD if number % 20 == 0 else GOOD for number in range(600)]
    seen = share(Sharing(rows, rows), weight, requests=len(rows) * 100 // weight)
    assert (seen["candidate", BAD], seen["candidate", GOOD]) == (30, 570)


@pytest.mark.parametrize("weight", [weight for weight in WEIGHTS if weight < 100])
def test_of_rows_that_are_low_and_high_in_turn_both_versions_get_as_many_of_each(weight: int) -> None:
    rows = [LOW, HIGH] * 180
    seen = share(Sharing(rows, rows), weight, requests=12_000)
    for side in ("stable", "candidate"):
        assert seen[side, LOW] / (seen[side, LOW] + seen[side, HIGH]) == pytest.approx(0.5, abs=0.04)


def test_rows_that_lie_sorted_come_mixed_long_before_their_first_pass_is_over() -> None:
    rows = [LOW] * 2500 + [HIGH] * 2500
    seen = share(Sharing(rows, rows), 50, requests=1000)
    assert seen["candidate", LOW] == pytest.approx(250, abs=40)
    assert seen["stable", LOW] == pytest.approx(250, abs=40)


def test_of_any_hundred_requests_in_a_row_the_candidate_gets_its_share() -> None:
    sharing = Sharing([LOW], [LOW])
    sharing.shift(7)
    sides = [side for side, _ in taken(sharing, 500)]
    assert {sides[start : start + 100].count("candidate") for start in range(401)} == {7}


def test_each_pass_has_another_order_and_every_rehearsal_the_same() -> None:
    rows = [b"%d" % number for number in range(50)]
    sharing, again = Sharing(rows, rows), Sharing(rows, rows)
    first, second = ([row for _, row in taken(sharing, len(rows))] for _ in range(2))
    assert first != second
    assert sorted(first) == sorted(second) == sorted(rows)
    assert [row for _, row in taken(again, 100)] == [*first, *second]
