"""Heads of requests that were read before: who keeps a connection sends the same bytes again and again.

The parser is the only one that reads a head. What it made of one is kept here and given for the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockgate_runtime.server.exchange import Exchange

_MOST_HEADS = 512
_MOST_BYTES = 1024
_END = b"\r\n\r\n"
_UNFIT = (b"expect", b"traceparent", b"tracestate", b"transfer-encoding", b"x-request-id")
"""Headers that ask for more than an answer, or that are of one request alone."""


class Head(NamedTuple):
    """`length` is of the body that follows, in bytes."""

    method: bytes
    url: bytes
    headers: Mapping[bytes, bytes]
    length: int


class Heads:
    """Of all connections of a worker, with an end to how much is kept."""

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}

    def find(self, data: bytes) -> tuple[Head, bytes] | None:
        """Head and body, where the data is one whole request with nothing after it, and its head is known."""
        start, end, body = data.partition(_END)
        head = self._known.get(start)
        return (head, body) if head is not None and end and len(body) == head.length else None

    def learn(self, data: bytes, exchange: Exchange) -> None:
        """Keep the head of a request that leaves its connection open, where it is all that the data holds."""
        start, _, body = data.partition(_END)
        if body != exchange.body or len(start) > _MOST_BYTES or not exchange.keep_alive or exchange.old:
            return
        if any(name in exchange.headers for name in _UNFIT):
            return
        if len(self._known) >= _MOST_HEADS:
            self._known.clear()
        self._known[start] = Head(exchange.method, exchange.url, exchange.headers, len(body))
