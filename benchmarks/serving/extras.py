"""What Lockgate alone is asked: its latency when idle, what monitoring costs, two workers, and batches."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import rows
from contenders import FLOORS, LOCKGATE, SILENT, Contender, Site, environment, lockgate
from load import CONNECTIONS, Load, Pace, Questions, measure, quietest
from processes import SERVER_CORES, Server, free_port, started

_MOST_BATCH = 1000
_ARROW = "application/vnd.apache.arrow.stream"
_PAIRS = 3
_WARM_SECONDS = 1.0


def print_extras(artifacts: Path, holdout: rows.Holdout, pace: Pace) -> None:
    batch = min(_MOST_BATCH, len(holdout.rows))
    single = Questions("/v1/predict", [rows.as_rows(it) for it in holdout.rows])
    columns = Questions("/v1/predict", [rows.as_columns(holdout.rows[:batch])])
    arrow = Questions("/v1/predict", [rows.as_stream(holdout.table.slice(0, batch))], _ARROW)
    print("\n| Lockgate besides | Found |")
    print("|---|---:|")
    print(*_idle(artifacts, holdout, single, pace), sep="\n")
    with running(LOCKGATE, artifacts, holdout) as server:
        for name, questions in (("JSON columns", columns), ("Arrow", arrow)):
            rate = statistics.median(it.rate for it in _median(server, questions, 2, pace))
            print(f"| rows/s in batches of {batch:,}, {name} | {rate * batch:,.0f} |")
    with running(lockgate("", "--workers", "2"), artifacts, holdout, cores="0,1") as server:
        two = statistics.median(it.rate for it in _median(server, single, CONNECTIONS, pace))
        print(f"| requests/s, two workers on two cores, which the load shares | {two:,.0f} |")
        print(f"| MB, two workers and their parent | {server.megabytes():.0f} |")
    cost = _cost(artifacts, holdout, single, pace)
    print(f"| cost of monitoring, median of {pace.rounds * _PAIRS} pairs by turns | {cost} |", flush=True)


def _idle(artifacts: Path, holdout: rows.Holdout, questions: Questions, pace: Pace) -> Iterator[str]:
    """By turns with the floor: on a machine that others share both may take three times as long a minute later."""
    found: dict[str, list[float]] = {"idle latency": [], "that of the floor's hello": []}
    with running(LOCKGATE, artifacts, holdout) as server, running(FLOORS[0], artifacts, holdout) as floor:
        for it in (server, floor):
            measure(it, questions, 1, _WARM_SECONDS)
        for _ in range(pace.rounds * _PAIRS):
            for times, it in zip(found.values(), (server, floor), strict=True):
                times.append(quietest(it, questions, 1, pace).p50 * 1000)
    for name, times in found.items():
        least, middle = min(times), statistics.median(times)
        yield f"| {name}, one connection, median of {len(times)} (least) | {middle:.3f} ms ({least:.3f}) |"


def _median(server: Server, questions: Questions, connections: int, pace: Pace) -> Sequence[Load]:
    measure(server, questions, connections, _WARM_SECONDS)
    return [quietest(server, questions, connections, pace) for _ in range(pace.rounds)]


def _cost(artifacts: Path, holdout: rows.Holdout, questions: Questions, pace: Pace) -> str:
    """Both servers run, one of them idle, and are measured in turns: what disturbs one disturbs the other."""
    with running(LOCKGATE, artifacts, holdout) as counting, running(SILENT, artifacts, holdout) as silent:
        shares = []
        for _ in range(pace.rounds * _PAIRS):
            rates = [quietest(it, questions, CONNECTIONS, pace).rate for it in (counting, silent)]
            shares.append(1 - rates[0] / rates[1])
    return f"{statistics.median(shares) * 100:.1f} %"


@contextmanager
def running(
    contender: Contender, artifacts: Path, holdout: rows.Holdout, cores: str = SERVER_CORES
) -> Iterator[Server]:
    body = contender.body(holdout.rows[0])
    with tempfile.TemporaryDirectory() as scratch:
        site = Site(artifacts, Path(scratch), free_port(), tuple(sorted(holdout.texts)))
        there = environment(contender, site)
        with started(contender.command(site), there, site.port, contender.path, body, cores) as server:
            yield server
