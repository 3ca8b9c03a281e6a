"""How fast a served model answers under load: as many requests as it takes, then half as many at a steady rate."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from lockgate_runtime.traffic.connections import NO_ANSWER, TIMEOUT_SECONDS, Tally, Target, is_failure

if TYPE_CHECKING:
    from collections.abc import Sequence

CONNECTIONS = 32
_CAPACITY_SECONDS = 0.75
_STEADY_SECONDS = 2.0
_TICK_SECONDS = 0.002
_PATIENCE_SECONDS = 5.0
_SHARE = 0.5
_MOST_ROUNDS = 5


class Load(NamedTuple):
    """At the steady rate; of the `answers`, `failed` are what the server owed, and count as its longest time.

    `refused` are those to rows that it called wrong. Times are in seconds.
    """

    answers: int
    failed: int
    refused: int
    requests_per_second: float
    p50: float
    p99: float


def measure(url: str, bodies: Sequence[bytes], enough_seconds: float) -> Load:
    """Of the server at that address; takes about three seconds where its p99 is good enough at once.

    Else it is measured again, up to five times in all, and the quickest round counts: what else a machine does makes
    answers late and never early, so a server that is slow is slow in each.
    """
    return asyncio.run(_measure(url, bodies, enough_seconds))


async def _measure(url: str, bodies: Sequence[bytes], enough_seconds: float) -> Load:
    target, rounds = Target(url, CONNECTIONS), list[Load]()
    try:
        rate = max(1.0, await _capacity(target, bodies) * _SHARE)
        while len(rounds) < _MOST_ROUNDS and all(it.p99 > enough_seconds for it in rounds):
            target.tally = Tally()
            seconds = await _steady(target, bodies, rate)
            rounds.append(_load(target.tally, seconds))
    finally:
        target.close()
    return min(rounds, key=lambda it: it.p99)


def _load(tally: Tally, seconds: float) -> Load:
    found = sorted(TIMEOUT_SECONDS if is_failure(status) else taken for status, taken in tally.answers)
    return Load(
        answers=len(found),
        failed=tally.failed,
        refused=tally.refused,
        requests_per_second=len(found) / seconds,
        p50=found[len(found) // 2],
        p99=found[min(len(found) - 1, len(found) * 99 // 100)],
    )


async def _capacity(target: Target, bodies: Sequence[bytes]) -> float:
    """Answers a second where every connection asks again at once."""
    loop = asyncio.get_running_loop()
    asked = 0

    def again() -> None:
        nonlocal asked
        asked += 1
        target.ask(bodies[asked % len(bodies)], loop.time())

    for _ in range(CONNECTIONS):
        again()
    target.answered = again
    await asyncio.sleep(_CAPACITY_SECONDS)
    target.answered = lambda: None
    answers = len(target.tally.answers)
    await _until_answered(target, asked)
    return answers / _CAPACITY_SECONDS


async def _steady(target: Target, bodies: Sequence[bytes], rate: float) -> float:
    """Ask at that rate and wait for the answers; returns the seconds that asking took."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    most = max(CONNECTIONS, int(rate * _STEADY_SECONDS))
    for number in range(most):
        due = start + number / rate
        while (now := loop.time()) < due:
            await asyncio.sleep(max(_TICK_SECONDS, due - now))
        target.ask(bodies[number % len(bodies)], now)
    seconds = loop.time() - start
    await _until_answered(target, most)
    for _ in range(most - len(target.tally.answers)):
        target.tally.answers.append((NO_ANSWER, loop.time() - start))
    return seconds


async def _until_answered(target: Target, asked: int) -> None:
    """What has no answer after a while never gets one."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _PATIENCE_SECONDS
    while len(target.tally.answers) < asked and loop.time() < until:
        await asyncio.sleep(_TICK_SECONDS)
        target.give_up_late()
