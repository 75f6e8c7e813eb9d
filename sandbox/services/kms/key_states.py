"""DisableKey and EnableKey.

https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKey.html
"""

from __future__ import annotations

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.iam.moto_resources import key_of
from sandbox.iam.principals.changes import changing


@operation("kms", "DisableKey")
def disable_key(call: Call, KeyId: str) -> None:
    _set(call, KeyId, enabled=False)


@operation("kms", "EnableKey")
def enable_key(call: Call, KeyId: str) -> None:
    _set(call, KeyId, enabled=True)


def _set(call: Call, name: str, *, enabled: bool) -> None:
    if name.startswith("alias/") or ":alias/" in name:
        raise AwsError("InvalidArnException", f"{name} is an alias, not a key")
    arn = name if name.startswith("arn:") else call.arn(f"key/{name}")
    with changing("kms", names=(arn,)):
        key = key_of(call.account, arn)
        if key is None:
            raise AwsError("NotFoundException", f"Key '{arn}' does not exist")
        if key.key_state not in ("Enabled", "Disabled"):
            raise AwsError("KMSInvalidStateException", f"{arn} is pending deletion.", status=409)
        key.enabled = enabled
        key.key_state = "Enabled" if enabled else "Disabled"
