"""TLS on the port that speaks HTTP: a connection's first byte tells which of the two it is.

`git-remote-codecommit` knows https alone. Everybody else keeps to plain HTTP, which never leaves the
loopback.
"""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssl import SSLContext

HANDSHAKE = b"\x16"
"""The content type of TLS's first record (RFC 8446, 5.1); no HTTP method begins with it."""


class Tls:
    """`wrap` gives a connection's plain side. The certificate is made when it is first asked for."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._context: SSLContext | None = None
        self._renew = 0.0

    def wrap(self, connection: socket.socket) -> socket.socket:
        """The connection itself where it speaks HTTP. OSError (ssl.SSLError) where a handshake fails."""
        if connection.recv(1, socket.MSG_PEEK) != HANDSHAKE:
            return connection
        return self._current().wrap_socket(connection, server_side=True)

    def _current(self) -> SSLContext:
        import ssl

        from sandbox.state import certificates

        with self._lock:
            if self._context is None or time.time() > self._renew:
                context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                context.load_cert_chain(certificates.server(self._state))
                self._context = context
                self._renew = time.time() + certificates.SERVER_LIFE.total_seconds() / 2
            return self._context
