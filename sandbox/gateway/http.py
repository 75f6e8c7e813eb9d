"""The HTTP server: 127.0.0.1 only, a thread a connection, Host and Origin checked before anything else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from sandbox.engine.http import Request, Response
from sandbox.gateway import wsgi

HOST = "127.0.0.1"


class _Handler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"
    # Answers leave in one piece and at once: header and body in two packets wait for a delayed ACK.
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 600

    def log_request(self, *_: Any) -> None:
        """Requests are recorded by the gate, not printed."""

    def log_error(self, format: str, *arguments: Any) -> None:
        """A client that goes away is no event of ours."""


class HttpServer:
    """`handle` answers AWS requests, `git` those under /v1/repos/."""

    def __init__(self, port: int, handle: Callable[[Request], Response], git: Callable[..., Iterable[bytes]]) -> None:
        self._handle = handle
        self._git = git
        self._server = make_server(HOST, port, self._application, threaded=True, request_handler=_Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_port
        self.url = f"http://{HOST}:{self.port}"
        self._hosts = {f"{HOST}:{self.port}", f"localhost:{self.port}"}

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="http", daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _application(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        refusal = self._refusal(environ)
        if refusal:
            return wsgi.send(Response(403, {"Content-Type": "text/plain"}, refusal.encode()), start_response)
        if environ["PATH_INFO"].startswith("/v1/repos/"):
            return self._git(environ, start_response)
        return wsgi.send(self._handle(wsgi.request_of_environ(environ)), start_response)

    def _refusal(self, environ: dict[str, Any]) -> str | None:
        """A page of another origin, or a name that was made to resolve to this machine, gets nothing."""
        if environ.get("HTTP_HOST") not in self._hosts:
            return f"host {environ.get('HTTP_HOST')} is not this sandbox's\n"
        origin = environ.get("HTTP_ORIGIN")
        if origin is not None and origin not in {f"http://{host}" for host in self._hosts}:
            return f"origin {origin} is not this sandbox's\n"
        if environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin"):
            return "requests from other sites are refused\n"
        return None
