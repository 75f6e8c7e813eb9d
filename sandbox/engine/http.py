"""A request and its answer, whichever way they travel: over a socket or inside the process."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Request:
    """`path` is percent-encoded as sent; header names are lower case.

    `via`: service principals through which a forward access session came (`aws:CalledVia`); only requests
    made inside the process carry it, so a client cannot claim it. `agent`: the service that sends the
    request (CloudFormation may set tags whose names begin with `aws:`), likewise. `service`: the service
    principal that calls as itself (`events.amazonaws.com`), for the resource `source_arn`, likewise.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""
    via: tuple[str, ...] = ()
    agent: str | None = None
    service: str | None = None
    source_arn: str | None = None
    remote: str = "127.0.0.1"

    def with_body(self, body: bytes) -> Request:
        return replace(self, body=body)


@dataclass
class Response:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
