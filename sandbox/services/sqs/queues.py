"""Operations on queues: create, find, list, set, tag, purge, delete."""

from __future__ import annotations

import json
import re
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.sqs import attributes
from sandbox.services.sqs.attributes import SERVICE
from sandbox.services.sqs.broker import broker, new_uid
from sandbox.services.sqs.records import (
    Queue,
    invalid,
    mailbox_of,
    no_queue,
    number,
    queue_of,
    queue_of_arn,
    url_of,
)

GONE = 60.0
"""Seconds for which a deleted queue's name is taken, and between two purges."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_FIFO_NAME = re.compile(r"(?=.{6,80}$)[A-Za-z0-9_-]+\.fifo")


@operation(SERVICE, "CreateQueue")
def create_queue(
    call: Call,
    QueueName: str,
    Attributes: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
) -> dict[str, Any]:
    fifo = QueueName.endswith(".fifo")
    if not (_FIFO_NAME if fifo else _NAME).fullmatch(QueueName):
        raise invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
    given = attributes.check(QueueName, Attributes or {}, fifo=fifo, creating=True)
    arn = call.arn(QueueName)
    now = call.engine.clock.now()
    with call.engine.store.transaction():
        _check_redrive(call, arn, given)
        queue = call.records("queue").get(QueueName)
        if queue is not None:
            _check_same(queue, given)
            return {"QueueUrl": url_of(call, QueueName)}
        gone = call.records("deleted").get(QueueName)
        if gone and now - gone["at"] < call.engine.clock.scaled(GONE):
            raise AwsError(
                "QueueDeletedRecently",
                "You must wait 60 seconds after deleting a queue before you can create another with the "
                "same name.",
            )
        kept = attributes.DEFAULTS | given
        if not kept.get("KmsMasterKeyId"):
            kept.setdefault("SqsManagedSseEnabled", "true")
        if fifo:
            defaults = {"DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue"}
            kept = {"ContentBasedDeduplication": "false"} | defaults | kept
        queue = {"name": QueueName, "arn": arn, "uid": new_uid(), "attributes": kept, "tags": tags or {}}
        call.records("queue").put(QueueName, queue | {"created": int(now), "modified": int(now)})
        call.records("deleted").delete(QueueName)
    return {"QueueUrl": url_of(call, QueueName)}


def _check_same(queue: Queue, given: dict[str, str]) -> None:
    for attribute, value in given.items():
        if queue["attributes"].get(attribute) != value:
            raise AwsError(
                "QueueNameExists",
                f"A queue already exists with the same name and a different value for attribute {attribute}",
            )


def _check_redrive(call: Call, arn: str, given: dict[str, str]) -> None:
    """The dead-letter queue exists, is of the same kind and lets this queue use it."""
    if not given.get("RedrivePolicy"):
        return
    target = str(json.loads(given["RedrivePolicy"])["deadLetterTargetArn"])
    problem = f"Value {given['RedrivePolicy']} for parameter RedrivePolicy is invalid. Reason: "
    letters = queue_of_arn(call.engine, target)
    if letters is None:
        raise invalid(problem + f"Dead letter target does not exist: {target}.")
    if letters["name"].endswith(".fifo") != arn.endswith(".fifo"):
        raise invalid(problem + "Dead-letter queue must be same type of queue as the source.")
    allow = json.loads(letters["attributes"].get("RedriveAllowPolicy") or '{"redrivePermission": "allowAll"}')
    named = arn in (allow.get("sourceQueueArns") or [])
    if allow["redrivePermission"] == "denyAll" or (allow["redrivePermission"] == "byQueue" and not named):
        raise invalid(problem + "Queue does not have permission to use this dead-letter queue.")


@operation(SERVICE, "GetQueueUrl")
def get_queue_url(call: Call, QueueName: str, QueueOwnerAWSAccountId: str | None = None) -> dict[str, Any]:
    if QueueOwnerAWSAccountId not in (None, call.account) or not call.records("queue").get(QueueName):
        raise no_queue()
    return {"QueueUrl": url_of(call, QueueName)}


@operation(SERVICE, "ListQueues")
def list_queues(
    call: Call, QueueNamePrefix: str = "", NextToken: str | None = None, MaxResults: int | None = None
) -> dict[str, Any]:
    names = sorted(call.records("queue").keys(QueueNamePrefix))
    if MaxResults is None:
        return {"QueueUrls": [url_of(call, name) for name in names[:1000]]}
    chosen, token = page(names, NextToken, min(MaxResults, 1000), error="InvalidParameterValue")
    urls = [url_of(call, name) for name in chosen]
    return {"QueueUrls": urls} | ({"NextToken": token} if token else {})


@operation(SERVICE, "GetQueueAttributes")
def get_queue_attributes(
    call: Call, QueueUrl: str, AttributeNames: list[str] | None = None
) -> dict[str, Any]:
    queue = queue_of(call, QueueUrl)
    wanted = AttributeNames or []
    with broker(call.engine).lock:
        visible, in_flight, delayed = mailbox_of(call.engine, queue).counts(call.engine.clock.now())
    every = {name: value for name, value in queue["attributes"].items() if value != ""} | {
        "QueueArn": queue["arn"],
        "CreatedTimestamp": str(queue["created"]),
        "LastModifiedTimestamp": str(queue["modified"]),
        "ApproximateNumberOfMessages": str(visible),
        "ApproximateNumberOfMessagesNotVisible": str(in_flight),
        "ApproximateNumberOfMessagesDelayed": str(delayed),
    }
    known = {*every, *attributes.SETTABLE, "All"}
    for name in wanted:
        if name not in known:
            raise AwsError("InvalidAttributeName", f"Unknown Attribute {name}.")
    if "All" not in wanted:
        every = {name: value for name, value in every.items() if name in wanted}
    return {"Attributes": every} if every else {}


@operation(SERVICE, "SetQueueAttributes")
def set_queue_attributes(call: Call, QueueUrl: str, Attributes: dict[str, str]) -> dict[str, Any]:
    with call.engine.store.transaction():
        queue = queue_of(call, QueueUrl)
        given = attributes.check(
            queue["name"], Attributes, fifo=queue["name"].endswith(".fifo"), creating=False
        )
        _check_redrive(call, queue["arn"], given)
        queue["attributes"] |= given
        if given.get("KmsMasterKeyId"):
            queue["attributes"]["SqsManagedSseEnabled"] = "false"
        for name in ("Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId"):
            if queue["attributes"].get(name) == "":
                del queue["attributes"][name]
        queue["modified"] = int(call.engine.clock.now())
        call.records("queue").put(queue["name"], queue)
    return {}


@operation(SERVICE, "DeleteQueue")
def delete_queue(call: Call, QueueUrl: str) -> dict[str, Any]:
    with call.engine.store.transaction():
        queue = queue_of(call, QueueUrl)
        call.records("queue").delete(queue["name"])
        call.records("deleted").put(queue["name"], {"at": call.engine.clock.now()})
    broker(call.engine).drop(call.engine, call.account, call.region, queue["uid"])
    return {}


@operation(SERVICE, "PurgeQueue")
def purge_queue(call: Call, QueueUrl: str) -> dict[str, Any]:
    now = call.engine.clock.now()
    with call.engine.store.transaction():
        queue = queue_of(call, QueueUrl)
        if now - queue.get("purged", 0.0) < call.engine.clock.scaled(GONE):
            raise AwsError(
                "PurgeQueueInProgress",
                f"Only one PurgeQueue operation on {queue['name']} is allowed every 60 seconds.",
            )
        call.records("queue").put(queue["name"], queue | {"purged": now})
    with broker(call.engine).lock:
        mailbox_of(call.engine, queue).clear()
    return {}


@operation(SERVICE, "ListDeadLetterSourceQueues")
def list_dead_letter_source_queues(
    call: Call, QueueUrl: str, NextToken: str | None = None, MaxResults: int | None = None
) -> dict[str, Any]:
    arn = queue_of(call, QueueUrl)["arn"]
    sources = []
    for queue in call.records("queue").list():
        target = attributes.redrive(queue)
        if target and target[0] == arn:
            sources.append(url_of(call, queue["name"]))
    chosen, token = page(sources, NextToken, MaxResults or 1000, error="InvalidParameterValue")
    return {"queueUrls": chosen} | ({"NextToken": token} if token else {})


@operation(SERVICE, "TagQueue")
def tag_queue(call: Call, QueueUrl: str, Tags: dict[str, str]) -> dict[str, Any]:
    with call.engine.store.transaction():
        queue = queue_of(call, QueueUrl)
        queue["tags"] |= Tags
        if len(queue["tags"]) > 50:
            raise invalid(f"Too many tags added for queue {queue['name']}.")
        call.records("queue").put(queue["name"], queue)
    return {}


@operation(SERVICE, "UntagQueue")
def untag_queue(call: Call, QueueUrl: str, TagKeys: list[str]) -> dict[str, Any]:
    with call.engine.store.transaction():
        queue = queue_of(call, QueueUrl)
        queue["tags"] = {name: value for name, value in queue["tags"].items() if name not in TagKeys}
        call.records("queue").put(queue["name"], queue)
    return {}


@operation(SERVICE, "ListQueueTags")
def list_queue_tags(call: Call, QueueUrl: str) -> dict[str, Any]:
    tags = queue_of(call, QueueUrl)["tags"]
    return {"Tags": tags} if tags else {}


def visibility(queue: Queue, given: int | None) -> int:
    """Seconds, within what SQS takes."""
    if given is None:
        return number(queue, "VisibilityTimeout")
    low, high = attributes.RANGES["VisibilityTimeout"]
    if not low <= given <= high:
        raise invalid(
            f"Value {given} for parameter VisibilityTimeout is invalid. Reason: Must be between {low} and "
            f"{high}, if provided."
        )
    return given
