"""Amazon SQS: queues by URL; a batch needs the permission of its single operation.

Source: "Actions, resources, and condition keys for Amazon SQS" and "Amazon SQS API permissions" in the SQS
Developer Guide.
"""

from __future__ import annotations

import base64
from urllib.parse import urlsplit

from sandbox.iam.actions.check import Asked, Check, Unmapped


def checks(asked: Asked) -> list[Check]:
    action = asked.operation.removesuffix("Batch")
    return [Check(f"sqs:{action}", (_queue(asked),))]


def _queue(asked: Asked) -> str:
    if asked.operation == "ListQueues":
        return "*"
    url, name = asked.first("QueueUrl"), asked.first("QueueName")
    if url:
        account, _, name = urlsplit(url).path.strip("/").rpartition("/")
        return f"arn:aws:sqs:{asked.region}:{account.rpartition('/')[2] or asked.account}:{name}"
    if name:
        owner = asked.first("QueueOwnerAWSAccountId") or asked.account
        return f"arn:aws:sqs:{asked.region}:{owner}:{name}"
    given = asked.first("SourceArn") or _of_handle(asked.first("TaskHandle"))
    if given is None and asked.operation == "CancelMessageMoveTask":
        return asked.arn("sqs", "*")  # a handle that nobody gave out is a task of no queue
    if given is None:
        raise Unmapped(f"sqs:{asked.operation}", "the request names no queue")
    return given


def _of_handle(handle: str | None) -> str | None:
    """The queue that a message move task's handle tells."""
    try:
        text = base64.b64decode(handle or "", validate=True).decode()
    except ValueError:
        return None
    return text.partition(" ")[2] or None
