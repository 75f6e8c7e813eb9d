"""The HTTP server: 127.0.0.1 only, a thread a connection, Host and Origin checked before anything else.

A connection may as well speak TLS, on the same port.
"""

from __future__ import annotations

import gc
import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sandbox.engine.http import Request, Response
from sandbox.gateway import framing
from sandbox.gateway.tls import Tls

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
GIT = "/v1/repos/"
IDLE = 600
"""Seconds that a connection may be silent."""
BODY_IDLE = 30
"""…and in the middle of a body."""
LARGE = 64 * 2**20
"""Bytes of a request and its answer that are given back at once."""

Handle = Callable[[Request], Response]
HandleGit = Callable[[Request, Iterator[bytes]], Response]


OWN = ("content-length", "connection", "date", "server")
"""Headers that are the server's to send."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    sys_version = ""
    # Answers leave in one piece and at once: header and body in two packets wait for a delayed ACK.
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = IDLE
    server: _Server
    _length: int

    def _answer(self) -> None:
        self._length = 0
        try:
            framing.check(self.path, self.headers)
            response = self._refusal()
            if response is None:
                response = self._respond()
            else:
                self.close_connection = True  # its body was not read
        except framing.BadRequest as error:
            response = _plain(error.status, str(error))
            self.close_connection = True
        except TimeoutError:
            response = _plain(408, "the body stopped coming")
            self.close_connection = True
        self._send(response)
        if self._length + len(response.body) >= LARGE:
            # moto's requests and answers hold each other: left to chance, their bodies stay for minutes.
            del response
            gc.collect()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _answer

    def handle_expect_100(self) -> bool:
        """S3's clients wait for this before they send a body; it must not lie in the buffer."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def _respond(self) -> Response:
        path, _, query = self.path.partition("?")
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            key = name.lower()
            # Repeated headers are one list (RFC 9110, 5.3), which is also how they are signed.
            headers[key] = f"{headers[key]},{value}" if key in headers else value
        request = Request(self.command, path, query, headers, remote=self.client_address[0])
        self.connection.settimeout(BODY_IDLE)
        if path.startswith(GIT):
            return self.server.git(request, framing.pieces(self.rfile, self.headers, framing.LARGEST_BODY))
        try:
            body = framing.whole(self.rfile, self.headers, framing.limit(self.headers))
        except framing.TooLarge as error:
            return self._too_large(request, str(error))
        self._length = len(body)
        return self.server.handle(request.with_body(body))

    def _too_large(self, request: Request, text: str) -> Response:
        """In words that an AWS client reads, once it has sent (a part of) what is too much."""
        from sandbox.engine.errors import AwsError
        from sandbox.gateway.wording import refusal

        self.close_connection = True
        framing.drain(self.rfile, self.headers)
        error = AwsError("RequestEntityTooLargeException", text, status=413)
        return refusal(request, None, error, str(uuid.uuid4()))

    def _refusal(self) -> Response | None:
        """A page of another origin, or a name that was made to resolve to this machine, gets nothing."""
        hosts = self.server.hosts
        if self.headers.get("Host") not in hosts:
            return _plain(403, f"host {self.headers.get('Host')} is not this sandbox's")
        origin = self.headers.get("Origin")
        ours = {f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts}
        if origin is not None and origin not in ours:
            return _plain(403, f"origin {origin} is not this sandbox's")
        if self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            return _plain(403, "requests from other sites are refused")
        return None

    def _send(self, response: Response) -> None:
        self.connection.settimeout(IDLE)
        try:
            phrase = HTTPStatus(response.status).phrase
        except ValueError:
            phrase = ""
        self.send_response(response.status, phrase)
        for name, value in response.headers.items():
            # No page of another origin may read an answer, whatever moto would let it.
            if name.lower() not in OWN and not name.lower().startswith("access-control-"):
                self.send_header(name, _line(value))
        # A HEAD answer carries the length of a body that it does not have.
        stated = next((v for n, v in response.headers.items() if n.lower() == "content-length"), None)
        length = stated if stated and self.command == "HEAD" else str(len(response.body))
        if response.status not in (204, 304):
            self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()

    def log_message(self, format: str, *arguments: object) -> None:
        """Requests are recorded by the gate, not printed."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    handle: Handle
    git: HandleGit
    tls: Tls
    hosts: frozenset[str]

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the connection's own thread: a client that says nothing keeps nobody waiting."""
        request.settimeout(IDLE)
        connection = self.tls.wrap(request)
        try:
            super().finish_request(connection, client_address)
        finally:
            if connection is not request:  # which the wrapper has left empty: nobody else closes this one
                self.shutdown_request(connection)

    def handle_error(self, request: object, client_address: object) -> None:
        log.debug("a client went away", exc_info=True)


class HttpServer:
    """`handle` answers AWS requests, `git` those under /v1/repos/ (it gets the body in pieces)."""

    def __init__(self, port: int, handle: Handle, git: HandleGit, tls: Tls) -> None:
        self._server = _Server((HOST, port), _Handler)
        self._server.handle = handle
        self._server.git = git
        self._server.tls = tls
        self.port: int = self._server.server_port
        self.url = f"http://{HOST}:{self.port}"
        self._server.hosts = frozenset({f"{HOST}:{self.port}", f"localhost:{self.port}"})

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="http", daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _plain(status: int, text: str) -> Response:
    return Response(status, {"Content-Type": "text/plain"}, f"{text}\n".encode())


def _line(value: str) -> str:
    """A header's value as one line of Latin-1: what a presigned URL or a model put in it is no header."""
    return value.translate(_ENDS).encode("latin-1", "replace").decode("latin-1")


_ENDS = {ord(end): " " for end in "\r\n\0"}
