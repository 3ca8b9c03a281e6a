"""What answers: a failure of ours costs one request, is logged under its id, and tells the client nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lockgate_runtime.server.auth import Tokens
from lockgate_runtime.server.exchange import Exchange
from lockgate_runtime.server.logs import Logs
from lockgate_runtime.server.monitor import Silent
from lockgate_runtime.server.routes import GET, Router, reading


class Paper:
    """A connection that keeps what is answered."""

    lost = False

    def __init__(self) -> None:
        self.answers: list[Exchange] = []

    def head_lines(self, exchange: Exchange) -> bytes:
        return b""

    def answered(self, exchange: Exchange) -> None:
        self.answers.append(exchange)


class Counted(Silent):
    def __init__(self) -> None:
        self.reasons: list[str] = []

    def refused(self, reason: str) -> None:
        self.reasons.append(reason)


def test_a_failure_is_answered_logged_and_counted() -> None:
    def fail(exchange: Exchange) -> None:
        raise ValueError("a secret of the server")

    read, write = os.pipe()
    logs, monitor, paper = Logs(write), Counted(), Paper()
    router = Router({b"/x": reading(fail)}, None, monitor, logs)
    exchange = Exchange(paper, GET, b"/x", {b"x-request-id": b"my-id"}, b"", 0.0, True)
    router.handle(exchange)
    router.closed(exchange)
    logs.close()
    os.close(write)
    with os.fdopen(read) as pipe:
        line = json.loads(pipe.readline())
    assert (line["request_id"], line["error"], line["text"]) == (
        "my-id",
        "ValueError",
        "a secret of the server",
    )
    assert line["at"].startswith("routes.py:")
    assert (exchange.status, monitor.reasons, router.in_flight) == (500, ["failed"], 0)
    assert b"secret" not in (exchange.reply or b"")


@pytest.mark.parametrize(
    "url", [b"/a/b", b"/a%2Fb", b"/%61/b?x=y", b"http://host:80/a/b", b"//", b"*", b"", b"/%", b"http://"]
)
def test_a_path_is_found_however_it_is_written(url: bytes) -> None:
    paper = Paper()
    logs = Logs()
    router = Router({b"/a/b": reading(lambda it: it.answer(200, b""))}, None, Silent(), logs)
    router.handle(Exchange(paper, GET, url, {}, b"", 0.0, True))
    assert paper.answers[0].status == (200 if b"b" in url else 404)
    logs.close()


def test_nobody_is_let_in_while_the_tokens_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("one\n")
    tokens = Tokens(path)
    assert tokens.admit({b"x-api-key": b"one"})
    path.unlink()
    tokens.reread()
    assert not tokens.admit({b"x-api-key": b"one"})
    path.write_text("\n")
    tokens.reread()
    assert not tokens.admit({b"x-api-key": b""})
    path.write_text("two\n")
    tokens.reread()
    assert tokens.admit({b"authorization": b"Bearer two"})
