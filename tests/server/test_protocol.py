"""HTTP/1.1 on raw sockets: what is answered, in which order, and what a client cannot do to the server."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
from tests.server.listening_front import Fronted, fronted, read_all, statuses

from lockgate_runtime.server.limits import Limits

LIMITS = Limits(
    body_bytes=100_000,
    held_bytes=150_000,
    head_bytes=2000,
    headers=20,
    url_bytes=500,
    connections=50,
    pipelined=4,
    head_seconds=0.3,
    body_seconds=0.3,
    idle_seconds=0.3,
    write_seconds=0.3,
    linger_seconds=0.3,
)
PATIENT = Limits(head_seconds=60, pipelined=4)


@pytest.fixture(scope="module")
def server() -> Iterator[Fronted]:
    with fronted(LIMITS) as running:
        yield running


@pytest.fixture(scope="module")
def patient() -> Iterator[Fronted]:
    with fronted(PATIENT) as running:
        yield running


def get(path: str, *headers: str, version: str = "1.1") -> bytes:
    lines = [f"GET {path} HTTP/{version}", "Host: x", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def post(path: str, body: bytes, *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def bodies(answers: bytes) -> list[bytes]:
    return [part.partition(b"\r\n\r\n")[2] for part in answers.split(b"HTTP/1.1 ")[1:]]


def test_an_answer_has_length_date_type_and_the_id_that_was_given(server: Fronted) -> None:
    head, _, body = server.talk(get("/a", "X-Request-ID: my.id_1-2")).partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 200 OK"
    assert {line.partition(b":")[0] for line in lines[1:]} == {
        *(b"Content-Type", b"X-Content-Type-Options", b"Cache-Control", b"Date", b"X-Request-ID"),
        b"Content-Length",
    }
    assert b"X-Request-ID: my.id_1-2" in lines
    assert body == b"/a"


@pytest.mark.parametrize("given", ["", "a b", "é", "x" * 129, '"', "a\tb"])
def test_an_id_that_is_not_plain_is_replaced(server: Fronted, given: str) -> None:
    answer = server.talk(get("/a", f"X-Request-ID: {given}"))
    assert statuses(answer) == [200]
    assert f"X-Request-ID: {given}\r\n".encode() not in answer


def test_many_requests_go_over_one_connection(server: Fronted) -> None:
    with server.connect() as client:
        for _ in range(3):
            client.sendall(post("/", b"again"))
            assert client.recv(65536).endswith(b"\r\n\r\nagain")


def test_a_head_that_is_known_still_waits_for_its_whole_body(patient: Fronted) -> None:
    asked = post("/known", b"four")
    with patient.connect() as client:
        for part in (asked, asked, asked[:-1], asked[-1:], asked):
            client.sendall(part)
            if part != asked[:-1]:
                assert client.recv(65536).endswith(b"\r\n\r\nfour")


def test_pipelined_requests_are_answered_in_their_order(server: Fronted) -> None:
    answers = server.talk(get("/1") + get("/later") + get("/3") + get("/4"))
    assert bodies(answers) == [b"/1", b"late", b"/3", b"/4"]


def test_many_more_pipelined_requests_than_are_worked_on_at_once_are_all_answered(patient: Fronted) -> None:
    answers = patient.talk(b"".join(get(f"/{number}") for number in range(2000)))
    assert bodies(answers) == [f"/{number}".encode() for number in range(2000)]


def test_what_came_before_a_mistake_is_answered_first(server: Fronted) -> None:
    answers = server.talk(b"".join(get(f"/{number}") for number in range(30)) + b"\0\r\n\r\n")
    assert statuses(answers) == [200] * 30 + [400]


def test_requests_after_the_last_one_of_a_connection_are_not_answered(server: Fronted) -> None:
    answers = server.talk(get("/1", "Connection: close") + get("/2"))
    assert bodies(answers) == [b"/1"]
    assert b"Connection: close\r\n" in answers


def test_a_body_in_chunks_is_put_together(server: Fronted) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    answers = server.talk(head + b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n" + get("/next"))
    assert bodies(answers) == [b"abcdefg", b"/next"]


def test_bytes_may_come_one_at_a_time(patient: Fronted) -> None:
    with patient.connect() as client:
        for byte in post("/", b"slow"):
            client.sendall(bytes([byte]))
        client.shutdown(socket.SHUT_WR)
        assert bodies(read_all(client)) == [b"slow"]


def test_continue_is_said_to_who_waits_for_it(server: Fronted) -> None:
    with server.connect() as client:
        client.sendall(post("/", b"body", "Expect: 100-continue")[:-4])
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"body")
        assert bodies(client.recv(65536)) == [b"body"]


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(server: Fronted) -> None:
    with server.connect() as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100001\r\n\r\n"
        )
        answers = read_all(client)
    assert statuses(answers) == [413]
    assert b"Connection: close" in answers


def test_who_sends_a_large_body_all_the_same_can_read_the_refusal(server: Fronted) -> None:
    assert statuses(server.talk(post("/", b"x" * 3_000_000))) == [413]


def test_chunks_that_grow_too_large_are_refused(server: Fronted) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert statuses(
        server.talk(head + b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n" + b"ffff\r\n" + b"x" * 0xFFFF)
    ) == [413]


def test_a_large_body_of_a_stranger_is_refused_before_it_is_read(server: Fronted) -> None:
    with server.connect() as client:
        client.sendall(b"POST /secret HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n")
        assert statuses(read_all(client)) == [401]


def test_large_bodies_share_a_bound_which_is_given_back(server: Fronted) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n"
    with server.connect() as first:
        first.sendall(head + b"x")
        assert 503 in {statuses(server.talk(head))[0] for _ in range(3)}
    assert server.front.held_bytes >= 0
    assert statuses(server.talk(post("/", b"y" * 90_000)))[-1] in {200, 503}


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /" + b"a" * 600 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 3000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 30 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        (b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 400),
        (b"GIT / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nContent-Length: 2\r\n\r\nab", 417),
    ],
)  # fmt: skip
def test_a_wrong_head_is_refused_and_the_connection_closed(server: Fronted, head: bytes, status: int) -> None:
    assert statuses(server.talk(head)) == [status]


def test_a_head_that_only_ever_grows_is_cut_off(patient: Fronted) -> None:
    with patient.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nA: ")
        with suppress(ConnectionError):
            for _ in range(100):
                client.sendall(b"a" * 4000)
        assert statuses(read_all(client)) == [431]


def test_an_offer_of_http_2_is_passed_over(server: Fronted) -> None:
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAA")
    answers = server.talk(post("/", b"body", *offer) + get("/next"))
    assert bodies(answers) == [b"body", b"/next"]


def test_the_old_protocol_closes_unless_it_is_asked_not_to(server: Fronted) -> None:
    assert b"Connection: close" in server.talk(b"GET /a HTTP/1.0\r\n\r\n")
    for host in (b"", b"Host: x\r\n"):
        kept = b"GET /a HTTP/1.0\r\n%bConnection: keep-alive\r\n\r\n" % host
        answers = server.talk(kept + get("/b", version="1.0"))
        assert bodies(answers) == [b"/a", b"/b"]
        assert b"Connection: keep-alive" in answers


def test_head_gives_the_length_and_no_body(server: Fronted) -> None:
    answer = server.talk(b"HEAD /four HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"Content-Length: 5\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("begun", "status"),
    [
        (b"GET / HT", [408]),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc", [408]),
        (b"", []),
        (b"\r\n\r\n", []),
        (get("/a"), [200]),
    ],
)
def test_a_client_that_goes_silent_is_told_so_and_closed(
    server: Fronted, begun: bytes, status: list[int]
) -> None:
    with server.connect() as client:
        client.sendall(begun)
        assert statuses(read_all(client)) == status


def test_a_client_that_does_not_read_is_dropped() -> None:
    with fronted(LIMITS) as server, server.connect() as client:
        client.sendall(get("/big"))
        assert server.forgot_one.wait(10)
        assert len(read_all(client)) < 8 << 20


def test_connections_above_the_limit_are_told_to_come_again(server: Fronted) -> None:
    clients = [server.connect() for _ in range(60)]
    try:
        assert statuses(read_all(clients[-1])) == [503]
    finally:
        for client in clients:
            client.close()


def test_a_client_that_leaves_is_forgotten(patient: Fronted) -> None:
    with patient.connect() as client:
        client.sendall(get("/never"))
    for _ in range(20):
        assert statuses(patient.talk(get("/"))) == [200]


def test_while_draining_the_last_answer_says_so(server: Fronted) -> None:
    with fronted(LIMITS) as draining:
        draining.front.draining = True
        answers = draining.talk(get("/1") + get("/2") + get("/3"))
    assert statuses(answers) == [200, 200, 200]
    assert answers.count(b"Connection: close") == 1
