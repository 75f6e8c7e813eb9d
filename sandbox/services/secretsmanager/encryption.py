"""Values under KMS keys, as AWS does it: a data key for each version, used in the caller's name.

The AWS-managed key (no KmsKeyId) asks nothing of callers of its account.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
"""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import AwsError

if TYPE_CHECKING:
    from sandbox.engine.operations import Call

Record = dict[str, Any]
SERVICE = "secretsmanager.amazonaws.com"
MANAGED = ("alias/aws/secretsmanager", "aws/secretsmanager")
NONCE = 12


def customer_key(key: str | None) -> str | None:
    """The customer's key, None for the AWS-managed one."""
    return None if not key or key.endswith(MANAGED) else key


def seal(
    call: Call, key: str | None, arn: str, version: str, text: str | None, binary: bytes | None
) -> Record:
    """What is kept of a version's value."""
    value = {"Text": text} if text is not None else {"Binary": base64.b64encode(binary or b"").decode()}
    if key is None:
        return {"Value": value}
    from botocore.exceptions import ClientError
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    kms = call.session(SERVICE).client("kms")
    context = {"SecretARN": arn, "SecretVersionId": version}
    try:
        made = kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=context)
        # AWS makes sure that what it stores can be read again by whom it is stored for.
        kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=context)
    except ClientError as error:
        raise _refused(error, "EncryptionFailure") from error
    nonce = os.urandom(NONCE)
    sealed = AESGCM(made["Plaintext"]).encrypt(nonce, json.dumps(value).encode(), None)
    return {
        "KeyId": made["KeyId"],
        "DataKey": base64.b64encode(made["CiphertextBlob"]).decode(),
        "Sealed": base64.b64encode(nonce + sealed).decode(),
    }


def unseal(call: Call, arn: str, version: str, kept: Record) -> Record:
    """SecretString or SecretBinary of what `seal` kept."""
    value = kept.get("Value")
    if value is None:
        from botocore.exceptions import ClientError
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        kms = call.session(SERVICE).client("kms")
        try:
            key = kms.decrypt(
                CiphertextBlob=base64.b64decode(kept["DataKey"]),
                EncryptionContext={"SecretARN": arn, "SecretVersionId": version},
            )["Plaintext"]
        except ClientError as error:
            raise _refused(error, "DecryptionFailure") from error
        sealed = base64.b64decode(kept["Sealed"])
        value = json.loads(AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], None))
    if "Text" in value:
        return {"SecretString": value["Text"]}
    return {"SecretBinary": base64.b64decode(value["Binary"])}


def _refused(error: Any, code: str) -> AwsError:
    said = error.response["Error"]
    if "AccessDenied" in said["Code"]:
        return AwsError("AccessDeniedException", "Access to KMS is not allowed", status=400)
    return AwsError(code, f"{said['Message']} (Service: AWSKMS; Error Code: {said['Code']})", status=400)
