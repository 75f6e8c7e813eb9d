"""Requests a second that the gateway answers to several connections at once, against moto's own server.

The requests are signed once and sent again and again: what is measured is the server, not boto3.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

CONNECTIONS = 4
SECONDS = 2.0


@dataclass(frozen=True)
class Signed:
    """One request as boto3 would send it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def signed(client: Any, operation: str, **parameters: Any) -> Signed:
    """What a client sends for an operation, caught on its way out."""
    caught: list[Any] = []

    def catch(request: Any, **_: Any) -> None:
        caught.append(request)

    client.meta.events.register(f"before-send.*.{operation}", catch)
    getattr(client, _snake(operation))(**parameters)
    client.meta.events.unregister(f"before-send.*.{operation}", catch)
    request = caught[0]
    parts = urlsplit(request.url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    headers = {
        name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()
    }
    body = request.body or b""
    return Signed(request.method, target, headers, body.encode() if isinstance(body, str) else body)


def _snake(operation: str) -> str:
    from botocore import xform_name

    return str(xform_name(operation))


def requests_a_second(url: str, request: Signed) -> float:
    """Answers counted over SECONDS on CONNECTIONS kept open; RuntimeError for any that is not a success."""
    host, stop = urlsplit(url).netloc, threading.Event()
    counts = [0] * CONNECTIONS
    failures: list[str] = []
    threads = [
        threading.Thread(target=_send, args=(host, request, stop, counts, number, failures.append))
        for number in range(CONNECTIONS)
    ]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    stop.wait(SECONDS)
    stop.set()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - began
    if failures:
        raise RuntimeError(f"{len(failures)} connections failed, the first with {failures[0]}")
    return sum(counts) / taken


def _send(
    host: str,
    request: Signed,
    stop: threading.Event,
    counts: list[int],
    number: int,
    failed: Callable[[str], None],
) -> None:
    connection = http.client.HTTPConnection(host)
    while not stop.is_set():
        connection.request(request.method, request.target, request.body, request.headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            failed(f"{answer.status} {body[:200]!r}")
            return
        counts[number] += 1
    connection.close()
