"""A bucket's NotificationConfiguration, from CloudFormation's form to S3's."""

from __future__ import annotations

from typing import Any

_KINDS = {
    "QueueConfigurations": ("Queue", "QueueConfigurations", "QueueArn"),
    "TopicConfigurations": ("Topic", "TopicConfigurations", "TopicArn"),
    "LambdaConfigurations": ("Function", "LambdaFunctionConfigurations", "LambdaFunctionArn"),
}
"""Property → (member that names the target, S3's member, S3's name of the target)."""


def notification(wanted: dict[str, Any]) -> dict[str, Any]:
    """NotificationConfiguration of PutBucketNotificationConfiguration."""
    given: dict[str, Any] = {}
    for name, (target, member, arn) in _KINDS.items():
        items = [_item(one, target, arn) for one in wanted.get(name, [])]
        if items:
            given[member] = items
    bridge = wanted.get("EventBridgeConfiguration")
    if bridge is not None and bridge.get("EventBridgeEnabled", True):
        given["EventBridgeConfiguration"] = {}
    return given


def _item(one: dict[str, Any], target: str, arn: str) -> dict[str, Any]:
    item: dict[str, Any] = {arn: one[target], "Events": [one["Event"]]}
    rules = ((one.get("Filter") or {}).get("S3Key") or {}).get("Rules")
    if rules:
        item["Filter"] = {"Key": {"FilterRules": [dict(rule) for rule in rules]}}
    return item
