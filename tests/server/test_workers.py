"""Processes: several workers on one port, one that dies, and servers that stop while requests come."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.server.hostile import BUS, BUS_REFERENCE
from tests.server.model_folder import write_folder
from tests.server.test_serving import JSON, ROW

BODY = json.dumps({"rows": [ROW]}).encode()
PATIENCE_SECONDS = 20


class Running(NamedTuple):
    process: subprocess.Popen[str]
    port: int

    def workers(self) -> set[int]:
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return set(map(int, found.split()))

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)

    def get(self, path: str) -> tuple[int, bytes]:
        connection = self.connect()
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("bus") / "model", BUS, BUS_REFERENCE)


@contextmanager
def running(folder: Path, *options: str, port: int = 0) -> Iterator[Running]:
    command = [sys.executable, "-m", "lockgate_runtime", "serve", "--model", str(folder), "--port", str(port)]
    with subprocess.Popen(
        [*command, "--drain-seconds", "3", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            found = re.search(r":(\d+)/ \(", line)
            assert found is not None, line
            yield Running(process, int(found[1]))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


class Load:
    """Clients that ask without a pause, until `end`, over connections that are kept as long as the server lets them."""

    def __init__(self, port: int, clients: int) -> None:
        self._port = port
        self._stop = threading.Event()
        self.answered = [0] * clients
        self.lost: list[str] = []
        self.closed = 0
        self._threads = [threading.Thread(target=self._ask, args=(place,)) for place in range(clients)]
        for thread in self._threads:
            thread.start()

    def wait_for(self, more: int) -> None:
        """Until each client has been answered so often again."""
        goals = [count + more for count in self.answered]
        while any(count < goal for count, goal in zip(self.answered, goals, strict=True)) and not self.lost:
            self._stop.wait(0.01)

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, place: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_SECONDS)
        while not self._stop.is_set():
            try:
                connection.request("POST", "/v1/predict", BODY, JSON)
                response = connection.getresponse()
                status = response.status
                response.read()
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(repr(error))
                return
            if status != 200:
                self.lost.append(str(status))
                return
            if response.will_close:
                self.closed += 1
                connection.close()
            self.answered[place] += 1
        connection.close()


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_in_order(folder: Path, workers: str, number: int) -> None:
    with running(folder, "--workers", workers) as server:
        assert server.get("/v2/health/ready")[0] == 200
        assert server.stop(number) == 0


def test_a_terminal_that_interrupts_all_processes_at_once_ends_them_in_order(folder: Path) -> None:
    with running(folder, "--workers", "2") as server:
        os.killpg(server.process.pid, signal.SIGINT)
        assert server.process.wait(PATIENCE_SECONDS) == 0


def test_while_draining_it_is_not_ready_and_still_answers(folder: Path) -> None:
    with running(folder) as server:
        connection = server.connect()
        connection.request("GET", "/v2/health/ready")
        assert connection.getresponse().read()
        server.process.send_signal(signal.SIGTERM)
        while server.get("/v2/health/ready")[0] != 503:
            pass
        connection.request("POST", "/v1/predict", BODY, JSON)
        response = connection.getresponse()
        assert (response.status, response.headers["Connection"]) == (200, "close")
        response.read()
        assert server.process.wait(PATIENCE_SECONDS) == 0


def test_rolling_from_one_server_to_the_next_loses_no_request(folder: Path) -> None:
    with running(folder, "--workers", "2") as old:
        load = Load(old.port, clients=8)
        try:
            load.wait_for(20)
            with running(folder, "--workers", "2", port=old.port) as new:
                assert old.stop() == 0
                load.wait_for(20)
                load.end()
                assert load.lost == []
                assert load.closed > 0
                assert new.stop() == 0
        finally:
            load.end()


def test_all_workers_count_into_the_same_metrics(folder: Path) -> None:
    with running(folder, "--workers", "2") as server:
        assert len(server.workers()) == 2
        load = Load(server.port, clients=12)
        load.wait_for(5)
        load.end()
        assert load.lost == []
        total = sum(load.answered)
        # An answer leaves just before it is counted.
        assert any(counted(server.get("/metrics")[1]) == total for _ in range(500))
        for _ in range(6):
            _, text = server.get("/metrics")
            assert counted(text) == total


def counted(metrics: bytes) -> int:
    found = re.search(rb'lockgate_requests_total\{.*route="v1",code="200"\} (\d+)', metrics)
    assert found is not None
    return int(found[1])


def test_a_worker_that_dies_is_started_again_and_its_counts_stay(folder: Path) -> None:
    with running(folder, "--workers", "2") as server:
        load = Load(server.port, clients=8)
        load.wait_for(5)
        load.end()
        before = counted(server.get("/metrics")[1])
        died = min(server.workers())
        os.kill(died, signal.SIGKILL)
        while died in (now := server.workers()) or len(now) < 2:
            pass
        assert server.get("/v2/health/ready")[0] == 200
        assert counted(server.get("/metrics")[1]) == before
        assert server.stop() == 0


def test_workers_stop_when_their_parent_is_gone(folder: Path) -> None:
    with running(folder, "--workers", "2") as server:
        workers = server.workers()
        server.process.kill()
        server.process.wait(PATIENCE_SECONDS)
        while any(is_alive(pid) for pid in workers):
            pass


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
