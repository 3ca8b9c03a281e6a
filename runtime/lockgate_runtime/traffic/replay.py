"""`python -m lockgate_runtime replay`: rows of a file to two servers at a steady rate, shared by weight.

It is told on the standard input, a word a line: `weight 25` gives the candidate 25 % from now on, `report` asks what
came since the last weight, which is one line of JSON. It ends where the input does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from lockgate_runtime.traffic.bodies import TrafficError, read_bodies
from lockgate_runtime.traffic.connections import Tally, Target
from lockgate_runtime.traffic.sharing import Sharing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lockgate_runtime.traffic.sharing import Side

OK, FAILED = 0, 1
_SIDES: tuple[Side, ...] = ("stable", "candidate")
_MOST_ROWS = 5000
_CONNECTIONS = 32
_TICK_SECONDS = 0.005
_LOOKED_AFTER = 64


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay until the input ends; the exit code: 0 done, 1 failed, 2 misused."""
    options = _parser().parse_args(arguments)
    try:
        bodies = {
            name: read_bodies(options.traffic, getattr(options, f"{name}_model"), _MOST_ROWS)
            for name in _SIDES
        }
    except TrafficError as error:
        print(f"error: {error.message}\nhelp: {error.help}", file=sys.stderr)
        return FAILED
    except ModuleNotFoundError as error:
        print(f"error: the replay needs '{error.name}', which is not installed", file=sys.stderr)
        print("help: run \"pip install 'lockgate[serve]'\"", file=sys.stderr)
        return FAILED
    asyncio.run(_replay(bodies, options))
    return OK


async def _replay(bodies: Mapping[Side, Sequence[bytes]], options: argparse.Namespace) -> None:
    print(json.dumps({"rows": len(bodies["stable"])}), flush=True)
    targets = {name: Target(getattr(options, name), _CONNECTIONS) for name in _SIDES}
    replay = _Replay(options.rate, targets, Sharing(bodies["stable"], bodies["candidate"]))
    sending = asyncio.ensure_future(replay.send())
    told = asyncio.ensure_future(_listen(replay, options.slow))
    try:
        await asyncio.wait((sending, told), return_when=asyncio.FIRST_COMPLETED)
    finally:
        sending.cancel()
        for target in targets.values():
            target.close()


async def _listen(replay: _Replay, slow_seconds: float | None) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        word, _, rest = line.decode().strip().partition(" ")
        if word == "weight":
            replay.shift(int(rest))
        elif word == "report":
            print(json.dumps(replay.report(slow_seconds)), flush=True)


class _Replay:
    def __init__(self, rate: float, targets: Mapping[Side, Target], sharing: Sharing) -> None:
        self._rate, self._targets, self._sharing = rate, targets, sharing

    def shift(self, weight_percent: int) -> None:
        """Change the weight, and begin to count anew."""
        self._sharing.shift(weight_percent)
        for target in self._targets.values():
            target.tally = Tally()

    def report(self, slow_seconds: float | None) -> dict[str, dict[str, float | int | None]]:
        return {name: _said(target.tally, slow_seconds) for name, target in self._targets.items()}

    async def send(self) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        for number in count():
            due = start + number / self._rate
            while (now := loop.time()) < due:
                await asyncio.sleep(max(_TICK_SECONDS, due - now))
            side, body = self._sharing.take()
            self._targets[side].ask(body, now)
            if number % _LOOKED_AFTER == 0:
                await asyncio.sleep(0)
                for target in self._targets.values():
                    target.give_up_late()


def _said(tally: Tally, slow_seconds: float | None) -> dict[str, float | int | None]:
    seconds = sorted(taken for _, taken in tally.answers)
    return {
        "answers": len(seconds),
        "failed": tally.failed,
        "refused": tally.refused,
        "slow": 0 if slow_seconds is None else sum(it > slow_seconds for it in seconds),
        "p99": seconds[min(len(seconds) - 1, len(seconds) * 99 // 100)] if seconds else None,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lockgate_runtime replay",
        description="Send rows of a Parquet file to two servers of one model, shared by weight.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--traffic", type=Path, required=True, metavar="PATH", help="a Parquet file, or a folder of a log"
    )
    for name in _SIDES:
        parser.add_argument(f"--{name}", required=True, metavar="URL", help="its server")
        parser.add_argument(
            f"--{name}-model", type=Path, required=True, metavar="DIR", help="its exported model"
        )
    parser.add_argument("--rate", type=float, default=200.0, metavar="N", help="requests a second")
    parser.add_argument("--slow", type=float, metavar="SECONDS", help="count what takes longer as slow")
    return parser
