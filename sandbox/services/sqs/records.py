"""Queues by URL, name and ARN."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from sandbox.engine.engine import Engine
from sandbox.engine.operations import POLICIES, TAGS, AwsError, Call
from sandbox.services.sqs.attributes import SERVICE
from sandbox.services.sqs.broker import Mailbox, broker

Queue = dict[str, Any]


def no_queue() -> AwsError:
    return AwsError("QueueDoesNotExist", "The specified queue does not exist.")


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message, status=400)


def queue_of(call: Call, url: str) -> Queue:
    """The queue of a URL. QueueDoesNotExist."""
    account, _, name = urlsplit(url).path.strip("/").rpartition("/")
    if account.rpartition("/")[2] not in ("", call.account):
        raise no_queue()
    queue = call.records("queue").get(name)
    if queue is None:
        raise no_queue()
    return queue


def queue_of_arn(engine: Engine, arn: str) -> Queue | None:
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != SERVICE:
        return None
    return engine.records(parts[4], parts[3], SERVICE, "queue").get(parts[5])


def url_of(call: Call, name: str) -> str:
    return f"{call.engine.endpoint_url}/{call.account}/{name}"


def mailbox_of(engine: Engine, queue: Queue) -> Mailbox:
    _, _, _, region, account, _ = queue["arn"].split(":")
    return broker(engine).mailbox(engine, account, region, queue["uid"])


def number(queue: Queue, attribute: str) -> int:
    return int(queue["attributes"][attribute])


def _tags(engine: Engine, account: str, region: str, arn: str) -> dict[str, str]:
    queue = queue_of_arn(engine, arn)
    return dict(queue["tags"]) if queue else {}


def _policy(engine: Engine, account: str, region: str, arn: str) -> str | None:
    queue = queue_of_arn(engine, arn)
    return (queue["attributes"].get("Policy") or None) if queue else None


TAGS[SERVICE] = _tags
POLICIES[SERVICE] = _policy
