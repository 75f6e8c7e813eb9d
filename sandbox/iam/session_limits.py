"""What temporary credentials may not do whatever policies say, and what chained role sessions need besides.

Source: "Comparing AWS STS API operations" and "Passing session tags in AWS STS" in the IAM User Guide.
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.iam.actions.check import Check
from sandbox.iam.errors import AccessDenied, NotAuthenticated
from sandbox.iam.principals.principal import Principal

STS_OF_SESSIONS = frozenset(("AssumeRole", "GetCallerIdentity"))
STS_OF_FEDERATED = frozenset(("GetCallerIdentity",))
"""STS's operations that credentials of GetSessionToken and of GetFederationToken may call."""


def check_session(principal: Principal, service: str, operation: str) -> None:
    """Raises where credentials of GetSessionToken or GetFederationToken call IAM, or STS for more of them."""
    if principal.issued is None or principal.kind not in ("user", "root", "federated"):
        return
    if service == "iam":
        text = "The security token included in the request is invalid."
        raise NotAuthenticated("InvalidClientTokenId", text, 403)
    may = STS_OF_FEDERATED if principal.kind == "federated" else STS_OF_SESSIONS
    if service == "sts" and operation not in may:
        raise AccessDenied("AccessDenied", f"Cannot call {operation} with session credentials", 403)


def inherited(principal: Principal, checks: Sequence[Check]) -> list[Check]:
    """The checks of AssumeRole, with those for what the new session inherits from the calling one."""
    found = list(checks)
    if not found or found[0].action != "sts:AssumeRole":
        return found
    present = {check.action for check in found}
    for action, wanted in (
        ("sts:TagSession", principal.transitive),
        ("sts:SetSourceIdentity", principal.source_identity),
    ):
        if wanted and action not in present:
            found.append(Check(action, found[0].resources))
    return found
