"""Stack events told to the stack's SNS topics, as the stack's principal.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html (NotificationARNs)
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import AwsError
from sandbox.engine.tasks import task
from sandbox.services.cloudformation.deploy.operation import session_of
from sandbox.services.cloudformation.stack.records import NOTIFY, Record, Stacks

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine

log = logging.getLogger(__name__)

_SUBJECT = "AWS CloudFormation Notification"


@task(NOTIFY)
def notify(engine: Engine, key: str, payload: dict[str, Any]) -> None:
    """Publishes one event. A topic that cannot be told does not hold the stack up, as on AWS."""
    from botocore.exceptions import ClientError

    stacks = Stacks(engine, payload["account"], payload["region"])
    event = stacks.events.get(key)
    stack = stacks.stacks.get(payload["stack"])
    if event is None or stack is None:
        return
    for topic in payload["topics"]:
        try:
            sns = session_of(engine, stack["Identity"], payload["region"]).client("sns")
            sns.publish(TopicArn=topic, Subject=_SUBJECT, Message=message(event, payload["account"]))
        except (ClientError, AwsError) as error:
            log.warning("stack %s could not tell %s: %s", stack["StackId"], topic, error)


def message(event: Record, account: str) -> str:
    """The event as lines of name and quoted value."""
    moment = datetime.fromtimestamp(event["Timestamp"], UTC)
    properties = event["ResourceProperties"]
    told = {
        "StackId": event["StackId"],
        "Timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z",
        "EventId": event["EventId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Namespace": account,
        "PhysicalResourceId": event["PhysicalResourceId"],
        "ResourceProperties": "null" if properties is None else json.dumps(properties, separators=(",", ":")),
        "ResourceStatus": event["ResourceStatus"],
        "ResourceStatusReason": event["ResourceStatusReason"] or "",
        "ResourceType": event["ResourceType"],
        "StackName": event["StackName"],
        "ClientRequestToken": event["ClientRequestToken"] or "null",
    }
    return "".join(f"{name}='{value}'\n" for name, value in told.items())
