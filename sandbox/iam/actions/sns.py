"""Amazon SNS: a subscription's operations are about its topic; a batch needs sns:Publish.

Source: "Actions, resources, and condition keys for Amazon SNS"
"""

from __future__ import annotations

from sandbox.iam.actions import generic
from sandbox.iam.actions.check import Asked, Check


def checks(asked: Asked) -> list[Check]:
    action = "Publish" if asked.operation == "PublishBatch" else asked.operation
    return [Check(f"sns:{action}", _resources(asked, action))]


def _resources(asked: Asked, action: str) -> tuple[str, ...]:
    if not generic.types_of("sns", action):
        return ("*",)
    subscription = asked.first("SubscriptionArn")
    if subscription:
        return (subscription.rpartition(":")[0] if subscription.count(":") > 5 else "*",)
    topic = asked.first("TopicArn", "TargetArn", "ResourceArn")
    if topic:
        return (topic,)
    name = asked.first("Name")
    return (asked.arn("sns", name),) if name else ("*",)
