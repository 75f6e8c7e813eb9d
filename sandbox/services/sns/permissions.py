"""AddPermission and RemovePermission: statements of a topic's policy by label.

Source: https://docs.aws.amazon.com/sns/latest/api/API_AddPermission.html
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.engine.operations import Call, operation
from sandbox.services.sns.topics import SERVICE, invalid, topic_of


@operation(SERVICE, "AddPermission")
def add_permission(
    call: Call, TopicArn: str, Label: str, AWSAccountId: list[str], ActionName: list[str]
) -> dict[str, Any]:
    with call.engine.store.transaction():
        topic = topic_of(call, TopicArn)
        document = json.loads(topic["attributes"]["Policy"])
        if any(statement.get("Sid") == Label for statement in document["Statement"]):
            raise invalid("Statement already exists")
        document["Statement"].append(
            {
                "Sid": Label,
                "Effect": "Allow",
                "Principal": {"AWS": [f"arn:aws:iam::{account}:root" for account in AWSAccountId]},
                "Action": [f"SNS:{name}" for name in ActionName],
                "Resource": TopicArn,
            }
        )
        topic["attributes"]["Policy"] = json.dumps(document)
        call.records("topic").put(topic["name"], topic)
    return {}


@operation(SERVICE, "RemovePermission")
def remove_permission(call: Call, TopicArn: str, Label: str) -> dict[str, Any]:
    with call.engine.store.transaction():
        topic = topic_of(call, TopicArn)
        document = json.loads(topic["attributes"]["Policy"])
        document["Statement"] = [one for one in document["Statement"] if one.get("Sid") != Label]
        topic["attributes"]["Policy"] = json.dumps(document)
        call.records("topic").put(topic["name"], topic)
    return {}
