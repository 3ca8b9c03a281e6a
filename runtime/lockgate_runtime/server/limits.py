"""What a client may ask of the server, in bytes, seconds and connections."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """`body_bytes` is of one request; `held_bytes` bounds all larger bodies that are being received or worked on.

    `idle_seconds` runs between requests, `head_seconds` and `body_seconds` until the whole of it is there, and
    `write_seconds` until a client that does not read has taken what waits for it.
    """

    body_bytes: int = 4 * 1024 * 1024
    held_bytes: int = 64 * 1024 * 1024
    head_bytes: int = 32 * 1024
    headers: int = 100
    url_bytes: int = 8 * 1024
    connections: int = 4096
    pipelined: int = 16
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    idle_seconds: float = 75.0
    write_seconds: float = 30.0
    linger_seconds: float = 2.0


SMALL_BODY_BYTES = 16 * 1024
"""Bodies up to this are not counted against `held_bytes`: counting them would cost more than they weigh."""
