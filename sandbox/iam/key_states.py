"""KMS keys that may be used but cannot: disabled ones, and ones that wait for their deletion.

Source: "Key states of AWS KMS keys" in the KMS Developer Guide. S3 hands KMS's refusal on under its own
protocol's code (`KMS.DisabledException`).
"""

from __future__ import annotations

from sandbox.iam.errors import Refused
from sandbox.iam.moto_resources import key_of
from sandbox.iam.policy import Decision

USES = frozenset(
    f"kms:{name}"
    for name in (
        "CreateGrant",
        "Decrypt",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "GetPublicKey",
        "ReEncryptFrom",
        "ReEncryptTo",
        "Sign",
        "Verify",
        "VerifyMac",
    )
)
"""Actions that need a key in the state Enabled."""

_REFUSALS = {
    "Disabled": ("DisabledException", "{} is disabled."),
    "PendingDeletion": ("KMSInvalidStateException", "{} is pending deletion."),
    "PendingImport": ("KMSInvalidStateException", "{} is pending import."),
}


def check(service: str, account: str, decision: Decision) -> None:
    """Refused where an allowed use is of a key that its state keeps from it. `service`: the called one."""
    if decision.action not in USES or ":key/" not in decision.resource:
        return
    key = key_of(account, decision.resource)
    if key is None or key.key_state not in _REFUSALS:
        return
    code, text = _REFUSALS[key.key_state]
    prefix, status = ("KMS.", 400) if service == "s3" else ("", 409)
    raise Refused(prefix + code, text.format(decision.resource), status)
