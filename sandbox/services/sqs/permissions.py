"""AddPermission and RemovePermission: statements of a queue's policy by label.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.engine.operations import Call, operation
from sandbox.services.sqs.attributes import SERVICE
from sandbox.services.sqs.records import Queue, invalid, queue_of

_ACTIONS = (
    "*",
    "ChangeMessageVisibility",
    "DeleteMessage",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "SendMessage",
)


def _document(queue: Queue) -> dict[str, Any]:
    text = queue["attributes"].get("Policy")
    if text:
        document: dict[str, Any] = json.loads(text)
        return document
    return {"Version": "2012-10-17", "Id": f"{queue['arn']}/SQSDefaultPolicy", "Statement": []}


@operation(SERVICE, "AddPermission")
def add_permission(
    call: Call, QueueUrl: str, Label: str, AWSAccountIds: list[str], Actions: list[str]
) -> dict[str, Any]:
    for action in Actions:
        if action not in _ACTIONS:
            raise invalid(
                f"Value SQS:{action} for parameter ActionName is invalid. Reason: Only the queue "
                "owner is allowed "
                "to invoke this action."
            )
    with call.engine.store.transaction():
        queue = queue_of(call, QueueUrl)
        document = _document(queue)
        if any(statement.get("Sid") == Label for statement in document["Statement"]):
            raise invalid(f"Value {Label} for parameter Label is invalid. Reason: Already exists.")
        document["Statement"].append(
            {
                "Sid": Label,
                "Effect": "Allow",
                "Principal": {"AWS": [f"arn:aws:iam::{account}:root" for account in AWSAccountIds]},
                "Action": [f"SQS:{action}" for action in Actions],
                "Resource": queue["arn"],
            }
        )
        queue["attributes"]["Policy"] = json.dumps(document)
        call.records("queue").put(queue["name"], queue)
    return {}


@operation(SERVICE, "RemovePermission")
def remove_permission(call: Call, QueueUrl: str, Label: str) -> dict[str, Any]:
    with call.engine.store.transaction():
        queue = queue_of(call, QueueUrl)
        document = _document(queue)
        kept = [statement for statement in document["Statement"] if statement.get("Sid") != Label]
        if len(kept) == len(document["Statement"]):
            raise invalid(
                f"Value {Label} for parameter Label is invalid. Reason: can't find label on existing policy."
            )
        if kept:
            queue["attributes"]["Policy"] = json.dumps(document | {"Statement": kept})
        else:
            del queue["attributes"]["Policy"]
        call.records("queue").put(queue["name"], queue)
    return {}
