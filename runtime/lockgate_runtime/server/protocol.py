"""HTTP/1.1 over a connection: bytes in, exchanges out, answers in the order of the questions.

llhttp reads the syntax, strictly. What a client could use against the server has a bound here: the size of head and
body, the time each may take, how many requests are under way, and answers that are not taken. Knows no paths.
"""

from __future__ import annotations

import asyncio
from collections import deque
from enum import Enum, auto
from time import perf_counter
from typing import TYPE_CHECKING, cast

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpRequestParser

from lockgate_runtime.server import http_rules
from lockgate_runtime.server.exchange import Exchange
from lockgate_runtime.server.http_rules import READ
from lockgate_runtime.server.limits import SMALL_BODY_BYTES

if TYPE_CHECKING:
    from lockgate_runtime.server.front import Front
    from lockgate_runtime.server.refused import Refused

_SLICE_BYTES = 4096
_MOST_TURNED_AWAY = 256
"""So many connections above the limit are told so before they are closed; those beyond are only closed."""


class _Phase(Enum):
    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    LINGER = auto()
    """No more is read; what still comes is thrown away, so that the answer is not lost to a reset."""


class _Stop(Exception):  # noqa: N818 - ends the parser's run; the refusal is on its way
    pass


class Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, front: Front) -> None:
        self.lost = False
        self._front = front
        self._limits = front.limits
        self._parser = HttpRequestParser(self)
        self._phase = _Phase.IDLE
        self._since = front.loop.time()
        self._stuck_since: float | None = None
        self._asked: deque[Exchange] = deque()
        self._later: deque[Exchange] = deque()
        self._unread = b""
        self._reading = True
        self._upgrading = self._ended = False
        self._between, self._whole = True, b""
        """Whether the parser stands between two requests and would take another; what came then, while it is read."""
        self._begin()

    def head_lines(self, exchange: Exchange) -> bytes:
        """While draining, the last answer of a connection says that it is the last."""
        front = self._front
        if front.draining and exchange.keep_alive:
            exchange.keep_alive = bool(self._later or self._unread or exchange is not self._asked[-1])
        if not exchange.keep_alive:
            return front.date + b"Connection: close\r\n"
        return front.date + b"Connection: keep-alive\r\n" if exchange.old else front.date

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._front.clients.add(self)
        over = len(self._front.clients) - self._limits.connections
        if over > _MOST_TURNED_AWAY:
            self.abort()
        elif over > 0:
            self._refuse(http_rules.too_many_connections())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.lost = True
        self._front.clients.discard(self)
        self._release()
        for exchange in self._asked:
            self._front.application.closed(exchange)
        self._asked.clear()
        self._later.clear()
        self._unread = b""

    def data_received(self, data: bytes) -> None:
        if self._phase is _Phase.LINGER:
            return
        if self._unread or len(data) > _SLICE_BYTES:
            self._unread += data
            self._read_on()
        elif not self._between:
            self._feed(data)
        elif (known := self._front.heads.find(data)) is None:
            self._whole = data
            self._feed(data)
            self._whole = b""
        else:
            head, body = known
            self._ask(Exchange(self, head.method, head.url, head.headers, body, perf_counter(), True))  # noqa: FBT003
        if self._later or self._unread or not self._reading:
            self._pace()

    def eof_received(self) -> bool:
        """A client may close its side and still wait for answers."""
        self._ended = True
        return self._busy() and self._phase is not _Phase.LINGER

    def pause_writing(self) -> None:
        self._stuck_since = self._front.loop.time()
        self._pace()

    def resume_writing(self) -> None:
        self._stuck_since = None
        self._go_on()

    # What the front calls.

    def check(self, now: float) -> None:
        stuck, passed, limits = self._stuck_since, now - self._since, self._limits
        if stuck is not None and now - stuck > limits.write_seconds:
            self.abort()
        elif self._phase is _Phase.LINGER:
            self._check_linger(passed)
        elif not self._reading:
            return
        elif self._phase is _Phase.HEAD and passed > limits.head_seconds:
            self._refuse(http_rules.too_slow("head"))
        elif self._phase is _Phase.BODY and passed > limits.body_seconds:
            self._refuse(http_rules.too_slow("body"))
        elif self._phase is _Phase.IDLE and not self._asked and passed > limits.idle_seconds:
            self._hang_up()

    def _check_linger(self, passed: float) -> None:
        if self._asked:
            return
        if self._transport.get_write_buffer_size() == 0 and passed > self._limits.linger_seconds:
            self._transport.close()
        elif passed > self._limits.write_seconds:
            self.abort()

    def close_if_idle(self, since: float) -> None:
        if self._phase is _Phase.IDLE and not self._asked and self._since <= since:
            self._hang_up()

    def abort(self) -> None:
        self._transport.abort()

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._upgrading:
            return
        if self._phase is _Phase.LINGER:
            raise _Stop
        self._begin()
        self._between = False
        self._phase, self._since = _Phase.HEAD, self._front.loop.time()

    def on_url(self, url: bytes) -> None:
        self._url += url
        if len(self._url) > self._limits.url_bytes and not self._upgrading:
            self._stop(http_rules.address_too_long(self._limits))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value)
        self._header_count += 1
        if self._head_bytes > self._limits.head_bytes or self._header_count > self._limits.headers:
            self._stop(http_rules.head_too_large(self._limits))
        name = name.lower()
        if name in READ and self._phase is _Phase.HEAD:
            self._headers[name] = value

    def on_headers_complete(self) -> None:
        self._phase = _Phase.BODY
        parser = self._parser
        if parser.should_upgrade():
            self._meet_upgrade()
            return
        headers = self._headers
        if b"host" not in headers and parser.get_http_version() == "1.1":
            self._stop(http_rules.malformed("the request has no header 'Host'"))
        length = headers.get(b"content-length")
        if length is not None:
            self._expect_body(int(length))
        elif b"transfer-encoding" in headers:
            self._expect_body(None)

    def _meet_upgrade(self) -> None:
        if self._parser.get_method() == b"CONNECT":
            self._stop(http_rules.malformed("the method 'CONNECT' is not known here"))
        self._upgrading = True

    def _expect_body(self, length: int | None) -> None:
        if length is not None and length > self._limits.body_bytes:
            self._stop(http_rules.body_too_large(self._limits))
        if length is None or length > SMALL_BODY_BYTES:
            refused = self._front.application.refuse_early(self._url, self._headers, length)
            if refused is not None:
                self._stop(refused)
            self._hold(length or self._limits.body_bytes)
        expected = self._headers.get(b"expect")
        if expected is not None:
            self._meet(expected)

    def _hold(self, count: int) -> None:
        """Count a large body before it comes, so that many at once cannot take more memory than there is."""
        if self._front.held_bytes + count > self._limits.held_bytes:
            self._stop(http_rules.too_many_held())
        self._front.held_bytes += count
        self._held += count

    def _meet(self, expected: bytes) -> None:
        if expected.lower() != b"100-continue":
            self._stop(http_rules.unknown_expectation())
        if not self._asked:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > self._limits.body_bytes:
            self._stop(http_rules.body_too_large(self._limits))
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._upgrading:
            return
        parser, parts = self._parser, self._body
        exchange = Exchange(
            self,
            parser.get_method(),
            self._url,
            self._headers,
            parts[0] if len(parts) == 1 else b"".join(parts),
            perf_counter(),
            parser.should_keep_alive(),
        )
        exchange.old = parser.get_http_version() == "1.0"
        self._phase, self._between = _Phase.IDLE, exchange.keep_alive
        if self._whole:
            self._front.heads.learn(self._whole, exchange)
        self._release()
        self._ask(exchange)

    # Reading.

    def _begin(self) -> None:
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._body_bytes = self._head_bytes = self._header_count = self._held = 0

    def _feed(self, data: bytes) -> None:
        within_head = self._phase is _Phase.HEAD
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._without_upgrade(data[upgrade.args[0] :])
        except HttpParserCallbackError as error:
            if not isinstance(error.__context__, _Stop):
                raise
        except HttpParserError as error:
            if self._phase is not _Phase.LINGER:
                self._refuse(http_rules.malformed(f"the request is not HTTP/1.1: {error}"))
        if within_head and self._phase is _Phase.HEAD:
            # The parser keeps what it has of a header to itself until the header is whole.
            self._head_bytes += len(data)
            if self._head_bytes > self._limits.head_bytes:
                self._refuse(http_rules.head_too_large(self._limits))

    def _without_upgrade(self, rest: bytes) -> None:
        """Go on as if no upgrade had been asked for, which is the server's right; the parser has to be told anew.

        Java's client asks for HTTP/2 this way with its first request, and sends the body all the same.
        """
        lines = [
            b"%b: %b\r\n" % (name, self._headers[name])
            for name in http_rules.FRAMING
            if name in self._headers
        ]
        method = self._parser.get_method()
        self._parser = HttpRequestParser(self)
        self._replay(b"%b / HTTP/1.1\r\n%b\r\n" % (method, b"".join(lines)))
        self._feed(rest)

    def _replay(self, head: bytes) -> None:
        url, headers = self._url, self._headers
        self._phase = _Phase.HEAD
        self._parser.feed_data(head[:-2])
        self._url, self._headers, self._upgrading = url, headers, False
        self._feed(head[-2:])

    def _read_on(self) -> None:
        while self._unread and not self._later and self._phase is not _Phase.LINGER:
            data, self._unread = self._unread[:_SLICE_BYTES], self._unread[_SLICE_BYTES:]
            self._feed(data)

    def _pace(self) -> None:
        """Read from the socket only what can be worked on."""
        reading = not self._unread and not self._later and self._stuck_since is None
        if reading is self._reading or self.lost or self._transport.is_closing():
            return
        self._reading = reading
        if reading:
            self._since = self._front.loop.time()
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    # Answering.

    def _ask(self, exchange: Exchange) -> None:
        if self._front.draining:
            # Which one is the last shows when all that was received is read.
            self._front.loop.call_soon(self._go_on)
        elif not self._later and self._has_room():
            self._hand_on(exchange)
            return
        self._later.append(exchange)

    def _has_room(self) -> bool:
        return len(self._asked) < self._limits.pipelined and self._stuck_since is None

    def _hand_on(self, exchange: Exchange) -> None:
        self._asked.append(exchange)
        if exchange.reply is None:
            self._front.application.handle(exchange)
        else:
            self.answered(exchange)

    def answered(self, exchange: Exchange) -> None:
        asked, front = self._asked, self._front
        if self.lost or not asked or asked[0] is not exchange:
            return
        while asked and (reply := asked[0].reply) is not None:
            first = asked.popleft()
            self._transport.write(reply)
            front.application.closed(first)
            if not first.keep_alive:
                self._hang_up()
                return
        if self._phase is _Phase.IDLE:
            self._since = front.loop.time()
        if self._later or self._unread:
            self._front.loop.call_soon(self._go_on)
        elif self._ended and not asked:
            self._hang_up()

    def _go_on(self) -> None:
        """Take up what was put off; a part of it each turn, so that nobody else has to wait."""
        if self.lost:
            return
        while self._later and self._has_room():
            self._hand_on(self._later.popleft())
        self._read_on()
        self._pace()
        if self._ended and not self._busy():
            self._hang_up()

    def _busy(self) -> bool:
        return bool(self._asked or self._later or self._unread)

    def _stop(self, refused: Refused) -> None:
        self._refuse(refused)
        raise _Stop

    def _refuse(self, refused: Refused) -> None:
        """Answer, after what was asked before, and read no more: what follows cannot be told apart."""
        method = self._parser.get_method() if self._phase is _Phase.BODY else b""
        self._release()
        self._phase, self._since = _Phase.LINGER, self._front.loop.time()
        self._unread = b""
        exchange = Exchange(self, method, self._url, self._headers, b"", perf_counter(), False)  # noqa: FBT003
        exchange.refuse(refused)
        self._ask(exchange)

    def _hang_up(self) -> None:
        """Close once all is written. What still comes is read and dropped for a moment; see `_Phase.LINGER`."""
        self._phase, self._since = _Phase.LINGER, self._front.loop.time()
        for exchange in self._asked:
            self._front.application.closed(exchange)
        self._asked.clear()
        self._later.clear()
        self._unread = b""
        if self._transport.can_write_eof():
            self._transport.write_eof()
        if not self._reading:
            self._reading = True
            self._transport.resume_reading()

    def _release(self) -> None:
        self._front.held_bytes -= self._held
        self._held = 0
