"""The one who makes a request."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Literal

from sandbox.iam.documents import ACCOUNT, DIRECT, ROLE

Kind = Literal["user", "role", "root", "service", "federated"]


@dataclass(frozen=True)
class Principal:
    """A requester.

    `arn`: of the user, of the role behind a session, of the user (or root) who federated, of the account's
    root, or the service's name (`events.amazonaws.com`). `id`: AIDA…, AROA…:session, the account's number.
    `session_name`: of a role session or a federated user. `tags`: of the user or role, the session's own on
    top; `transitive`: those of them that sessions opened with this one keep. `session_policy`: documents
    passed with AssumeRole or GetFederationToken. `issued`: when temporary credentials were. `via`: the
    services that act on the requester's behalf, first to last (forward access sessions).
    """

    kind: Kind
    arn: str
    account: str
    id: str
    access_key: str | None = None
    session_name: str | None = None
    tags: dict[str, str] = field(default_factory=dict, hash=False)
    session_policy: tuple[str, ...] | None = None
    via: tuple[str, ...] = ()
    source_identity: str | None = None
    issued: float | None = None
    transitive: dict[str, str] = field(default_factory=dict, hash=False)

    @property
    def name(self) -> str:
        """The friendly name: of the user or role without its path, of the federated user, or the service."""
        if self.kind == "federated":
            return str(self.session_name)
        return "root" if self.kind == "root" else self.arn.rsplit("/", 1)[-1]

    @functools.cached_property
    def caller_arn(self) -> str:
        """The ARN as GetCallerIdentity and error texts have it."""
        if self.kind not in ("role", "federated"):
            return self.arn
        partition = self.arn.split(":", 2)[1]
        if self.kind == "federated":
            return f"arn:{partition}:sts::{self.account}:federated-user/{self.session_name}"
        return f"arn:{partition}:sts::{self.account}:assumed-role/{self.name}/{self.session_name}"

    @functools.cached_property
    def forms(self) -> dict[tuple[str, str], int]:
        """Everything a Principal element may call this requester, and how directly that names it."""
        if self.kind == "service":
            return {("*", "*"): DIRECT, ("Service", self.arn): DIRECT}
        partition = self.arn.split(":", 2)[1]
        root = f"arn:{partition}:iam::{self.account}:root"
        forms = {("*", "*"): DIRECT, ("AWS", self.account): ACCOUNT, ("AWS", root): ACCOUNT}
        if self.kind == "root":
            return forms | {("AWS", self.account): DIRECT, ("AWS", root): DIRECT}
        behind = DIRECT if self.kind == "user" else ROLE
        forms.setdefault(("AWS", self.arn), behind)
        if self.kind == "federated":
            return forms | {("AWS", self.caller_arn): DIRECT}
        forms["AWS", self.id.split(":", 1)[0]] = behind
        return forms | ({("AWS", self.caller_arn): DIRECT} if self.kind == "role" else {})


def service_principal(name: str, account: str) -> Principal:
    """A service that acts as itself (`events.amazonaws.com`) on behalf of resources in `account`."""
    return Principal(kind="service", arn=name, account=account, id=name)
