"""Queues under a KMS key: senders need a data key of it, receivers the right to decrypt.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
"""

from __future__ import annotations

import base64
from typing import Any

from sandbox.engine.operations import AwsError, Call
from sandbox.services.sqs.records import Queue

_OWN = ("alias/aws/sqs",)
"""AWS's own key, whose policy lets everybody in the account use it through SQS."""
_CODES = {
    "AccessDeniedException": "KmsAccessDenied",
    "NotFoundException": "KmsNotFound",
    "DisabledException": "KmsDisabled",
    "KMSInvalidStateException": "KmsInvalidState",
    "InvalidKeyUsageException": "KmsInvalidKeyUsage",
}


def _key(queue: Queue) -> str | None:
    key = queue["attributes"].get("KmsMasterKeyId")
    return None if not key or str(key).endswith(_OWN) else str(key)


def seal(call: Call, queue: Queue) -> str | None:
    """A data key under the queue's key, encrypted; None for a queue without one. KmsAccessDenied."""
    key = _key(queue)
    if key is None:
        return None
    answer = _ask(call, "generate_data_key", KeyId=key, KeySpec="AES_256", EncryptionContext=_context(queue))
    return base64.b64encode(answer["CiphertextBlob"]).decode()


def unseal(call: Call, queue: Queue, sealed: set[str]) -> None:
    """Decrypts the data keys of messages as the receiver. KmsAccessDenied where it may not."""
    for blob in sealed:
        _ask(call, "decrypt", CiphertextBlob=base64.b64decode(blob), EncryptionContext=_context(queue))


def _context(queue: Queue) -> dict[str, str]:
    return {"aws:sqs:arn": queue["arn"]}


def _ask(call: Call, method: str, **members: Any) -> dict[str, Any]:
    from botocore.exceptions import ClientError

    try:
        answer: dict[str, Any] = getattr(call.session("sqs.amazonaws.com").client("kms"), method)(**members)
    except ClientError as error:
        problem = error.response["Error"]
        code = _CODES.get(problem["Code"], "KmsAccessDenied")
        raise AwsError(code, problem.get("Message", ""), status=400) from error
    return answer
