"""Sockets to accept connections on, and what encrypts them. Several processes may listen on one port."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

BACKLOG = 2048


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to the address, which others may bind, too; raises `OSError`. Port 0 is a free one."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    bound.settimeout(0)
    return bound


def accept_rest(listener: socket.socket) -> list[socket.socket]:
    """The connections that were made and not yet accepted; then the socket is closed, as soon after as can be."""
    rest = []
    try:
        while True:
            rest.append(listener.accept()[0])
    except OSError:
        listener.close()
    return rest


class Certificates:
    """The files of TLS, loaded again when they change; a pair that does not fit leaves the old one in force."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises `OSError`; `ssl.SSLError` is one."""
        self._files = certificate, key
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        self._seen = self._state()
        self.context.load_cert_chain(certificate, key)

    def reload(self) -> str | None:
        """Look whether the files changed; what is wrong with them, where they cannot be used."""
        try:
            state = self._state()
            if state == self._seen:
                return None
            self._seen = state
            self.context.load_cert_chain(*self._files)
        except OSError as error:
            return str(error)
        return None

    def _state(self) -> tuple[int, ...]:
        return tuple(path.stat().st_mtime_ns for path in self._files)
