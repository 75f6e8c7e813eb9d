"""Reading a queue for a function: a batch at a time, under the function's role.

One long poll after the other, each woken by the first message. Messages of a batch that failed become
visible again when their time is over, as the queue says; those that succeeded are deleted.
Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html and …/services-sqs-errorhandling.html
"""

from __future__ import annotations

import base64
import json
import logging
import time
import uuid
from typing import Any

from sandbox.engine.clients import Session
from sandbox.engine.engine import Engine
from sandbox.engine.operations import AwsError
from sandbox.engine.patterns import compile_pattern
from sandbox.engine.tasks import Again, task
from sandbox.services.lambda_.instance import Event, Outcome
from sandbox.services.lambda_.invoke import SYNCHRONOUS, run
from sandbox.services.lambda_.names import SERVICE, Named
from sandbox.services.lambda_.records import functions

log = logging.getLogger(__name__)

LONG_POLL = 20
PAUSE = 5.0
"""Seconds after which a source that could not be read is tried again."""
Message = dict[str, Any]


@task("lambda.poll")
def poll(engine: Engine, key: str, payload: dict[str, Any]) -> Again | None:
    """One batch, then again. Ends when the mapping is disabled or deleted, or its queue is gone."""
    from botocore.exceptions import BotoCoreError, ClientError

    account, region, identifier = key.split("/", 2)
    records = engine.records(account, region, SERVICE, "mapping")
    mapping = records.get(identifier)
    if mapping is None or not mapping["enabled"]:
        return None
    function = functions(engine, account, region).get(mapping["name"])
    if function is None or function["live"] is None:
        return Again(after=PAUSE)
    try:
        session = engine.clients.role(
            function["live"]["config"]["Role"],
            service="lambda.amazonaws.com",
            session_name=mapping["name"],
            region=region,
            source_arn=f"arn:aws:lambda:{region}:{account}:function:{mapping['name']}",
        )
        queue = Queue(session, mapping)
        batch = queue.receive()
        if not batch:
            return Again()
        _note(records, identifier, _process(engine, account, region, mapping, queue, batch))
    except AwsError as error:
        problem = error.message
    except ClientError as error:
        problem = error.response["Error"].get("Message", str(error))
    except BotoCoreError as error:
        problem = str(error)
    else:
        return Again()
    _note(records, identifier, f"PROBLEM: {problem}")
    return Again(after=PAUSE)


def _note(records: Any, identifier: str, result: str) -> None:
    with records.store.transaction():
        mapping = records.get(identifier)
        if mapping is not None and mapping["result"] != result:
            records.put(identifier, mapping | {"result": result})


class Queue:
    """The queue of a mapping, as the function's role."""

    def __init__(self, session: Session, mapping: dict[str, Any]) -> None:
        self._sqs = session.client("sqs")
        self.arn: str = mapping["EventSourceArn"]
        *_, self.region, account, name = self.arn.split(":")
        self._url = f"{self._sqs.meta.endpoint_url.rstrip('/')}/{account}/{name}"
        self._settings = mapping["settings"]

    def receive(self) -> list[Message]:
        """Up to a batch of messages, gathered for as long as the batching window says."""
        size, window = self._settings["BatchSize"], self._settings["MaximumBatchingWindowInSeconds"]
        batch = self._receive(size, LONG_POLL)
        until = time.monotonic() + window
        while batch and len(batch) < size and window:
            left = until - time.monotonic()
            if left <= 0 or sum(len(message["Body"]) for message in batch) > SYNCHRONOUS // 2:
                break
            more = self._receive(size - len(batch), max(1, min(LONG_POLL, int(left))))
            batch += more
        return batch

    def _receive(self, most: int, wait: int) -> list[Message]:
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(10, most),
            WaitTimeSeconds=wait,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        found: list[Message] = answer.get("Messages", [])
        return found

    def delete(self, messages: list[Message]) -> None:
        for start in range(0, len(messages), 10):
            part = messages[start : start + 10]
            entries = [
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                for index, message in enumerate(part)
            ]
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)

    def record(self, message: Message) -> dict[str, Any]:
        """One record of the event that the function gets."""
        found = {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {
                name: _attribute(attribute)
                for name, attribute in message.get("MessageAttributes", {}).items()
            },
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self.arn,
            "awsRegion": self.region,
        }
        if message.get("MD5OfMessageAttributes"):
            found["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
        return found


def _attribute(attribute: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "dataType": attribute["DataType"],
        "stringListValues": [],
        "binaryListValues": [],
    }
    if attribute.get("BinaryValue") is not None:
        found["binaryValue"] = base64.b64encode(attribute["BinaryValue"]).decode()
    else:
        found["stringValue"] = attribute["StringValue"]
    return found


def _process(
    engine: Engine,
    account: str,
    region: str,
    mapping: dict[str, Any],
    queue: Queue,
    batch: list[Message],
) -> str:
    """What GetEventSourceMapping shows as the last result."""
    wanted = [message for message in batch if _passes(mapping, message)]
    # What no filter lets through is deleted, as on AWS.
    queue.delete([message for message in batch if message not in wanted])
    if not wanted:
        return "No records processed"
    target = Named(mapping["name"], mapping["qualifier"])
    suffix = f":{target.qualifier}" if target.qualifier else ""
    event = Event(
        str(uuid.uuid4()),
        f"arn:aws:lambda:{region}:{account}:function:{target.name}{suffix}",
        json.dumps({"Records": [queue.record(message) for message in wanted]}),
    )
    _, outcome = run(engine, account, region, target, event)
    failed = _failed(mapping, wanted, outcome)
    queue.delete([message for message in wanted if message["MessageId"] not in failed])
    if outcome.failed:
        return "PROBLEM: Function call failed"
    return "OK"


def _failed(mapping: dict[str, Any], batch: list[Message], outcome: Outcome) -> set[str]:
    """Ids of the messages that were not processed: all when the function failed, else those it names."""
    every = {message["MessageId"] for message in batch}
    if outcome.failed:
        return every
    if "ReportBatchItemFailures" not in mapping["settings"].get("FunctionResponseTypes", []):
        return set()
    answer = json.loads(outcome.payload)
    if not isinstance(answer, dict) or not answer.get("batchItemFailures"):
        return set()
    named = answer["batchItemFailures"]
    identifiers = {item.get("itemIdentifier") if isinstance(item, dict) else None for item in named}
    # An answer that cannot be read counts as a failure of the whole batch.
    return {str(item) for item in identifiers} if identifiers <= every else every


def _passes(mapping: dict[str, Any], message: Message) -> bool:
    filters = (mapping["settings"].get("FilterCriteria") or {}).get("Filters") or []
    if not filters:
        return True
    try:
        body = json.loads(message["Body"])
    except ValueError:
        body = message["Body"]
    seen = {"body": body, "messageId": message["MessageId"], "attributes": message.get("Attributes", {})}
    return any(compile_pattern(one["Pattern"])(seen) for one in filters)
