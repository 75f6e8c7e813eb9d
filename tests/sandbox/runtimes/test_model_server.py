"""The model server's HTTP and the contract around the user's functions."""

from __future__ import annotations

import http.client
import socket
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sandbox.runtimes

CONTAINERS = Path(sandbox.runtimes.__file__).parent / "containers"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    sys.path.insert(0, str(CONTAINERS))
    from sandbox_serving.server import Server
    from sandbox_serving.transformer import Defaults, Transformer, UnsupportedFormatError

    def unsupported(*_: Any) -> None:
        raise UnsupportedFormatError("image/png")

    def input_fn(body: Any, content_type: str) -> Any:
        if content_type == "image/png":
            unsupported()
        if body == "bad":
            raise ValueError("bad")
        return body

    def teapot(environ: Any, start_response: Any) -> list[bytes]:
        start_response("418 I'M A TEAPOT", [("Content-Type", "text/tea")])
        return [b"tea for ", environ["REQUEST_METHOD"].encode()]

    class NoApplication:
        status_code, content_type = 400, "text/plain"

        def get_data(self) -> bytes:
            return b"Flask takes no such thing"

    def output_fn(value: Any, accept: str) -> Any:
        made = {"image/png": unsupported, "text/tea": lambda: teapot, "text/none": NoApplication}
        return made[accept]() if accept in made else (str(value), accept)

    module = types.SimpleNamespace(model_fn=lambda folder: folder, predict_fn=lambda data, model: data)
    transformer = Transformer(module, Defaults(input_fn, None, output_fn), "model", "application/json")
    server = Server(transformer, maximum_body=1000)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.address
    sys.path.remove(str(CONTAINERS))


def ask(port: int, body: str = "x", method: str = "POST", path: str = "/invocations", **headers: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    return response.status, response.getheader("Content-Type"), response.read()


@pytest.mark.parametrize(
    ("request_members", "status", "content_type"),
    [
        ({}, 200, "application/json"),
        ({"Accept": "text/csv"}, 200, "text/csv; charset=utf-8"),
        ({"Accept": "*/*"}, 200, "application/json"),
        ({"Content_Type": "image/png"}, 415, "application/json"),
        ({"Accept": "image/png"}, 406, "application/json"),
        ({"Accept": "text/tea"}, 418, "text/tea"),
        ({"Accept": "text/none"}, 500, "text/html; charset=utf-8"),
        ({"body": "bad"}, 500, "text/html; charset=utf-8"),
        ({"method": "GET"}, 405, "text/html; charset=utf-8"),
        ({"path": "/other"}, 404, "text/html; charset=utf-8"),
        ({"method": "GET", "path": "/ping"}, 200, "application/json"),
        ({"body": "x" * 1001}, 413, "text/plain"),
    ],
)
def test_answers(port: int, request_members: dict[str, str], status: int, content_type: str) -> None:
    assert ask(port, **request_members)[:2] == (status, content_type)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"NONSENSE\r\n\r\n", b"400"),
        (b"POST /invocations HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 70000, b"431"),
    ],
)
def test_malformed_requests_are_answered_and_closed(port: int, raw: bytes, status: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(raw)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    assert received.startswith(b"HTTP/1.1 " + status)


def test_a_slow_client_keeps_nobody_waiting(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as slow:
        slow.sendall(b"POST /invocations HTTP/1.1\r\nContent-Le")
        assert ask(port)[0] == 200
        slow.sendall(b"ngth: 2\r\n\r\nh")
        assert ask(port)[0] == 200
        slow.sendall(b"i")
        assert slow.recv(65536).endswith(b"hi")


def test_pipelined_requests_are_answered_in_order(port: int) -> None:
    one = b"POST /invocations HTTP/1.1\r\nContent-Length: 1\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(one + b"1" + one + b"2")
        received = b""
        while not received.endswith(b"2"):
            received += connection.recv(65536)
    assert received.count(b"200 OK") == 2
    assert received.index(b"\r\n\r\n1") < received.index(b"\r\n\r\n2")
