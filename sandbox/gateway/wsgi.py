"""A Request as WSGI applications (moto's) and moto's parsers want to see it."""

from __future__ import annotations

import io
import sys
from typing import Any
from urllib.parse import unquote_to_bytes

from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY, environ_key_for_header

from sandbox.engine.http import Request

Environ = dict[str, Any]


def environ_of_request(request: Request) -> Environ:
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
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    # S3's metadata names may hold an underscore, which WSGI's names cannot tell from a dash.
    names: dict[str, str] = {}
    for name, value in request.headers.items():
        if name in ("content-length", "transfer-encoding"):
            continue
        key = environ_key_for_header(name)
        environ[key] = value
        if "_" in name:
            names[key] = name
    environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = names
    return environ
