"""Heads that are known are not parsed again, and nobody can tell but by the clock."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.server.listening_front import Echo

from lockgate_runtime.server.exchange import Exchange
from lockgate_runtime.server.front import Front
from lockgate_runtime.server.heads import Head, Heads
from lockgate_runtime.server.limits import Limits
from lockgate_runtime.server.protocol import Connection

GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
WHOLE = [
    GET,
    POST + b"abcde",
    POST + b"\r\n\r\nx",
    GET.replace(b"/a", b"/later"),
    b"\r\n" + GET,
    GET[:-2] + b"X-Request-ID: mine\r\n\r\n",
    GET[:-2] + b"Connection: close\r\n\r\n",
    GET.replace(b"1.1", b"1.0"),
    GET.replace(b"1.1", b"1.0")[:-2] + b"Connection: keep-alive\r\n\r\n",
    GET[:-2] + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    POST[:-2] + b"Expect: 100-continue\r\n\r\nabcde",
    GET[:-2] + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
    b"HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n",
]
PARTS = [POST, POST + b"abc", b"de", b"abcde", GET[:-2], GET[:-4], b"\r\n", b"\r\n\r\n", b"nonsense\r\n\r\n"]


class Forgetful(Heads):
    """Knows no head, ever."""

    def find(self, data: bytes) -> tuple[Head, bytes] | None:
        del data
        return None


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = self.reading = False

    def write(self, data: object) -> None:
        self.written += cast("bytes", data)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.written += b"(end)"

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return 0


def answers_to(parts: Sequence[bytes], heads: Heads) -> bytes:
    """All that is written, but for times and ids that the server makes up."""

    async def talk() -> bytes:
        front, wire = Front(asyncio.get_running_loop(), Echo(), Limits(pipelined=2)), Wire()
        front.heads = heads
        connection = Connection(front)
        connection.connection_made(wire)
        for part in parts:
            connection.data_received(part)
            await asyncio.sleep(0)
        return re.sub(rb"(?m)^Date: .*\r\n|[0-9a-f]{12}-\d+", b"", wire.written)

    return asyncio.run(talk())


@given(parts=st.lists(st.sampled_from(WHOLE) | st.sampled_from(PARTS), max_size=8))
@example(parts=[GET, GET, GET[:-4], b"\r\n\r\n", POST + b"abcde", POST, b"abcde", POST + b"abcde" + GET])
@example(parts=[WHOLE[6], GET])
@settings(max_examples=150)
def test_what_is_answered_does_not_depend_on_what_is_known(parts: list[bytes]) -> None:
    heads = Heads()
    answers_to(WHOLE[:6], heads)
    assert answers_to(parts, heads) == answers_to(parts, Forgetful())


@pytest.mark.parametrize("request_", [GET, POST + b"abcde"])
def test_a_head_is_known_from_the_second_time_on(request_: bytes) -> None:
    heads = Heads()
    assert heads.find(request_) is None
    answers_to([request_], heads)
    found = heads.find(request_)
    assert found is not None
    assert found[1] == request_.partition(b"\r\n\r\n")[2]
    assert heads.find(request_ + b"x") is None


@pytest.mark.parametrize("request_", WHOLE[5:12])
def test_heads_of_one_request_alone_are_not_kept(request_: bytes) -> None:
    heads = Heads()
    answers_to([request_], heads)
    # An offer of another protocol is passed over, and its head with it.
    assert (heads.find(request_) is not None) == (b"Upgrade" in request_)


def test_what_is_kept_has_an_end() -> None:
    heads = Heads()
    requests = [GET.replace(b"/a", b"/%d" % number) for number in range(600)]
    line = Connection(Front(asyncio.new_event_loop(), Echo(), Limits()))
    for request in requests:
        heads.learn(request, Exchange(line, b"GET", b"/", {}, b"", 0.0, True))
    assert 0 < sum(heads.find(request) is not None for request in requests) <= 512
