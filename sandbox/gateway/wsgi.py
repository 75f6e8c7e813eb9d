"""Between WSGI's dictionary and the gateway's Request and Response."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from sandbox.engine.http import Request, Response

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


def request_of_environ(environ: Environ) -> Request:
    """Reads the whole body: operations and signatures need all of it."""
    raw = environ.get("REQUEST_URI") or environ.get("RAW_URI") or environ["PATH_INFO"]
    # A URI may start with two slashes (an S3 key that begins with one): urlsplit would see a host.
    path, _, query = raw.partition("?") if raw.startswith("/") else _absolute(raw)
    headers = {
        name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")
    }
    headers |= {name.lower(): environ[key] for key, name in _preserved(environ).items()}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    return Request(
        environ["REQUEST_METHOD"], path, query, headers, read_body(environ), remote=environ.get("REMOTE_ADDR", "")
    )


def _absolute(uri: str) -> tuple[str, str, str]:
    parts = urlsplit(uri)
    return parts.path or "/", "?", parts.query


def _preserved(environ: Environ) -> dict[str, str]:
    """environ key → header name as sent, for names with an underscore (S3 metadata)."""
    from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY

    return environ.get(PRESERVED_HEADER_NAMES_ENVIRON_KEY) or {}


def read_body(environ: Environ) -> bytes:
    length = environ.get("CONTENT_LENGTH")
    stream = environ["wsgi.input"]
    if length:
        return stream.read(int(length))
    return stream.read() if environ.get("wsgi.input_terminated") else b""


def environ_of_request(request: Request) -> Environ:
    """What a WSGI application (moto's) needs to see of a Request."""
    from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY, environ_key_for_header

    host, _, port = request.headers.get("host", "127.0.0.1:80").partition(":")
    raw = request.path + (f"?{request.query}" if request.query else "")
    environ: Environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "QUERY_STRING": request.query,
        "REQUEST_URI": raw,
        "RAW_URI": raw,
        "SERVER_NAME": host,
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.remote,
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    names: dict[str, str] = {}
    for name, value in request.headers.items():
        if name in ("content-length", "transfer-encoding"):
            continue
        key = "CONTENT_TYPE" if name == "content-type" else environ_key_for_header(name)
        environ[key] = value
        if "_" in name:
            names[key] = name
    environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = names
    return environ


def send(response: Response, start_response: StartResponse) -> Iterable[bytes]:
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = "Error"
    headers = {name: value for name, value in response.headers.items() if name.lower() != "content-length"}
    # HEAD answers carry the length of a body they do not have.
    length = next((v for n, v in response.headers.items() if n.lower() == "content-length"), None)
    headers["Content-Length"] = length if length and not response.body else str(len(response.body))
    start_response(f"{response.status} {phrase}", list(headers.items()))
    return [response.body]
