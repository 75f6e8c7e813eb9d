"""The decision: pure, from policies and what a request says.

Source: "Policy evaluation logic" in the IAM User Guide. An explicit Deny anywhere wins. Within an account a
resource-based policy that names the requester itself grants alone; one that names the role of a session is
still limited by the role's boundary and the session's policy; one that names the account only delegates to
the
account's identity policies. KMS key policies and role trust policies must grant; another account's resource
needs both sides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sandbox.iam.conditions import Values
from sandbox.iam.documents import ACCOUNT, DIRECT, NONE, ROLE, Document, Statement

IDENTITY = "identity-based policy"
RESOURCE = "resource-based policy"
BOUNDARY = "permissions boundary"
SESSION = "session policy"
TRUST = "role trust policy"

ALLOWED = "allowed"
EXPLICIT_DENY = "explicit-deny"
IMPLICIT_DENY = "implicit-deny"
UNKNOWN_KEY = "unknown-condition-key"
UNMAPPED = "unmapped-action"


@dataclass(frozen=True, slots=True)
class Decision:
    """`by` names the kind of policy that decided, `statement` the policy and Sid; `unknown` the condition
    keys
    (for UNKNOWN_KEY) that the sandbox cannot tell."""

    allowed: bool
    reason: str
    by: str = ""
    action: str = ""
    resource: str = ""
    statement: str = ""
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicySet:
    """All policies that bear on one requester and one resource. None: there is no such policy.

    `root`: the account's root user, whom identity policies do not bind. `must_grant`: the resource's policy
    has
    to grant (KMS keys, role trust). `cross_account`: requester and resource are in different accounts.
    """

    identity: tuple[Document, ...] = ()
    boundary: Document | None = None
    session: tuple[Document, ...] | None = None
    resource: tuple[Document, ...] = ()
    forms: dict[tuple[str, str], int] = field(default_factory=dict)
    root: bool = False
    must_grant: bool = False
    cross_account: bool = False
    resource_kind: str = RESOURCE


@dataclass(slots=True)
class _Finding:
    deny: Statement | None = None
    maybe_deny: Statement | None = None
    allow: Statement | None = None
    maybe_allow: Statement | None = None
    strength: int = NONE
    maybe_strength: int = NONE


def _scan(
    documents: Iterable[Document],
    action: str,
    resource: str,
    request: Values,
    forms: dict[tuple[str, str], int] | None = None,
    bounded: bool = False,
) -> _Finding:
    found = _Finding()
    for document in documents:
        for statement in document.concerning(action):
            strength = DIRECT if forms is None else statement.names(forms, bounded)
            if strength == NONE:
                continue
            if statement.allows and found.strength >= strength:
                continue
            outcome = statement.applies(resource, request)
            if outcome is False:
                continue
            if outcome is None:
                if not statement.allows:
                    found.maybe_deny = found.maybe_deny or statement
                elif strength > found.maybe_strength:
                    found.maybe_allow, found.maybe_strength = statement, strength
            elif not statement.allows:
                found.deny = statement
                return found
            else:
                found.allow, found.strength = statement, strength
    found.maybe_strength = max(found.maybe_strength, found.strength)
    return found


def evaluate(action: str, resource: str, request: Values, policies: PolicySet) -> Decision:
    """Decides one action on one resource."""
    layers = {
        IDENTITY: _scan(policies.identity, action, resource, request),
        policies.resource_kind: _scan(
            policies.resource, action, resource, request, policies.forms, policies.boundary is not None
        ),
    }
    if policies.boundary is not None:
        layers[BOUNDARY] = _scan((policies.boundary,), action, resource, request)
    if policies.session is not None:
        layers[SESSION] = _scan(policies.session, action, resource, request)
    draft = Decision(False, IMPLICIT_DENY, IDENTITY, action, resource)
    for kind, found in layers.items():
        if found.deny:
            return replace(draft, reason=EXPLICIT_DENY, by=kind, statement=_name(found.deny))
    missing = _missing(layers, policies, maybe=True)
    if missing:
        return replace(draft, by=missing)
    certain = _missing(layers, policies, maybe=False)
    for kind, found in layers.items():
        doubtful = found.maybe_deny or (found.maybe_allow if certain == kind else None)
        if doubtful:
            keys = doubtful.unknown(request)
            return replace(draft, reason=UNKNOWN_KEY, by=kind, statement=_name(doubtful), unknown=keys)
    if certain:
        return replace(draft, by=certain)
    granted = layers[IDENTITY].allow or layers[policies.resource_kind].allow
    by = IDENTITY if layers[IDENTITY].allow or policies.root else policies.resource_kind
    return replace(draft, allowed=True, reason=ALLOWED, by=by, statement=_name(granted) if granted else "")


def _missing(layers: dict[str, _Finding], policies: PolicySet, *, maybe: bool) -> str:
    """The kind of policy whose Allow is lacking, or ''. `maybe`: count statements that may apply."""

    def strength(kind: str) -> int:
        return layers[kind].maybe_strength if maybe else layers[kind].strength

    granted = strength(policies.resource_kind)
    if granted == NONE and (policies.must_grant or policies.cross_account):
        return policies.resource_kind
    if not policies.cross_account and granted == DIRECT:
        return ""
    if (granted < ROLE or policies.cross_account) and not policies.root and not strength(IDENTITY):
        return IDENTITY
    for kind in (BOUNDARY, SESSION):
        if kind in layers and not strength(kind):
            return kind
    return ""


def _name(statement: Statement) -> str:
    return f"{statement.policy}/{statement.sid}" if statement.sid else statement.policy


__all__ = [
    "ACCOUNT",
    "ALLOWED",
    "BOUNDARY",
    "DIRECT",
    "EXPLICIT_DENY",
    "IDENTITY",
    "IMPLICIT_DENY",
    "RESOURCE",
    "ROLE",
    "SESSION",
    "TRUST",
    "UNKNOWN_KEY",
    "UNMAPPED",
    "Decision",
    "PolicySet",
    "evaluate",
]
