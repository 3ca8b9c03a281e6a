"""One request and the bytes of its answer. Knows HTTP's words and nothing of sockets or models."""

from __future__ import annotations

import itertools
import re
import secrets
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lockgate_runtime.server.refused import Refused

JSON = b"application/json"
BINARY = b"application/octet-stream"
_GIVEN_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}").fullmatch


class Line(Protocol):
    """The connection that an exchange came in on."""

    lost: bool

    def head_lines(self, exchange: Exchange) -> bytes:
        """`Date`, and `Connection` where it has something to say."""

    def answered(self, exchange: Exchange) -> None: ...


class Exchange:
    """A whole request; `answer` is called once, and only the first call counts.

    `counted` is the route that inference requests are counted under, `started` is when the whole request was there,
    and `then` is called when all is over.
    """

    __slots__ = (
        "body", "counted", "headers", "keep_alive", "line", "method", "old", "reason", "reply", "request_id",
        "started", "status", "then", "url",
    )  # fmt: skip

    def __init__(
        self,
        line: Line,
        method: bytes,
        url: bytes,
        headers: Mapping[bytes, bytes],
        body: bytes,
        started: float,
        keep_alive: bool,  # noqa: FBT001
    ) -> None:
        self.line = line
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.started = started
        self.keep_alive = keep_alive
        self.old = False
        self.reply: bytes | None = None
        self.counted: str | None = None
        self.then: Callable[[Exchange], None] | None = None
        self.reason: str | None = None
        self.status = 0
        given = headers.get(b"x-request-id")
        self.request_id = given.decode() if given and _GIVEN_ID(given) else f"{_prefix}-{next(_counter)}"

    def answer(self, status: int, body: bytes, content_type: bytes = JSON, more: bytes = b"") -> None:
        """Hand over the answer. `more` are further header lines, each with its line end."""
        if self.reply is not None:
            return
        self.status = status
        length = len(body)
        if self.method == b"HEAD":
            body = b""
        self.reply = b"%b%b%bX-Request-ID: %b\r\nContent-Length: %d\r\n\r\n%b" % (
            _head(status, content_type),
            self.line.head_lines(self),
            more,
            self.request_id.encode(),
            length,
            body,
        )
        self.line.answered(self)

    def answer_json(self, status: int, value: object, more: bytes = b"") -> None:
        self.answer(status, msgspec.json.encode(value), JSON, more)

    def refuse(self, refused: Refused, more: bytes = b"") -> None:
        """Answer with what is wrong; the client reads when to come again where that helps."""
        if refused.status in {429, 503}:
            more += b"Retry-After: 1\r\n"
        if refused.status == 401:
            more += b"WWW-Authenticate: Bearer\r\n"
        if self.reply is None:
            self.reason = refused.reason
        self.answer(refused.status, refused.body(self.request_id), JSON, more)


_prefix, _counter = secrets.token_hex(6), itertools.count()


def renew_ids() -> None:
    """Begin another series of request ids; each worker does, for what is forked shares its parent's."""
    global _prefix, _counter
    _prefix, _counter = secrets.token_hex(6), itertools.count()


@lru_cache(maxsize=256)
def _head(status: int, content_type: bytes) -> bytes:
    return (
        b"HTTP/1.1 %d %b\r\nContent-Type: %b\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
        % (status, HTTPStatus(status).phrase.encode(), content_type)
    )
