"""One policy × request pair, as either side takes it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sandbox.iam import policy
from sandbox.iam.context import Context
from sandbox.iam.documents import parse
from sandbox.iam.policy import Decision, PolicySet
from sandbox.iam.principals.principal import Principal, service_principal

Policy = dict[str, Any]

MUST_GRANT = ("sts:AssumeRole", "kms:")
"""Actions whose resource's policy has to grant: role trust policies and key policies."""


@dataclass(frozen=True)
class Case:
    """`principal`: ARN of a user or role session, or a service's name. `owner`: the resource's account."""

    principal: str
    action: str
    resource: str
    owner: str
    context: dict[str, str | list[str]] = field(default_factory=dict)
    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: Policy | None = None
    resource_policy: Policy | None = None

    @property
    def account(self) -> str:
        """The requester's account (a service acts for the resource's owner)."""
        return self.principal.split(":")[4] if self.principal.startswith("arn:") else self.owner

    def policies(self) -> list[Policy]:
        found = [*self.identity, self.boundary, self.session, self.resource_policy]
        return [item for item in found if item is not None]


def simulation(case: Case) -> dict[str, Any]:
    """The case as the other program takes it."""
    asked: dict[str, Any] = {
        "request": {
            "principal": case.principal,
            "action": case.action,
            "resource": {"resource": case.resource, "accountId": case.owner},
            "contextVariables": case.context,
        },
        "identityPolicies": [
            {"name": f"identity{number}", "policy": item} for number, item in enumerate(case.identity)
        ],
        "serviceControlPolicies": [],
        "resourceControlPolicies": [],
    }
    if case.session is not None:
        asked["sessionPolicy"] = case.session
    if case.boundary is not None:
        asked["permissionBoundaryPolicies"] = [{"name": "boundary", "policy": case.boundary}]
    if case.resource_policy is not None:
        asked["resourcePolicy"] = case.resource_policy
    return asked


def requester(case: Case) -> Principal:
    """The principal that the case's ARN or service name stands for."""
    if not case.principal.startswith("arn:"):
        return service_principal(case.principal, case.account)
    kind, _, name = case.principal.split(":", 5)[5].partition("/")
    if kind == "user":
        return Principal("user", case.principal, case.account, "AIDAEXAMPLE")
    role, _, session = name.partition("/")
    arn = f"arn:aws:iam::{case.account}:role/{role}"
    return Principal("role", arn, case.account, f"AROAEXAMPLE:{session}", session_name=session)


def decide(case: Case) -> Decision:
    """Our decision."""
    principal = requester(case)
    values = {
        name.lower(): (value,) if isinstance(value, str) else tuple(value)
        for name, value in case.context.items()
    }
    return policy.evaluate(
        case.action,
        case.resource,
        Context(values, case.action, case.resource),
        PolicySet(
            identity=tuple(_parsed(item, "identity") for item in case.identity),
            boundary=None if case.boundary is None else _parsed(case.boundary, "boundary"),
            session=None if case.session is None else (_parsed(case.session, "session"),),
            resource=() if case.resource_policy is None else (_parsed(case.resource_policy, "resource"),),
            forms=principal.forms,
            must_grant=case.action.startswith(MUST_GRANT),
            cross_account=principal.kind != "service" and principal.account != case.owner,
        ),
    )


def _parsed(item: Policy, name: str) -> Any:
    return parse(json.dumps(item), name)
