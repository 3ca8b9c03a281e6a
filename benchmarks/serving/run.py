"""Measures Lockgate's server, floors and peers on the example's model, all in one run, as Markdown tables.

    python benchmarks/serving/run.py [--install] [--peers mlserver fastapi …] [--rounds 3] [--seconds 5]
    python benchmarks/serving/run.py --soak 600

Each server has core 0 to itself and the load comes from core 1: single rows as JSON, 32 connections that are kept, many
different rows of the holdout. Before a server is measured it must say of 200 rows what the exported estimator says.
What other programs disturbed is measured again. benchmarks/serving/README.md tells more.
"""

from __future__ import annotations

import argparse
import compileall
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import agreement
import example
import rows
from contenders import (
    FLOORS,
    LOCKGATE,
    PACKAGES,
    ROOT,
    SILENT,
    Contender,
    Site,
    environment,
    install,
    versions,
)
from contenders import (
    peers as all_peers,
)
from extras import print_extras
from load import CONNECTIONS, Load, Pace, Questions, generator_name, measure, quietest
from processes import StartError, free_port, started
from soak import soak

LOAD_CORE = 1
_ROWS = 2000
_WARM_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """Of a contender, one of each for every round."""

    loads: list[Load] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    start_seconds: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(it.rate for it in self.loads)


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    artifacts = (options.artifacts or example.artifacts()).resolve()
    if options.install:
        _install(options.peers)
    os.sched_setaffinity(0, {LOAD_CORE})
    compileall.compile_dir(ROOT / "runtime", quiet=2)
    compileall.compile_dir(ROOT / "generators", quiet=2)
    holdout = rows.read(artifacts, _ROWS)
    if options.soak:
        return soak(artifacts, holdout, options.soak)
    pace = Pace(options.rounds, options.seconds, options.patience)
    contenders = _contenders(options.peers)
    print(
        f"\nLoad: {generator_name()}, {CONNECTIONS} connections, {options.rounds} rounds of {options.seconds:g} s.\n"
    )
    _print_table(_measure_all(contenders, artifacts, holdout, pace))
    print_extras(artifacts, holdout, pace)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--artifacts",
        type=Path,
        help="what `lockgate run` wrote (default: of the example, which is run in .cache/serving where it has to be)",
    )
    parser.add_argument("--install", action="store_true", help="make the peers' environments in .nox first")
    parser.add_argument("--peers", nargs="*", choices=PACKAGES, default=list(PACKAGES), help="default: all")
    parser.add_argument("--rounds", type=int, default=3, help="the medians are shown")
    parser.add_argument("--seconds", type=float, default=5.0, help="of a measurement")
    parser.add_argument(
        "--patience",
        type=float,
        metavar="SECONDS",
        default=60.0,
        help="for which a measurement waits until other programs rest (default: 60)",
    )
    parser.add_argument(
        "--soak", type=float, metavar="SECONDS", help="instead: load and hostility for so long"
    )
    return parser


def _install(peers: Sequence[str]) -> None:
    for peer in peers:
        _say(f"installing {peer}")
        wrong = install(peer)
        if wrong is not None:
            print(f"Left out, as it cannot be installed: {peer}: {wrong}")


def _contenders(peers: Sequence[str]) -> list[Contender]:
    wanted = [it for it in (LOCKGATE, SILENT, *FLOORS, *all_peers()) if it.peer is None or it.peer in peers]
    missing = sorted({str(it.peer) for it in wanted if not it.is_installed})
    if missing:
        print(f"Not installed, and left out: {', '.join(missing)}.")
    there = [it for it in wanted if it.is_installed]
    print("; ".join(versions(peer) for peer in sorted({it.peer for it in there if it.peer})))
    return there


def _measure_all(
    contenders: Sequence[Contender], artifacts: Path, holdout: rows.Holdout, pace: Pace
) -> dict[str, Results]:
    """Contenders take turns, so that what disturbs the machine disturbs all of them."""
    checked = agreement.in_32_bits(holdout.rows)
    right = agreement.expected(artifacts, checked)
    results: dict[str, Results] = {}
    left_out: set[str] = set()
    for number in range(pace.rounds):
        for contender in contenders:
            if contender.name in left_out:
                continue
            _say(f"round {number + 1}: {contender.name}")
            try:
                found = results.setdefault(contender.name, Results())
                _measure(contender, artifacts, holdout, (checked, right), pace, found)
            except StartError as error:
                print(f"Left out: {contender.name}: {error}\n")
                left_out.add(contender.name)
    return {name: it for name, it in results.items() if it.loads}


def _measure(
    contender: Contender,
    artifacts: Path,
    holdout: rows.Holdout,
    truth: tuple[Sequence[rows.Row], Sequence[float]],
    pace: Pace,
    results: Results,
) -> None:
    questions = Questions(contender.path, [contender.body(it) for it in holdout.rows])
    with tempfile.TemporaryDirectory() as scratch:
        site = Site(artifacts, Path(scratch), free_port(), tuple(sorted(holdout.texts)))
        contender.prepare(site)
        there = environment(contender, site)
        with started(
            contender.command(site), there, site.port, contender.path, questions.bodies[0]
        ) as server:
            difference = agreement.largest_difference(contender, server, *truth)
            if difference > agreement.TOLERANCE:
                raise StartError(f"its answers differ by {difference:.2g}")
            measure(server, questions, CONNECTIONS, _WARM_SECONDS)
            results.loads.append(quietest(server, questions, CONNECTIONS, pace))
            results.megabytes.append(server.megabytes())
            results.start_seconds.append(server.start_seconds)
    _say(f"  {results.loads[-1]} {results.megabytes[-1]:.0f} MB")


def _print_table(results: dict[str, Results]) -> None:
    peers = {it.name for it in all_peers()}
    best = max((it.rate for name, it in results.items() if name in peers), default=float("nan"))
    print(
        "| Server | Requests/s | p50, ms | p99, ms | MB | First answer, s | Times the best peer | Others, % | Failed |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for name, it in results.items():
        p50, p99, disturbed = (
            statistics.median(getattr(load, key) for load in it.loads) for key in ("p50", "p99", "disturbed")
        )
        print(
            f"| {name} | {it.rate:,.0f} | {p50 * 1000:.2f} | {p99 * 1000:.1f} | {statistics.median(it.megabytes):.0f} "
            f"| {statistics.median(it.start_seconds):.2f} | {it.rate / best:.2f} | {disturbed * 100:.0f} "
            f"| {sum(load.failed for load in it.loads)} |",
            flush=True,
        )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
