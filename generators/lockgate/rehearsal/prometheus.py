"""A real Prometheus of one's own for as long as a rehearsal takes: its data in a temporary folder, on loopback."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from lockgate.plan.promql import Expression, Selector, text
from lockgate.rehearsal.scrapes import JudgeError, Source

_START_SECONDS = 20.0
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.1
_PATIENCE_SECONDS = 5.0


def is_installed() -> bool:
    return shutil.which("prometheus") is not None


class Prometheus:
    """A judge that asks the Prometheus at that address, which scrapes by itself."""

    name = "Prometheus"

    def __init__(self, url: str) -> None:
        self._url = url

    def scrape(self) -> None:
        """Nothing to do."""

    def ask(self, expression: Expression) -> list[float]:
        """The values that the expression has now; `JudgeError` where Prometheus has an error."""
        query = urllib.parse.urlencode({"query": text(expression)})
        try:
            with urllib.request.urlopen(f"{self._url}api/v1/query?{query}", timeout=_PATIENCE_SECONDS) as it:  # noqa: S310 - http on loopback
                found = json.load(it)["data"]
        except (OSError, ValueError, KeyError) as error:
            raise JudgeError(str(error)) from error
        samples = [found] if found["resultType"] == "scalar" else found["result"]
        return [float(sample["value"][1]) for sample in samples]


@contextmanager
def prometheus(sources: Sequence[Source], scrape_seconds: float) -> Iterator[Prometheus]:
    """One that is ready; `JudgeError` where it does not get so."""
    with TemporaryDirectory(prefix="lockgate-prometheus-") as folder:
        file = Path(folder) / "prometheus.yml"
        file.write_text(json.dumps(_configuration(sources, scrape_seconds)), encoding="utf-8")
        port = _free_port()
        command = [
            "prometheus",
            f"--config.file={file}",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ]
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        ) as process:
            try:
                yield _ready(f"http://127.0.0.1:{port}/", process, len(sources))
            finally:
                _stop(process)


def _configuration(sources: Sequence[Source], scrape_seconds: float) -> dict[str, Any]:
    """JSON is YAML."""
    every = f"{round(scrape_seconds * 1000)}ms"
    targets = [
        {"targets": [urlsplit(source.url).netloc], "labels": dict(source.labels)} for source in sources
    ]
    return {
        "global": {"scrape_interval": every, "scrape_timeout": every},
        "scrape_configs": [{"job_name": "lockgate", "static_configs": targets}],
    }


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
        return port


def _ready(url: str, process: subprocess.Popen[bytes], sources: int) -> Prometheus:
    """Once it has scraped every source: it looks for them only some seconds after it is up."""
    judge = Prometheus(url)
    until = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            if sum(judge.ask(Selector("up"))) == sources:
                return judge
        except JudgeError:
            pass
        time.sleep(_POLL_SECONDS)
    raise JudgeError("the installed 'prometheus' did not start, or does not get at the servers")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
