"""boto3's clients inside the sandbox: one a service and region, through which every principal speaks in turn.

A client takes some 30 ms and a megabyte to make, and there are as many sessions as there are roles. So a
session is given the shared client bound to it: its calls are signed with the session's credentials, and enter
the gateway, without a socket, as the session's.
"""

from __future__ import annotations

import functools
import io
import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sandbox.engine.http import Request, Response

Transport = Callable[[Request], Response]


@dataclass(frozen=True)
class Credentials:
    access_key: str
    secret_key: str
    token: str | None = None


@dataclass(frozen=True)
class Speaker:
    """In whose name a call is made: see `sandbox.engine.http.Request` for what the gateway is told of it.

    `headers`: those of the call that belong to no member of its request.
    """

    credentials: Credentials
    via: tuple[str, ...] = ()
    agent: str | None = None
    service: str | None = None
    source_arn: str | None = None
    headers: Mapping[str, str] | None = None


_speaker: ContextVar[Speaker] = ContextVar("speaker")


class SharedClients:
    """`transport` is asked for anew at each call: it is known only once the gateway runs."""

    def __init__(self, transport: Callable[[], Transport], endpoint_url: Callable[[], str]) -> None:
        self._transport = transport
        self._endpoint_url = endpoint_url
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str], Any] = {}

    def bound(self, service: str, region: str, speaker: Speaker) -> Any:
        """A boto3 client whose calls, paginators and waiters speak for `speaker`."""
        with self._lock:
            shared = self._made.get((service, region))
            if shared is None:
                shared = self._made[service, region] = self._make(service, region)
        bound = object.__new__(type(shared))
        bound.__dict__.update(shared.__dict__)
        # Everything that a client asks for, also through a paginator, goes through this one method.
        bound._make_api_call = functools.partial(_call, shared._make_api_call, speaker)
        return bound

    def _make(self, service: str, region: str) -> Any:
        from botocore.config import Config

        client = _botocore_session().create_client(
            service,
            region_name=region,
            endpoint_url=self._endpoint_url(),
            config=Config(
                s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}, parameter_validation=True
            ),
        )
        client.meta.events.register("before-call", _add_headers)
        client.meta.events.register("before-send", self._send)
        return client

    def _send(self, request: Any, **_: Any) -> Any:
        from botocore.awsrequest import AWSResponse

        parts = urlsplit(request.url)
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        headers.setdefault("host", parts.netloc)
        speaker = _speaker.get()
        answer = self._transport()(
            Request(
                request.method,
                parts.path or "/",
                parts.query,
                headers,
                _bytes(request.body),
                via=speaker.via,
                agent=speaker.agent,
                service=speaker.service,
                source_arn=speaker.source_arn,
            )
        )
        return AWSResponse(request.url, answer.status, answer.headers, _Body(answer.body))


def _call(make: Callable[..., Any], speaker: Speaker, *arguments: Any, **named: Any) -> Any:
    token = _speaker.set(speaker)
    try:
        return make(*arguments, **named)
    finally:
        _speaker.reset(token)


def _add_headers(params: dict[str, Any], **_: Any) -> None:
    params["headers"].update(_speaker.get().headers or {})


@functools.cache
def _botocore_session() -> Any:
    """One session for the whole process: its loader keeps the parsed service models."""
    import botocore.session
    from botocore.credentials import Credentials as BotocoreCredentials
    from botocore.credentials import ReadOnlyCredentials

    class SpeakersCredentials(BotocoreCredentials):  # type: ignore[misc]
        """What a request is signed with: the credentials of whoever is speaking."""

        def get_frozen_credentials(self) -> Any:
            credentials = _speaker.get().credentials
            return ReadOnlyCredentials(credentials.access_key, credentials.secret_key, credentials.token)

    class Provider:
        def load_credentials(self) -> Any:
            return SpeakersCredentials("", "", method="speaker")

    session = botocore.session.Session()
    # Nothing of the user's own AWS configuration may reach the sandbox's clients.
    session.set_config_variable("config_file", "/dev/null")
    session.set_config_variable("credentials_file", "/dev/null")
    session.register_component("credential_provider", Provider())
    return session


class _Body(io.BytesIO):
    def stream(self, amount: int = 65536, **_: Any) -> Any:
        while chunk := self.read(amount):
            yield chunk


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    return body.encode() if isinstance(body, str) else bytes(body.read())


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
