"""The registry of API operations: plain functions under (service, operation)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.engine.errors import AwsError

if TYPE_CHECKING:
    from sandbox.engine.clients import Session
    from sandbox.engine.engine import Engine
    from sandbox.engine.store import Records
    from sandbox.iam.principals import Principal

__all__ = [
    "LOCATE",
    "MAILBOXES",
    "OBSERVERS",
    "OPERATIONS",
    "POLICIES",
    "RECORD_ONLY",
    "TAGS",
    "AwsError",
    "Call",
    "operation",
]

Handler = Callable[..., "dict[str, Any] | None"]

OPERATIONS: dict[tuple[str, str], Handler] = {}
"""Every operation the sandbox implements itself, by (botocore service name, operation name)."""


RECORD_ONLY: set[tuple[str, str]] = set()
"""Operations that keep what they are told and act on it nowhere: the generated table says so."""


TagsOf = Callable[["Engine", str, str, str], dict[str, str]]

TAGS: dict[str, TagsOf] = {}
"""By ARN service (`sagemaker`): (engine, account, region, resource ARN) → its tags, for conditions."""

POLICIES: dict[str, Callable[[Engine, str, str, str], str | None]] = {}
"""By ARN service: (engine, account, region, resource ARN) → its resource policy, as JSON text."""


LOCATE: dict[tuple[str, str], Callable[[Engine, str, str, str], str | None]] = {}
"""By (service, kind): (engine, account, region, id) → the ARN of what an id alone stands for."""

MAILBOXES: dict[str, Callable[[Engine, str, bytes], None]] = {}
"""By the beginning of a bucket's name: (engine, object key, body). Buckets of AWS's own that a service has
its answers put into, by URLs which it signs itself: custom resources' responses, wait conditions' signals."""


OBSERVERS: dict[tuple[str, str], Callable[[Call, dict[str, Any]], None]] = {}
"""By (botocore service, operation) of what moto answers: called with the request's members once it
succeeded."""


@dataclass(frozen=True)
class Call:
    """One authenticated, authorized and validated request on its way to an operation."""

    engine: Engine
    service: str
    operation: str
    account: str
    region: str
    principal: Principal
    request_id: str
    iam_prefix: str
    headers: dict[str, str] = field(default_factory=dict)
    agent: str | None = None
    """The service that sent the request from inside AWS (`cloudformation.amazonaws.com`)."""
    source_arn: str | None = None
    """For which resource a service principal calls."""

    def records(self, kind: str) -> Records:
        """This service's records of `kind` in the caller's account and region."""
        return self.engine.records(self.account, self.region, self.service, kind)

    def arn(self, resource: str) -> str:
        return f"arn:aws:{self.iam_prefix}:{self.region}:{self.account}:{resource}"

    def session(self, service: str | None = None) -> Session:
        """Acts as the caller (a forward access session); `service`: the service principal acting for it."""
        if self.principal.kind == "service":
            return self.engine.clients.service(
                self.principal.arn, region=self.region, source_arn=self.source_arn
            )
        return self.engine.clients.of_principal(self.principal, self.region, via=service)


def operation(service: str, name: str, *, record_only: bool = False) -> Callable[[Handler], Handler]:
    """Registers a function as the implementation of an API operation.

    `record_only`: what the operation keeps has no effect here (a policy that nothing acts on).
    The function takes the Call and the request's members as keyword arguments, exactly as botocore names
    them, and returns the output shape's members (timestamps as epoch seconds, blobs as bytes).
    """

    def register(function: Handler) -> Handler:
        if (service, name) in OPERATIONS:
            raise ValueError(f"{service}:{name} is registered twice")
        OPERATIONS[service, name] = function
        if record_only:
            RECORD_ONLY.add((service, name))
        return function

    return register
