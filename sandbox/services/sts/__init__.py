"""STS: AssumeRole with its session policy and tags kept; the rest is moto's."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.iam.principals import open_session


@operation("sts", "AssumeRole")
def assume_role(
    call: Call, RoleArn: str, RoleSessionName: str, DurationSeconds: int = 3600, **members: Any
) -> dict[str, Any]:
    """The gate has asked the role's trust policy already."""
    if members.get("SerialNumber") or members.get("TokenCode"):
        raise AwsError(
            "UnsupportedOperation", "The sandbox does not implement AssumeRole with MFA", status=400
        )
    issued = open_session(
        RoleArn,
        RoleSessionName,
        region=call.region,
        duration=int(DurationSeconds),
        policy=members.get("Policy"),
        policy_arns=[item["arn"] for item in members.get("PolicyArns") or []],
        tags={tag["Key"]: tag["Value"] for tag in members.get("Tags") or []},
        source_identity=members.get("SourceIdentity"),
    )
    return {
        "Credentials": {
            "AccessKeyId": issued.access_key_id,
            "SecretAccessKey": issued.secret_access_key,
            "SessionToken": issued.session_token,
            "Expiration": issued.expiration,
        },
        "AssumedRoleUser": {"AssumedRoleId": issued.user_id, "Arn": issued.arn},
    }
