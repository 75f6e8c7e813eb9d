"""Attributes of queues: what they may be, and what they are where none is given.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.engine.operations import AwsError

SERVICE = "sqs"
LARGEST = 1_048_576
"""Bytes of a message, and of all messages of a batch."""

RANGES = {
    "DelaySeconds": (0, 900),
    "MaximumMessageSize": (1024, LARGEST),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
}
DEFAULTS = {
    "DelaySeconds": "0",
    "MaximumMessageSize": str(LARGEST),
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "VisibilityTimeout": "30",
}
_BOOLEAN = ("FifoQueue", "ContentBasedDeduplication", "SqsManagedSseEnabled")
_FIFO = {
    "FifoQueue": ("true",),
    "ContentBasedDeduplication": ("true", "false"),
    "DeduplicationScope": ("messageGroup", "queue"),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
}
SETTABLE = frozenset(
    (*RANGES, *_BOOLEAN, *_FIFO, "Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId")
)


def invalid(name: str) -> AwsError:
    return AwsError("InvalidAttributeValue", f"Invalid value for the parameter {name}.")


def check(name: str, given: dict[str, str], *, fifo: bool, creating: bool) -> dict[str, str]:
    """The attributes as they are kept. InvalidAttributeName, InvalidAttributeValue."""
    kept = {}
    for attribute, value in given.items():
        if attribute not in SETTABLE:
            raise AwsError("InvalidAttributeName", f"Unknown Attribute {attribute}.")
        if attribute == "FifoQueue" and (not creating or value != "true" or not fifo):
            raise AwsError("InvalidAttributeName", "Unknown Attribute FifoQueue.")
        if attribute in _FIFO and not fifo:
            raise AwsError("InvalidAttributeName", f"Unknown Attribute {attribute}.")
        kept[attribute] = _value(attribute, value)
    if fifo and creating and given.get("FifoQueue") != "true":
        raise AwsError(
            "InvalidParameterValue",
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "
            "must end with .fifo suffix and be 1 to 80 in length.",
            status=400,
        )
    if kept.get("FifoThroughputLimit") == "perMessageGroupId" and given.get("DeduplicationScope") != (
        "messageGroup"
    ):
        raise invalid("FifoThroughputLimit")
    return kept


def _value(attribute: str, value: str) -> str:
    if attribute in RANGES:
        low, high = RANGES[attribute]
        if not value.isdigit() or not low <= int(value) <= high:
            raise invalid(attribute)
    elif (
        attribute in _BOOLEAN
        and value.lower() not in ("true", "false")
        or attribute in _FIFO
        and value not in _FIFO[attribute]
    ):
        raise invalid(attribute)
    elif attribute in ("RedrivePolicy", "RedriveAllowPolicy") and value:
        _redrive(attribute, value)
    elif attribute == "Policy" and value:
        _document(value)
    return value.lower() if attribute in _BOOLEAN else value


def _redrive(attribute: str, value: str) -> None:
    problem = f"Value {value} for parameter {attribute} is invalid. Reason: "
    try:
        policy = json.loads(value)
    except ValueError:
        policy = None
    if not isinstance(policy, dict):
        raise _bad(problem + f"{attribute} is not a valid JSON map.")
    if attribute == "RedrivePolicy":
        for member in ("deadLetterTargetArn", "maxReceiveCount"):
            if member not in policy:
                raise _bad(problem + f"Redrive policy does not contain mandatory attribute: {member}.")
        count = str(policy["maxReceiveCount"])
        if not count.isdigit() or not 1 <= int(count) <= 1000:
            raise _bad(problem + "Invalid value for maxReceiveCount: must be between 1 and 1000.")
        return
    permission, sources = policy.get("redrivePermission"), policy.get("sourceQueueArns")
    if permission not in ("allowAll", "denyAll", "byQueue"):
        raise _bad(problem + "Invalid value for redrivePermission.")
    if (permission == "byQueue") != bool(sources) or len(sources or []) > 10:
        raise _bad(problem + "sourceQueueArns must hold 1 to 10 ARNs for byQueue, and only for it.")


def _document(value: str) -> None:
    from sandbox.iam.documents import parse

    try:
        document = json.loads(value)
        parse(value, "queue policy")
    except (ValueError, KeyError, TypeError, AttributeError):
        document = None
    if not isinstance(document, dict) or "Statement" not in document:
        raise AwsError("InvalidAttributeValue", "Invalid value for the parameter Policy.")


def _bad(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message, status=400)


def redrive(queue: dict[str, Any]) -> tuple[str, int] | None:
    """(dead-letter queue's ARN, receives before a message goes there)."""
    text = queue["attributes"].get("RedrivePolicy")
    if not text:
        return None
    policy = json.loads(text)
    return str(policy["deadLetterTargetArn"]), int(policy["maxReceiveCount"])
