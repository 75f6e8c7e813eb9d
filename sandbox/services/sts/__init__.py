"""STS: AssumeRole with its session policy and tags kept, and who the caller is."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.iam.principals import open_session
from sandbox.iam.principals.records import epoch


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
            "Expiration": epoch(issued.expiration),
        },
        "AssumedRoleUser": {"AssumedRoleId": issued.user_id, "Arn": issued.arn},
    }


@operation("sts", "GetCallerIdentity")
def get_caller_identity(call: Call) -> dict[str, Any]:
    return {"UserId": call.principal.id, "Account": call.principal.account, "Arn": call.principal.caller_arn}


def _refuse(call: Call, **_: Any) -> dict[str, Any]:
    """moto answers these with keys that nothing can sign with."""
    raise AwsError("UnsupportedOperation", f"The sandbox does not implement sts {call.operation}", status=400)


for _name in ("GetSessionToken", "GetFederationToken", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"):
    operation("sts", _name)(_refuse)
