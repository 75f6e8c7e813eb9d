"""SendMessage and SendMessageBatch.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html and
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
"""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.sqs import digests, encryption
from sandbox.services.sqs.attributes import LARGEST, SERVICE
from sandbox.services.sqs.broker import broker
from sandbox.services.sqs.records import Queue, invalid, mailbox_of, number, queue_of

_UNSENDABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IDENTIFIER = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_TYPES = re.compile(r"(String|Number|Binary)(\.[^.].*)?")


@operation(SERVICE, "SendMessage")
def send_message(call: Call, QueueUrl: str, **members: Any) -> dict[str, Any]:
    queue = queue_of(call, QueueUrl)
    return _send(call, queue, members)


def _send(call: Call, queue: Queue, given: dict[str, Any]) -> dict[str, Any]:
    body, attributes = given["MessageBody"], given.get("MessageAttributes") or {}
    system = given.get("MessageSystemAttributes") or {}
    _check_attributes(system)
    _check_body(body)
    _check_attributes(attributes)
    limit = number(queue, "MaximumMessageSize")
    if _size(given) > limit:
        raise invalid(
            f"One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes."
        )
    fifo = queue["name"].endswith(".fifo")
    identity = _identity(queue, given) if fifo else None
    now = call.engine.clock.now()
    delay = _delay(queue, given, fifo=fifo)
    message: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "body": body,
        "attributes": _plain(attributes),
        "system": {name: value.get("StringValue") for name, value in system.items()},
        "sender": call.principal.id,
        "sent": now,
        "visible": now + call.engine.clock.scaled(delay),
        "delayed": delay > 0,
        "receives": 0,
        "group": given.get("MessageGroupId"),
        "fifo_group": given.get("MessageGroupId") if fifo else None,
        "deduplication": identity,
        "key": encryption.seal(call, queue),
    }
    answer: dict[str, Any] = {"MD5OfMessageBody": digests.of_body(body)}
    if attributes:
        answer["MD5OfMessageAttributes"] = digests.of_attributes(attributes)
    if system:
        answer["MD5OfMessageSystemAttributes"] = digests.of_attributes(system)
    with broker(call.engine).lock:
        mailbox = mailbox_of(call.engine, queue)
        if identity is None:
            mailbox.add(message)
            return answer | {"MessageId": message["id"]}
        per_group = queue["attributes"].get("DeduplicationScope") == "messageGroup"
        known = f"{message['group']}|{identity}" if per_group else identity
        before = mailbox.seen(known, now)
        if before is None:
            number_ = mailbox.add(message)
            before = {"MessageId": message["id"], "SequenceNumber": number_, "at": now}
            mailbox.remember(known, before)
    return answer | {name: before[name] for name in ("MessageId", "SequenceNumber")}


def _check_body(body: str) -> None:
    if not body:
        raise AwsError("MissingParameter", "The request must contain the parameter MessageBody.", status=400)
    if _UNSENDABLE.search(body):
        raise AwsError(
            "InvalidMessageContents",
            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD "
            "| #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
        )


def _check_attributes(attributes: dict[str, dict[str, Any]]) -> None:
    if len(attributes) > 10:
        raise invalid(
            "Number of message attributes [" + str(len(attributes)) + "] exceeds the allowed maximum [10]."
        )
    for name, attribute in attributes.items():
        kind = attribute.get("DataType") or ""
        if not _TYPES.fullmatch(kind):
            raise invalid(
                f"The type of message (user) attribute '{name}' is invalid. You must use only the following "
                "supported type prefixes: Binary, Number, String."
            )
        value = attribute.get("BinaryValue") if kind.startswith("Binary") else attribute.get("StringValue")
        if not value:
            raise invalid(
                f"Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'."
            )


def _size(given: dict[str, Any]) -> int:
    size = len(given["MessageBody"].encode())
    for name, attribute in (given.get("MessageAttributes") or {}).items():
        size += len(name.encode()) + len(attribute["DataType"].encode())
        size += len((attribute.get("StringValue") or "").encode()) + len(attribute.get("BinaryValue") or b"")
    return size


def _identity(queue: Queue, given: dict[str, Any]) -> str:
    """The deduplication id of a message to a FIFO queue."""
    group = given.get("MessageGroupId")
    if not group:
        raise AwsError(
            "MissingParameter", "The request must contain the parameter MessageGroupId.", status=400
        )
    identity = given.get("MessageDeduplicationId")
    for name, value in (("MessageGroupId", group), ("MessageDeduplicationId", identity)):
        if value is not None and not _IDENTIFIER.fullmatch(value):
            raise invalid(
                f"Value {value} for parameter {name} is invalid. Reason: {name} can only include "
                "alphanumeric "
                "and punctuation characters. 1 to 128 in length."
            )
    if identity:
        return str(identity)
    if queue["attributes"].get("ContentBasedDeduplication") != "true":
        raise invalid(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId "
            "provided explicitly"
        )
    return hashlib.sha256(given["MessageBody"].encode()).hexdigest()


def _delay(queue: Queue, given: dict[str, Any], *, fifo: bool) -> int:
    delay = given.get("DelaySeconds")
    if delay is None:
        return number(queue, "DelaySeconds")
    if fifo and delay:
        raise invalid(
            f"Value {delay} for parameter DelaySeconds is invalid. Reason: The request include "
            "parameter that "
            "is not valid for this queue type."
        )
    if not 0 <= delay <= 900:
        raise invalid(
            f"Value {delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= "
            "0 and <= 900."
        )
    return int(delay)


def _plain(attributes: dict[str, dict[str, Any]]) -> dict[str, dict[str, str]]:
    """Attributes as a record keeps them: binary values in Base64."""
    kept = {}
    for name, attribute in attributes.items():
        kept[name] = {"DataType": attribute["DataType"]}
        if attribute.get("BinaryValue") is not None:
            kept[name]["BinaryValue"] = base64.b64encode(attribute["BinaryValue"]).decode()
        else:
            kept[name]["StringValue"] = attribute["StringValue"]
    return kept


def check_batch(entries: list[dict[str, Any]]) -> None:
    """EmptyBatchRequest, TooManyEntriesInBatchRequest, InvalidBatchEntryId, BatchEntryIdsNotDistinct."""
    if not entries:
        raise AwsError("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > 10:
        raise AwsError(
            "TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are 10. You have sent {len(entries)}.",
        )
    identifiers = [entry["Id"] for entry in entries]
    if not all(_ENTRY_ID.fullmatch(identifier) for identifier in identifiers):
        raise AwsError(
            "InvalidBatchEntryId",
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
            "It can be at "
            "most 80 letters long.",
        )
    for identifier in identifiers:
        if identifiers.count(identifier) > 1:
            raise AwsError("BatchEntryIdsNotDistinct", f"Id {identifier} repeated.")


def failed(entry: dict[str, Any], error: AwsError) -> dict[str, Any]:
    """The result of an entry of a batch that was refused."""
    return {"Id": entry["Id"], "SenderFault": True, "Code": error.code, "Message": error.message}


@operation(SERVICE, "SendMessageBatch")
def send_message_batch(call: Call, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
    queue = queue_of(call, QueueUrl)
    check_batch(Entries)
    total = sum(_size(entry) for entry in Entries)
    if total > LARGEST:
        raise AwsError(
            "BatchRequestTooLong",
            f"Batch requests cannot be longer than {LARGEST} bytes. You have sent {total} bytes.",
        )
    successful, refused = [], []
    for entry in Entries:
        try:
            successful.append(_send(call, queue, entry) | {"Id": entry["Id"]})
        except AwsError as error:
            refused.append(failed(entry, error))
    return {"Successful": successful, "Failed": refused}
