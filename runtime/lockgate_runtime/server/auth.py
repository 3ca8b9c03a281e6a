"""Who may ask: bearers of a token that stands in a file, one a line."""

from __future__ import annotations

import hmac
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MOST_BYTES = 1024 * 1024


class Tokens:
    """The file's tokens. `reread` keeps them as the file has them; while it cannot be read, nobody is let in."""

    def __init__(self, path: Path) -> None:
        """Raises `OSError` where the file cannot be read."""
        self._path = path
        self._seen = _state(path)
        self._tokens = _read(path)

    def __len__(self) -> int:
        return len(self._tokens)

    def reread(self) -> None:
        """Look whether the file has changed; to be called each second."""
        try:
            state = _state(self._path)
            if state != self._seen:
                self._tokens = _read(self._path)
                self._seen = state
        except OSError:
            self._tokens, self._seen = (), None

    def admit(self, headers: Mapping[bytes, bytes]) -> bool:
        """Compares with every token, so that the time it takes tells nothing of them."""
        given = headers.get(b"x-api-key")
        if given is None:
            kind, _, given = headers.get(b"authorization", b"").partition(b" ")
            if kind.lower() != b"bearer":
                return False
        given = given.strip()
        return sum([hmac.compare_digest(given, token) for token in self._tokens]) > 0


def _state(path: Path) -> tuple[int, int, int] | None:
    found = os.stat(path)  # noqa: PTH116 - through symbolic links, as Kubernetes mounts a secret
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read(path: Path) -> tuple[bytes, ...]:
    with path.open("rb") as file:
        lines = file.read(_MOST_BYTES).splitlines()
    return tuple(line.strip() for line in lines if line.strip())
