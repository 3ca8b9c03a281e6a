"""Bytes that nobody would send: whatever comes, in whatever pieces, the server answers or closes, and lives on."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.server.listening_front import Fronted, fronted, read_all, statuses

from lockgate_runtime.server.limits import Limits

LIMITS = Limits(
    body_bytes=2000,
    held_bytes=100_000,
    head_bytes=1500,
    headers=10,
    url_bytes=200,
    pipelined=3,
    head_seconds=1,
    body_seconds=1,
    idle_seconds=1,
    linger_seconds=0.2,
)
ANSWERS = {100, 200, 400, 401, 408, 413, 414, 417, 431, 503}
LINES = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\n",
        b"POST /secret HTTP/1.1\r\n",
        b"HEAD * HTTP/1.0\r\n",
        b"CONNECT a:1 HTTP/1.1\r\n",
        b"GET http://a/b?c HTTP/1.1\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"Host: a\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: 1999\r\n",
        b"Content-Length: 999999999\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Expect: 100-continue\r\n",
        b"Connection: close\r\n",
        b"Connection: Upgrade\r\nUpgrade: h2c\r\n",
        b"X: " + b"y" * 800 + b"\r\n",
        b" folded\r\n",
        b"\r\n",
        b"5\r\nabcde\r\n",
        b"fffffffffffffffff\r\n",
        b"0\r\n\r\n",
        b"abcde",
        b"\r\n\r\n\r\n",
    ]
)
STREAMS = st.lists(LINES | st.binary(max_size=12), max_size=25).map(b"".join)


@pytest.fixture(scope="module")
def server() -> Iterator[Fronted]:
    with fronted(LIMITS) as running:
        yield running


@given(stream=STREAMS, cuts=st.lists(st.integers(1, 200), max_size=4))
@example(stream=b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n" * 9, cuts=[])
@example(
    stream=b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade\r\nUpgrade: x\r\n\r\n" * 9, cuts=[3]
)
@settings(max_examples=400)
def test_any_bytes_are_answered_or_refused_and_the_server_lives_on(
    server: Fronted, stream: bytes, cuts: list[int]
) -> None:
    with server.connect() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for cut in cuts:
                client.sendall(stream[:cut])
                stream = stream[cut:]
            client.sendall(stream)
            client.shutdown(socket.SHUT_WR)
            answers = read_all(client)
        except ConnectionError:
            answers = b""
    assert set(statuses(answers)) <= ANSWERS
    assert statuses(server.talk(b"GET /fine HTTP/1.1\r\nHost: a\r\n\r\n")) == [200]
    assert server.front.held_bytes == 0
