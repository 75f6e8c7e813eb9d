"""ReceiveMessage, DeleteMessage, ChangeMessageVisibility and their batches.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html and
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
"""

from __future__ import annotations

import base64
import secrets
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.sqs import attributes, digests, encryption
from sandbox.services.sqs.attributes import SERVICE
from sandbox.services.sqs.broker import Mailbox, Message, broker
from sandbox.services.sqs.queues import visibility
from sandbox.services.sqs.records import Queue, invalid, mailbox_of, no_queue, number, queue_of, queue_of_arn
from sandbox.services.sqs.sending import check_batch, failed

LONGEST = 43_200
"""Seconds for which a message may stay invisible in all."""
IN_FLIGHT = 120_000


@operation(SERVICE, "ReceiveMessage")
def receive_message(
    call: Call,
    QueueUrl: str,
    MaxNumberOfMessages: int = 1,
    VisibilityTimeout: int | None = None,
    WaitTimeSeconds: int | None = None,
    MessageAttributeNames: list[str] | None = None,
    AttributeNames: list[str] | None = None,
    MessageSystemAttributeNames: list[str] | None = None,
    ReceiveRequestAttemptId: str | None = None,
) -> dict[str, Any]:
    queue = queue_of(call, QueueUrl)
    if not 1 <= MaxNumberOfMessages <= 10:
        raise invalid(
            f"Value {MaxNumberOfMessages} for parameter MaxNumberOfMessages is invalid. Reason: "
            "Must be between "
            "1 and 10, if provided."
        )
    wait = number(queue, "ReceiveMessageWaitTimeSeconds") if WaitTimeSeconds is None else WaitTimeSeconds
    if not 0 <= wait <= 20:
        raise invalid(
            f"Value {wait} for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= "
            "20, if provided."
        )
    hidden = visibility(queue, VisibilityTimeout)
    found = _wait(call.engine, queue, wait, MaxNumberOfMessages, hidden)
    if found is None:
        raise no_queue()
    encryption.unseal(call, queue, {message["key"] for _, message in found if message["key"]})
    system = [*(AttributeNames or []), *(MessageSystemAttributeNames or [])]
    shown = [_shown(key, message, system, MessageAttributeNames or []) for key, message in found]
    return {"Messages": shown} if shown else {}


def _wait(
    engine: Engine, queue: Queue, wait: int, most: int, hidden: int
) -> list[tuple[str, Message]] | None:
    """Up to `most` messages, taken as soon as there is one; None when the queue is deleted meanwhile."""
    with broker(engine).lock:
        mailbox = mailbox_of(engine, queue)
        until = engine.clock.now() + wait
        while not mailbox.closed:
            now = engine.clock.now()
            found = _take(engine, queue, mailbox, now, most, hidden)
            if found or now >= until:
                return found
            due = mailbox.next_visible(now)
            mailbox.changed.wait(min(until, due if due is not None else until) - now)
    return None


def _take(
    engine: Engine, queue: Queue, mailbox: Mailbox, now: float, most: int, hidden: int
) -> list[tuple[str, Message]]:
    mailbox.expire(now, number(queue, "MessageRetentionPeriod"))
    if mailbox.counts(now)[1] >= IN_FLIGHT:
        raise AwsError("OverLimit", f"{IN_FLIGHT} messages are in flight.")
    letters = attributes.redrive(queue)
    found: list[tuple[str, Message]] = []
    for key, message in mailbox.receivable(now):
        if len(found) == most:
            break
        if letters and message["receives"] >= letters[1] and _bury(engine, queue, letters[0], message):
            mailbox.remove(key)
            continue
        mailbox.change(
            key,
            visible=now + hidden,
            delayed=False,
            receives=message["receives"] + 1,
            first=message.get("first", now),
            handle=secrets.token_urlsafe(48),
            taken=now,
        )
        found.append((key, mailbox.get(key) or message))
    return found


def _bury(engine: Engine, queue: Queue, arn: str, message: Message) -> bool:
    """Moves a message to the dead-letter queue; it stays where it is when there is none any more."""
    letters = queue_of_arn(engine, arn)
    if letters is None:
        return False
    moved = {name: value for name, value in message.items() if name not in ("handle", "taken")}
    moved |= {"visible": engine.clock.now(), "delayed": False, "source": queue["arn"]}
    mailbox_of(engine, letters).add(moved)
    return True


def _handle(key: str, message: Message) -> str:
    return base64.b64encode(f"{key} {message['handle']}".encode()).decode()


def _shown(key: str, message: Message, system: list[str], wanted: list[str]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "MessageId": message["id"],
        "ReceiptHandle": _handle(key, message),
        "MD5OfBody": digests.of_body(message["body"]),
        "Body": message["body"],
    }
    every = {
        "SenderId": message["sender"],
        "SentTimestamp": str(int(message["sent"] * 1000)),
        "ApproximateReceiveCount": str(message["receives"]),
        "ApproximateFirstReceiveTimestamp": str(int(message["first"] * 1000)),
        "MessageGroupId": message["group"],
        "MessageDeduplicationId": message["deduplication"],
        "SequenceNumber": key if message["fifo_group"] is not None else None,
        "DeadLetterQueueSourceArn": message.get("source"),
        **message["system"],
    }
    chosen = {name: value for name, value in every.items() if value and (name in system or "All" in system)}
    if chosen:
        answer["Attributes"] = chosen
    attributes_ = {
        name: _typed(value) for name, value in message["attributes"].items() if _asked(name, wanted)
    }
    if attributes_:
        answer["MessageAttributes"] = attributes_
        answer["MD5OfMessageAttributes"] = digests.of_attributes(attributes_)
    return answer


def _asked(name: str, wanted: list[str]) -> bool:
    return any(
        one in ("All", ".*", name) or (one.endswith(".*") and name.startswith(one[:-2])) for one in wanted
    )


def _typed(attribute: dict[str, str]) -> dict[str, Any]:
    if "BinaryValue" in attribute:
        return attribute | {"BinaryValue": base64.b64decode(attribute["BinaryValue"])}
    return attribute


def _parse(handle: str) -> tuple[str, str]:
    try:
        key, _, secret = base64.b64decode(handle, validate=True).decode().partition(" ")
    except ValueError:
        key = secret = ""
    if not secret:
        raise AwsError(
            "ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not a valid receipt handle.'
        )
    return key, secret


def _delete(engine: Engine, queue: Queue, handle: str) -> None:
    key, secret = _parse(handle)
    with broker(engine).lock:
        mailbox = mailbox_of(engine, queue)
        message = mailbox.get(key)
        if message is None or message.get("handle") != secret:
            return  # deleted already, or received again since: SQS does not tell
        if message["fifo_group"] is not None and message["visible"] <= engine.clock.now():
            raise invalid(
                f"Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle "
                "has expired."
            )
        mailbox.remove(key)


def _hide(engine: Engine, queue: Queue, handle: str, seconds: int) -> None:
    key, secret = _parse(handle)
    visibility(queue, seconds)
    with broker(engine).lock:
        mailbox = mailbox_of(engine, queue)
        message = mailbox.get(key)
        now = engine.clock.now()
        if message is None or message.get("handle") != secret:
            raise invalid(
                f"Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does not "
                "exist or is not "
                "available for visibility timeout change."
            )
        if message["visible"] <= now:
            raise AwsError("MessageNotInflight", "The specified message isn't in flight.")
        if now + seconds - message["taken"] > LONGEST:
            raise invalid(
                f"Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Total "
                "VisibilityTimeout for "
                f"the message is beyond the limit [{LONGEST} seconds]."
            )
        mailbox.change(key, visible=now + seconds)


@operation(SERVICE, "DeleteMessage")
def delete_message(call: Call, QueueUrl: str, ReceiptHandle: str) -> dict[str, Any]:
    _delete(call.engine, queue_of(call, QueueUrl), ReceiptHandle)
    return {}


@operation(SERVICE, "ChangeMessageVisibility")
def change_message_visibility(
    call: Call, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int
) -> dict[str, Any]:
    _hide(call.engine, queue_of(call, QueueUrl), ReceiptHandle, VisibilityTimeout)
    return {}


@operation(SERVICE, "DeleteMessageBatch")
def delete_message_batch(call: Call, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
    queue = queue_of(call, QueueUrl)
    return _each(Entries, lambda entry: _delete(call.engine, queue, entry["ReceiptHandle"]))


@operation(SERVICE, "ChangeMessageVisibilityBatch")
def change_message_visibility_batch(
    call: Call, QueueUrl: str, Entries: list[dict[str, Any]]
) -> dict[str, Any]:
    queue = queue_of(call, QueueUrl)
    return _each(
        Entries,
        lambda entry: _hide(call.engine, queue, entry["ReceiptHandle"], entry.get("VisibilityTimeout", 0)),
    )


def _each(entries: list[dict[str, Any]], act: Any) -> dict[str, Any]:
    check_batch(entries)
    successful, refused = [], []
    for entry in entries:
        try:
            act(entry)
            successful.append({"Id": entry["Id"]})
        except AwsError as error:
            refused.append(failed(entry, error))
    return {"Successful": successful, "Failed": refused}
