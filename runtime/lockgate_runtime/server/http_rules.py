"""Which headers are read, and how HTTP's own rules and limits are told to who breaks them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockgate_runtime.server.refused import Refused

if TYPE_CHECKING:
    from lockgate_runtime.server.limits import Limits

FRAMING = (b"content-length", b"transfer-encoding")
READ = frozenset(
    {
        *FRAMING,
        b"authorization",
        b"content-encoding",
        b"content-type",
        b"expect",
        b"host",
        b"inference-header-content-length",
        b"traceparent",
        b"tracestate",
        b"x-api-key",
        b"x-request-id",
    }
)
"""Headers that anything in the server reads; all others are counted and dropped."""


def malformed(message: str) -> Refused:
    return Refused(400, "malformed", message)


def head_too_large(limits: Limits) -> Refused:
    message = f"the request's head is over {limits.head_bytes} bytes or {limits.headers} headers"
    return Refused(431, "head-too-large", message)


def address_too_long(limits: Limits) -> Refused:
    return Refused(414, "head-too-large", f"the address is over {limits.url_bytes} bytes")


def body_too_large(limits: Limits) -> Refused:
    return Refused(413, "body-too-large", f"the body is over {limits.body_bytes} bytes; send fewer rows")


def too_slow(part: str) -> Refused:
    return Refused(408, "slow-request", f"the request's {part} did not arrive in time")


def too_many_held() -> Refused:
    return Refused(503, "overloaded", "too many large requests are being received; try again later")


def too_many_connections() -> Refused:
    return Refused(503, "connections", "too many connections are open; try again later")


def unknown_expectation() -> Refused:
    return Refused(417, "malformed", "the header 'Expect' asks for what is not known here")
