"""The SLO's latency, measured before merging: the real server on loopback, under half the load that it can take."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from lockgate import contract
from lockgate.spec.promises import promised_seconds
from lockgate_runtime.stages.files import artifact
from lockgate_runtime.stages.user_code import StageError
from lockgate_runtime.traffic.bodies import TrafficError, read_bodies
from lockgate_runtime.traffic.load import measure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lockgate.spec.model import Model
    from lockgate_runtime.traffic.load import Load

_ROWS = 2000
_STOP_SECONDS = 5.0
_READY = re.compile(r"serving \S+ \S+ at (?P<url>\S+) \(")


def measured_under_load(model: Model, latency: contract.Latency, root: Path) -> contract.Latency:
    """With what the server measured, where the spec promises a latency.

    Takes about four seconds, and up to twelve where the promise is not kept.
    """
    promised = promised_seconds(model)
    if promised is None:
        return latency
    folder = artifact(model, root, contract.MODEL_DIRECTORY)
    try:
        bodies = read_bodies(artifact(model, root, contract.HOLDOUT), folder, _ROWS)
    except TrafficError as error:
        raise StageError(error.message, error.help) from error
    with _serving(_command(model, folder)) as url:
        load = measure(url, bodies, promised)
    _require_answers(load)
    return {
        **latency,
        "served_p50": load.p50,
        "served_p99": load.p99,
        "served_requests_per_second": load.requests_per_second,
        "served_answers": load.answers,
        "served_failed": load.failed,
    }


def _command(model: Model, folder: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "lockgate_runtime", "serve", "--model", str(folder)),
        *("--host", "127.0.0.1", "--port", "0", "--drain-seconds", "0.1"),
        *(f"--trust={name}" for name in model.export.trusted),
        *("--unknown-categories", "accept"),
    ]


@contextmanager
def _serving(command: Sequence[str]) -> Iterator[str]:
    """The address of a server in a process of its own: stages import nothing of it."""
    with (
        TemporaryFile() as complaints,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints, encoding="utf-8"
        ) as server,
    ):
        assert server.stdout is not None, "the output is read"
        try:
            found = _READY.match(server.stdout.readline())
            if found is None:
                server.wait(_STOP_SECONDS)
                complaints.seek(0)
                raise _not_started(complaints.read().decode(errors="replace"))
            yield found["url"]
        finally:
            _stop(server)


def _not_started(said: str) -> StageError:
    lines = said.strip().splitlines() or ["it said nothing"]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return StageError(
        f"the server, whose latency 'serve.slo' promises, did not start: {(errors or lines)[-1]}",
        "correct it; \"pip install 'lockgate[serve]'\" brings the server's libraries",
    )


def _stop(server: subprocess.Popen[str]) -> None:
    server.terminate()
    try:
        server.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()


def _require_answers(load: Load) -> None:
    """To refuse a row takes no time that could be promised."""
    if load.refused * 2 > load.answers:
        raise StageError(
            f"the server refuses {load.refused:,} of {load.answers:,} rows of the holdout",
            "the columns of 'data.columns' and what the server takes differ: compare 'signature.json'",
        )
