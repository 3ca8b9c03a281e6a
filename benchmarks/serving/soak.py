"""Load, hostile requests and slow clients at once, for a while: the server must answer, and its memory stay flat."""

from __future__ import annotations

import asyncio
import http.client
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import rows
from contenders import LOCKGATE
from extras import running
from processes import Server, ask

_WARM_SECONDS = 60.0  # So long it takes until the pools of all libraries are as large as they get.
_CONNECTIONS = 16
_SLOW_CLIENTS = 32
_REPORTS = 10
_MOST_GROWTH_MEGABYTES = 8.0


def soak(artifacts: Path, holdout: rows.Holdout, seconds: float) -> int:
    """1 where memory grew, a request was answered 5xx, or the server no longer answers."""
    with running(LOCKGATE, artifacts, holdout) as server:
        requests = _requests(holdout)
        asyncio.run(_attack(server, requests, _WARM_SECONDS, Counter()))
        begun, statuses = server.megabytes(), Counter[str]()
        for step in range(_REPORTS):
            asyncio.run(_attack(server, requests, seconds / _REPORTS, statuses))
            print(
                f"{(step + 1) * seconds / _REPORTS:.0f} s: {server.megabytes():.1f} MB",
                file=sys.stderr,
                flush=True,
            )
        ended = server.megabytes()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        alive = ask(connection, "/v1/predict", rows.as_rows(holdout.rows[0]), "application/json")[0] == 200
        connection.close()
    said = ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))
    print(f"{seconds:g} s, answers by status: {said}. MB at the start {begun:.1f}, at the end {ended:.1f}.")
    failed = any(status.startswith("5") and status != "503" for status in statuses)
    return int(not alive or failed or ended - begun > _MOST_GROWTH_MEGABYTES)


def _requests(holdout: rows.Holdout) -> list[bytes]:
    """Right ones, and as many that are wrong in some way."""
    right = [_request(rows.as_rows(it)) for it in holdout.rows[:500]]
    large = _request(rows.as_columns(holdout.rows[:1000]))
    arrow = _request(rows.as_stream(holdout.table.slice(0, 1000)), "application/vnd.apache.arrow.stream")
    return [*right, large, arrow, *_wrong(holdout) * 40]


def _wrong(holdout: rows.Holdout) -> list[bytes]:
    good = rows.as_rows(holdout.rows[0])
    bodies = (
        b"",
        b"{",
        b"[" * 100_000,
        b'{"rows":[{"distance":1e999}]}',
        b'{"rows":[{"distance":' + b"9" * 5000 + b"}]}",
        b'{"rows":[]}',
        b'{"rows":[{"\\ud800":1}]}',
        b"\xff\xfe\x00",
        good.replace(b":", b":NaN,", 1),
        good.replace(b'"carrier"', b'"carrier\\u0000"'),
    )
    heads = (
        b"GET / HTTP/1.1\r\n\r\n",
        b"NONSENSE\r\n\r\n",
        b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
        b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"a" * 20_000),
        b"GET / HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n" % (b"a" * 70_000),
        b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 30,
        b"GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n",
    )
    kinds = [_request(good, "text/plain"), _request(b"ARROW1", "application/vnd.apache.arrow.file")]
    return [*(_request(it) for it in bodies), *heads, *kinds]


def _request(body: bytes, kind: str = "application/json") -> bytes:
    head = (
        f"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _attack(server: Server, requests: Sequence[bytes], seconds: float, statuses: Counter[str]) -> None:
    end = time.monotonic() + seconds
    clients = [
        _ask(server.port, requests, random.Random(seed), end, statuses) for seed in range(_CONNECTIONS)
    ]
    slow = [_dribble(server.port, requests[seed], end) for seed in range(_SLOW_CLIENTS)]
    await asyncio.gather(*clients, *slow)


async def _ask(
    port: int, requests: Sequence[bytes], chance: random.Random, end: float, statuses: Counter[str]
) -> None:
    """One request after the other; connects again where the server closed."""
    while time.monotonic() < end:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while time.monotonic() < end:
                writer.write(chance.choice(requests))
                statuses[await asyncio.wait_for(_status(reader), 15)] += 1
                if chance.random() < 0.01:
                    break
        except (OSError, asyncio.IncompleteReadError):
            statuses["closed"] += 1
        except TimeoutError:
            statuses["no answer"] += 1
        finally:
            writer.close()


async def _status(reader: asyncio.StreamReader) -> str:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    await reader.readexactly(length)
    return head[9:12].decode()


async def _dribble(port: int, request: bytes, end: float) -> None:
    """A client that sends a byte now and then."""
    while time.monotonic() < end:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for at in range(len(request)):
                if time.monotonic() > end:
                    break
                writer.write(request[at : at + 1])
                await writer.drain()
                await asyncio.sleep(0.1)
        except OSError:
            pass
        finally:
            writer.close()
