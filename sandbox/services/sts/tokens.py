"""GetSessionToken and GetFederationToken: temporary credentials of users and of federated users.

Source: their pages in the STS API reference, and "Requesting temporary security credentials" in the IAM User
Guide.
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.iam.principals import temporary
from sandbox.services.sts import passed

DEFAULT = 12 * 3600
ROOTS = 3600
"""Seconds that temporary credentials of the root user last at most."""


@operation("sts", "GetSessionToken")
def get_session_token(call: Call, DurationSeconds: int = DEFAULT, **members: Any) -> dict[str, Any]:
    passed.no_mfa("GetSessionToken", members)
    _long_term(call)
    return {"Credentials": _credentials(call, int(DurationSeconds))}


@operation("sts", "GetFederationToken")
def get_federation_token(
    call: Call, Name: str, DurationSeconds: int = DEFAULT, **members: Any
) -> dict[str, Any]:
    """Without a session policy the federated user may do only what resource-based policies grant it."""
    _long_term(call)
    credentials = _credentials(
        call,
        int(DurationSeconds),
        federated=Name,
        policy=passed.policy(members.get("Policy")),
        policy_arns=passed.arns(members.get("PolicyArns")),
        tags=passed.tags(members.get("Tags")),
    )
    arn = f"arn:aws:sts::{call.account}:federated-user/{Name}"
    return {
        "Credentials": credentials,
        "FederatedUser": {"FederatedUserId": f"{call.account}:{Name}", "Arn": arn},
    }


def _long_term(call: Call) -> None:
    """Only long-term credentials get others."""
    if call.principal.kind not in ("user", "root") or call.principal.issued is not None:
        raise AwsError("AccessDenied", f"Cannot call {call.operation} with session credentials", status=403)


def _credentials(call: Call, duration: int, **more: Any) -> dict[str, Any]:
    root = call.principal.kind == "root"
    key = temporary.issue(
        call.account,
        None if root else call.principal.name,
        duration=min(duration, ROOTS) if root else duration,
        **more,
    )
    return {
        "AccessKeyId": key.access_key_id,
        "SecretAccessKey": key.secret_access_key,
        "SessionToken": key.temporary.session_token,
        "Expiration": key.temporary.expiration,
    }
