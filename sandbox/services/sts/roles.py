"""AssumeRole: the session's duration, policies, tags and source identity, and what chaining keeps of them.

Source: AssumeRole in the STS API reference; "Role chaining", "Passing session tags in AWS STS" and "Monitor
and control actions taken with assumed roles" in the IAM User Guide.
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.iam.principals import open_session
from sandbox.iam.principals.records import epoch, role_of
from sandbox.services.sts import passed

CHAINED = 3600
"""Seconds that a session opened by another role's session may last."""
DEFAULT_LONGEST = 3600
"""Seconds that a role's sessions may last where it does not say."""


@operation("sts", "AssumeRole")
def assume_role(
    call: Call, RoleArn: str, RoleSessionName: str, DurationSeconds: int = 3600, **members: Any
) -> dict[str, Any]:
    """The gate has asked the role's trust policy already."""
    passed.no_mfa("AssumeRole", members)
    if call.principal.kind == "root":
        raise AwsError("AccessDenied", "Roles may not be assumed by root accounts.", status=403)
    _check_duration(call, RoleArn, int(DurationSeconds))
    tags, transitive = _tags(call, members)
    source_identity = _source_identity(call, RoleArn, members.get("SourceIdentity"))
    issued = open_session(
        RoleArn,
        RoleSessionName,
        region=call.region,
        duration=int(DurationSeconds),
        policy=passed.policy(members.get("Policy")),
        policy_arns=passed.arns(members.get("PolicyArns")),
        tags=tags,
        transitive=transitive,
        source_identity=source_identity,
    )
    answer = {
        "Credentials": {
            "AccessKeyId": issued.access_key_id,
            "SecretAccessKey": issued.secret_access_key,
            "SessionToken": issued.session_token,
            "Expiration": epoch(issued.expiration),
        },
        "AssumedRoleUser": {"AssumedRoleId": issued.user_id, "Arn": issued.arn},
    }
    return answer | ({"SourceIdentity": source_identity} if source_identity else {})


def _check_duration(call: Call, role_arn: str, seconds: int) -> None:
    role = role_of(call.account, role_arn)
    longest = int(getattr(role, "max_session_duration", None) or DEFAULT_LONGEST)
    if seconds > longest:
        raise passed.invalid(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    if call.principal.kind == "role" and seconds > CHAINED:
        raise passed.invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "
            "role chaining."
        )


def _tags(call: Call, members: dict[str, Any]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The session's tags (the request's, and the caller's transitive ones), and which are transitive."""
    own = passed.tags(members.get("Tags"))
    inherited = call.principal.transitive
    kept = {name.lower() for name in inherited}
    if kept & {name.lower() for name in own}:
        raise AwsError(
            "InvalidParameterValue",
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive "
            "tag key from the calling session.",
            status=400,
        )
    wanted = {name.lower() for name in members.get("TransitiveTagKeys") or []}
    if wanted - {name.lower() for name in own}:
        raise AwsError(
            "InvalidParameterValue",
            "The specified transitive tag key must be included in the requested tags.",
            status=400,
        )
    transitive = (*inherited, *(name for name in own if name.lower() in wanted))
    return inherited | own, transitive


def _source_identity(call: Call, role_arn: str, wanted: str | None) -> str | None:
    """The source identity persists from session to session, and is never another."""
    present = call.principal.source_identity
    if present and wanted and wanted != present:
        raise AwsError(
            "AccessDenied",
            f"User: {call.principal.caller_arn} is not authorized to perform: sts:SetSourceIdentity "
            f"on resource: {role_arn}",
            status=403,
        )
    return present or wanted
