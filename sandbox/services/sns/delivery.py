"""From a topic to its subscribers, as sns.amazonaws.com for the topic: what their policies say decides.

Messages of one subscription go one after the other, so that a FIFO topic's keep their order. They carry no
signature, since there is no certificate of AWS to sign with.
Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html,
…/sns-sqs-as-subscriber.html, …/sns-lambda-as-subscriber.html and …/sns-dead-letter-queues.html
"""

from __future__ import annotations

import base64
import json
import logging
from datetime import UTC, datetime
from typing import Any

from sandbox.engine.clients import Session
from sandbox.engine.engine import Engine
from sandbox.engine.tasks import Again, task
from sandbox.services.sns.topics import SERVICE

log = logging.getLogger(__name__)

ATTEMPTS = 50
"""Tries where the subscriber's service failed; what it refuses is not tried again."""
FIRST_WAIT = 1.0
LONGEST_WAIT = 20.0


@task("sns.deliver")
def deliver(engine: Engine, key: str, payload: dict[str, Any]) -> Again | None:
    account, region, identifier = key.split("/", 2)
    records = engine.records(account, region, SERVICE, "delivery")
    for name in list(records.keys(f"{identifier}/")):
        record = records.get(name)
        subscription = engine.records(account, region, SERVICE, "subscription").get(identifier)
        if record is None or subscription is None:
            records.delete(name)
            continue
        session = engine.clients.service("sns.amazonaws.com", region=region, source_arn=record["topic"])
        problem = _attempt(session, subscription, record)
        if problem and problem[1] and record["attempts"] + 1 < ATTEMPTS:
            attempts = record["attempts"] + 1
            records.put(name, record | {"attempts": attempts})
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempts, 10))
            return Again(after=engine.clock.scaled(wait))
        if problem:
            _undelivered(session, subscription, record, problem[0])
        records.delete(name)
    return None


def _attempt(
    session: Session, subscription: dict[str, Any], record: dict[str, Any]
) -> tuple[str, bool] | None:
    """None when delivered, else what is wrong and whether it may pass."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        if subscription["protocol"] == "sqs":
            _to_queue(session, subscription["endpoint"], subscription, record)
        else:
            event = json.dumps({"Records": [_record(subscription, record)]})
            session.client("lambda").invoke(
                FunctionName=subscription["endpoint"], InvocationType="Event", Payload=event
            )
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return str(error), status >= 500 or status == 429
    except BotoCoreError as error:
        return str(error), False
    return None


def _undelivered(
    session: Session, subscription: dict[str, Any], record: dict[str, Any], problem: str
) -> None:
    """To the subscription's dead-letter queue, if it has one that may be used."""
    from botocore.exceptions import BotoCoreError, ClientError

    log.warning("message %s did not reach %s: %s", record["id"], subscription["endpoint"], problem)
    policy = subscription["attributes"].get("RedrivePolicy")
    if not policy:
        return
    letters = json.loads(policy)["deadLetterTargetArn"]
    try:
        _to_queue(session, letters, subscription, record)
    except (BotoCoreError, ClientError) as error:
        log.warning("nor the dead-letter queue %s: %s", letters, error)


def _to_queue(session: Session, arn: str, subscription: dict[str, Any], record: dict[str, Any]) -> None:
    *_, account, name = arn.split(":")
    sqs = session.client("sqs")
    members: dict[str, Any] = {"QueueUrl": f"{sqs.meta.endpoint_url.rstrip('/')}/{account}/{name}"}
    if subscription["attributes"].get("RawMessageDelivery") == "true":
        members["MessageBody"] = _text(subscription, record)
        members["MessageAttributes"] = {
            name: _attribute(attribute) for name, attribute in record["attributes"].items()
        }
    else:
        members["MessageBody"] = json.dumps(_notification(subscription, record), indent=2)
    if record["group"]:
        members["MessageGroupId"] = record["group"]
    if name.endswith(".fifo") and record["deduplication"]:
        members["MessageDeduplicationId"] = record["deduplication"]
    sqs.send_message(**members)


def _attribute(attribute: dict[str, str]) -> dict[str, Any]:
    kind = attribute["Type"]
    if kind.startswith("Binary"):
        return {"DataType": kind, "BinaryValue": base64.b64decode(attribute["Value"])}
    return {"DataType": kind, "StringValue": attribute["Value"]}


def _text(subscription: dict[str, Any], record: dict[str, Any]) -> str:
    texts: dict[str, str] | None = record["texts"]
    if texts is None:
        return str(record["message"])
    return texts.get(subscription["protocol"], texts["default"])


def _notification(subscription: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    moment = datetime.fromtimestamp(record["at"], UTC)
    found: dict[str, Any] = {"Type": "Notification", "MessageId": record["id"]}
    if record.get("sequence"):
        found["SequenceNumber"] = record["sequence"]
    found["TopicArn"] = record["topic"]
    if record["subject"]:
        found["Subject"] = record["subject"]
    found["Message"] = _text(subscription, record)
    found["Timestamp"] = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
    if record["attributes"]:
        found["MessageAttributes"] = record["attributes"]
    return found


def _record(subscription: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    """One record of the event that a function gets."""
    message = {"Subject": None, "MessageAttributes": {}} | _notification(subscription, record)
    return {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription["arn"],
        "Sns": message,
    }
