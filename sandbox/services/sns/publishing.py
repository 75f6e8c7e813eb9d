"""Publish and PublishBatch: a message is written down for each subscription that wants it.

Source: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html and
https://docs.aws.amazon.com/sns/latest/dg/sns-fifo-topics.html
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.patterns import compile_pattern
from sandbox.services.sns.topics import SERVICE, Topic, invalid, topic_of

LARGEST = 262_144
"""Bytes of a message with its attributes."""
DEDUPLICATED = 300.0
FIRST = 10_000_000_000_000_000_000
"""FIFO sequence numbers are 20 digits long."""
_TYPES = re.compile(r"(String(?:\.Array)?|Number|Binary)(\..+)?")
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


@operation(SERVICE, "Publish")
def publish(
    call: Call,
    Message: str,
    TopicArn: str | None = None,
    TargetArn: str | None = None,
    PhoneNumber: str | None = None,
    **members: Any,
) -> dict[str, Any]:
    arn = TopicArn or TargetArn
    if PhoneNumber or not arn:
        raise invalid(
            "PhoneNumber is not implemented in the sandbox"
            if PhoneNumber
            else "TopicArn or TargetArn Reason: no value for required parameter"
        )
    if arn.split(":")[5:6] and arn.split(":", 5)[5].startswith("endpoint/"):
        raise invalid("TargetArn Reason: mobile endpoints are not implemented in the sandbox")
    return _publish(call, topic_of(call, arn), {"Message": Message} | members)


def _publish(call: Call, topic: Topic, given: dict[str, Any]) -> dict[str, Any]:
    message, attributes = given["Message"], given.get("MessageAttributes") or {}
    _check(message, given.get("Subject"), attributes)
    texts = _structured(message) if given.get("MessageStructure") == "json" else None
    if given.get("MessageStructure") not in (None, "", "json"):
        raise invalid("MessageStructure")
    _encrypt(call, topic)
    fifo = topic["name"].endswith(".fifo")
    group, identity = _identity(topic, given) if fifo else (given.get("MessageGroupId"), None)
    now = call.engine.clock.now()
    record: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "topic": topic["arn"],
        "message": message,
        "texts": texts,
        "subject": given.get("Subject"),
        "attributes": _plain(attributes),
        "at": now,
        "group": group,
        "deduplication": identity,
    }
    with call.engine.store.transaction():
        if identity is not None:
            before = call.records("seen").get(f"{topic['name']}/{identity}")
            if before and now - before["at"] < DEDUPLICATED:
                return {name: before[name] for name in ("MessageId", "SequenceNumber")}
            count = (call.records("sequence").get(topic["name"]) or {"last": FIRST})["last"] + 1
            call.records("sequence").put(topic["name"], {"last": count})
            record["sequence"] = str(count)
            answer = {"MessageId": record["id"], "SequenceNumber": str(count)}
            call.records("seen").put(f"{topic['name']}/{identity}", answer | {"at": now})
        else:
            answer = {"MessageId": record["id"]}
        for subscription in call.records("subscription").list():
            if subscription["topic"] == topic["arn"] and wanted(subscription, record):
                _queue(call, subscription, record)
    return answer


def _queue(call: Call, subscription: dict[str, Any], record: dict[str, Any]) -> None:
    if not subscription["confirmed"]:
        # Nobody confirms what was never sent: the message is kept, and goes nowhere.
        call.records("unsent").put(f"{subscription['id']}/{record['id']}", record)
        return
    call.records("delivery").put(f"{subscription['id']}/{record['id']}", record | {"attempts": 0})
    call.engine.tasks.submit("sns.deliver", f"{call.account}/{call.region}/{subscription['id']}")


def _check(message: str, subject: str | None, attributes: dict[str, dict[str, Any]]) -> None:
    if not message:
        raise invalid("Empty message")
    size = len(message.encode())
    for name, attribute in attributes.items():
        kind = attribute.get("DataType") or ""
        if not _TYPES.fullmatch(kind):
            raise AwsError(
                "ParameterValueInvalid",
                f"The message attribute '{name}' has an invalid message attribute type, the set of supported "
                "type prefixes is Binary, Number, and String.",
                status=400,
            )
        value = attribute.get("BinaryValue") if kind.startswith("Binary") else attribute.get("StringValue")
        if not value:
            raise AwsError(
                "ParameterValueInvalid",
                f"The message attribute '{name}' must contain non-empty message attribute value for message "
                f"attribute type '{kind}'.",
                status=400,
            )
        size += len(name.encode()) + len(kind) + len(value if isinstance(value, bytes) else value.encode())
    if size > LARGEST:
        raise invalid("Message too long")
    if subject is not None and (not 1 <= len(subject) <= 100 or "\n" in subject or not subject.isprintable()):
        raise invalid("Subject")


def _structured(message: str) -> dict[str, str]:
    try:
        texts = json.loads(message)
    except ValueError as error:
        raise invalid("Message Structure - JSON message body failed to parse") from error
    if not isinstance(texts, dict) or not isinstance(texts.get("default"), str):
        raise invalid("Message Structure - No default entry in JSON message body")
    return {name: text for name, text in texts.items() if isinstance(text, str)}


def _identity(topic: Topic, given: dict[str, Any]) -> tuple[str, str]:
    group, identity = given.get("MessageGroupId"), given.get("MessageDeduplicationId")
    if not group:
        raise invalid("The MessageGroupId parameter is required for FIFO topics")
    if identity:
        return group, identity
    if topic["attributes"].get("ContentBasedDeduplication") != "true":
        raise invalid(
            "The topic should either have ContentBasedDeduplication enabled or "
            "MessageDeduplicationId provided "
            "explicitly"
        )
    return group, hashlib.sha256(given["Message"].encode()).hexdigest()


def _encrypt(call: Call, topic: Topic) -> None:
    """A topic under a KMS key: the publisher needs a data key of it."""
    from botocore.exceptions import ClientError

    key = topic["attributes"].get("KmsMasterKeyId")
    if not key or key.endswith("alias/aws/sns"):
        return
    kms = call.session("sns.amazonaws.com").client("kms")
    try:
        kms.generate_data_key(
            KeyId=key, KeySpec="AES_256", EncryptionContext={"aws:sns:topicArn": topic["arn"]}
        )
    except ClientError as error:
        problem = error.response["Error"]
        code = "KMSNotFound" if problem["Code"] == "NotFoundException" else "KMSAccessDenied"
        raise AwsError(code, problem.get("Message", ""), status=400) from error


def _plain(attributes: dict[str, dict[str, Any]]) -> dict[str, dict[str, str]]:
    """Attributes as a record keeps them: binary values in Base64."""
    kept = {}
    for name, attribute in attributes.items():
        value = attribute.get("StringValue")
        if value is None:
            value = base64.b64encode(attribute["BinaryValue"]).decode()
        kept[name] = {"Type": attribute["DataType"], "Value": value}
    return kept


def wanted(subscription: dict[str, Any], record: dict[str, Any]) -> bool:
    """Whether a subscription's filter policy lets a message through."""
    policy = subscription["attributes"].get("FilterPolicy")
    if not policy or policy == "{}":
        return True
    matches = compile_pattern(policy)
    if subscription["attributes"].get("FilterPolicyScope") == "MessageBody":
        try:
            body = json.loads(record["message"])
        except ValueError:
            return False
        return isinstance(body, dict) and matches(body)
    return matches({name: _value(attribute) for name, attribute in record["attributes"].items()})


def _value(attribute: dict[str, str]) -> Any:
    kind, text = attribute["Type"], attribute["Value"]
    try:
        if kind.startswith("String.Array"):
            return json.loads(text)
        if kind.startswith("Number"):
            return float(text)
    except ValueError:
        return text
    return text


@operation(SERVICE, "PublishBatch")
def publish_batch(
    call: Call, TopicArn: str, PublishBatchRequestEntries: list[dict[str, Any]]
) -> dict[str, Any]:
    topic = topic_of(call, TopicArn)
    entries = PublishBatchRequestEntries
    if not entries:
        raise AwsError("EmptyBatchRequest", "The batch request doesn't contain any entries.", status=400)
    if len(entries) > 10:
        raise AwsError(
            "TooManyEntriesInBatchRequest",
            "The batch request contains more entries than permissible.",
            status=400,
        )
    identifiers = [entry["Id"] for entry in entries]
    if len(set(identifiers)) < len(identifiers):
        raise AwsError(
            "BatchEntryIdsNotDistinct",
            "Two or more batch entries in the request have the same Id.",
            status=400,
        )
    if not all(_ENTRY_ID.fullmatch(identifier) for identifier in identifiers):
        raise AwsError(
            "InvalidBatchEntryId",
            "The Id of a batch entry in a batch request doesn't abide by the specification.",
            status=400,
        )
    if sum(len(entry["Message"].encode()) for entry in entries) > LARGEST:
        raise AwsError(
            "BatchRequestTooLong",
            "The length of all the batch messages put together is more than the limit.",
            status=400,
        )
    successful, refused = [], []
    for entry in entries:
        try:
            successful.append(_publish(call, topic, entry) | {"Id": entry["Id"]})
        except AwsError as error:
            refused.append(
                {"Id": entry["Id"], "Code": error.code, "Message": error.message, "SenderFault": True}
            )
    return {"Successful": successful, "Failed": refused}
