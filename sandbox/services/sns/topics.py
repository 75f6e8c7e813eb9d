"""Topics: operations, attributes, tags.

Source: https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html and API_SetTopicAttributes.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.operations import POLICIES, TAGS, AwsError, Call, operation
from sandbox.engine.pagination import page

SERVICE = "sns"
Topic = dict[str, Any]
_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_FIFO_NAME = re.compile(r"(?=.{6,256}$)[A-Za-z0-9_-]+\.fifo")
_RECORDED = frozenset(("DeliveryPolicy", "DisplayName", "SignatureVersion", "TracingConfig"))
"""Attributes that are kept and shown; nothing here depends on them."""
_SETTABLE = _RECORDED | {"Policy", "KmsMasterKeyId", "ContentBasedDeduplication"}
_FIFO_ONLY = frozenset(("ContentBasedDeduplication", "FifoTopic", "FifoThroughputScope"))
_OWNER_MAY = (
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
)


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameter", f"Invalid parameter: {message}", status=400)


def topic_of(call: Call, arn: str) -> Topic:
    """NotFound for a topic that does not exist, InvalidParameter for what is no topic's ARN."""
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != SERVICE:
        raise invalid("TopicArn")
    if parts[3:5] != [call.region, call.account]:
        raise AwsError("NotFound", "Topic does not exist", status=404)
    topic = call.records("topic").get(parts[5])
    if topic is None:
        raise AwsError("NotFound", "Topic does not exist", status=404)
    return topic


def default_policy(arn: str, account: str) -> str:
    """What a topic's policy is until somebody sets one: its owner's services may publish."""
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{name}" for name in _OWNER_MAY],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": account}},
    }
    document = {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}
    return json.dumps(document, separators=(",", ":"))


def check_attribute(name: str, value: str, *, fifo: bool, creating: bool) -> None:
    """InvalidParameter for an attribute that SNS does not take, or that nothing here would carry out."""
    if (
        name in ("ArchivePolicy", "DataProtectionPolicy")
        or "FeedbackSampleRate" in name
        or (name.endswith("FeedbackRoleArn"))
    ):
        raise invalid(f"{name} is not implemented in the sandbox")
    if name in _FIFO_ONLY and not fifo:
        raise invalid(f"Attributes Reason: {name} is only valid for FIFO topics")
    if name not in _SETTABLE and not (creating and name in _FIFO_ONLY) and name != "FifoThroughputScope":
        raise invalid("AttributeName")
    if name in ("ContentBasedDeduplication", "FifoTopic") and value not in ("true", "false"):
        raise invalid(f"Attributes Reason: {name} must be true or false")
    if name == "DisplayName" and len(value) > 100:
        raise invalid("DisplayName Reason: must be at most 100 characters long")
    if name == "Policy" and value:
        _check_policy(value)


def _check_policy(value: str) -> None:
    from sandbox.iam.documents import parse

    try:
        parse(value, "topic policy")
        valid = "Statement" in json.loads(value)
    except (ValueError, KeyError, TypeError, AttributeError):
        valid = False
    if not valid:
        raise invalid("Policy Error: null")


@operation(SERVICE, "CreateTopic")
def create_topic(
    call: Call,
    Name: str,
    Attributes: dict[str, str] | None = None,
    Tags: list[dict[str, str]] | None = None,
    DataProtectionPolicy: str | None = None,
) -> dict[str, Any]:
    given = dict(Attributes or {})
    fifo = given.get("FifoTopic") == "true"
    if not (_FIFO_NAME if fifo else _NAME).fullmatch(Name):
        raise invalid("Topic Name")
    if DataProtectionPolicy:
        raise invalid("DataProtectionPolicy is not implemented in the sandbox")
    for name, value in given.items():
        check_attribute(name, value, fifo=fifo, creating=True)
    tags = {tag["Key"]: tag["Value"] for tag in Tags or []}
    arn = call.arn(Name)
    with call.engine.store.transaction():
        known = call.records("topic").get(Name)
        if known is None:
            if fifo:
                given = {"ContentBasedDeduplication": "false", "FifoThroughputScope": "Topic"} | given
            given.setdefault("Policy", default_policy(arn, call.account))
            call.records("topic").put(Name, {"name": Name, "arn": arn, "attributes": given, "tags": tags})
        else:
            _check_same(known, given, tags)
    return {"TopicArn": arn}


def _check_same(known: Topic, given: dict[str, str], tags: dict[str, str]) -> None:
    if any(known["attributes"].get(name, "") != value for name, value in given.items()):
        raise invalid("Attributes Reason: Topic already exists with different attributes")
    if tags and known["tags"] != tags:
        raise invalid("Tags Reason: Topic already exists with different tags")


@operation(SERVICE, "DeleteTopic")
def delete_topic(call: Call, TopicArn: str) -> dict[str, Any]:
    """Deleting a topic that does not exist succeeds, as on AWS; its subscriptions go with it."""
    name = TopicArn.rpartition(":")[2]
    with call.engine.store.transaction():
        call.records("topic").delete(name)
        for subscription in call.records("subscription").list():
            if subscription["topic"] == TopicArn:
                call.records("subscription").delete(subscription["id"])
    return {}


@operation(SERVICE, "GetTopicAttributes")
def get_topic_attributes(call: Call, TopicArn: str) -> dict[str, Any]:
    topic = topic_of(call, TopicArn)
    states = [
        subscription["confirmed"]
        for subscription in call.records("subscription").list()
        if subscription["topic"] == TopicArn
    ]
    shown = {"DisplayName": ""} | {name: value for name, value in topic["attributes"].items() if value}
    return {
        "Attributes": shown
        | {
            "TopicArn": TopicArn,
            "Owner": call.account,
            "SubscriptionsConfirmed": str(sum(states)),
            "SubscriptionsPending": str(len(states) - sum(states)),
            "SubscriptionsDeleted": "0",
            "EffectiveDeliveryPolicy": topic["attributes"].get("DeliveryPolicy") or _DELIVERY_POLICY,
        }
    }


_DELIVERY_POLICY = json.dumps(
    {
        "http": {
            "defaultHealthyRetryPolicy": {
                "minDelayTarget": 20,
                "maxDelayTarget": 20,
                "numRetries": 3,
                "numMaxDelayRetries": 0,
                "numNoDelayRetries": 0,
                "numMinDelayRetries": 0,
                "backoffFunction": "linear",
            },
            "disableSubscriptionOverrides": False,
        }
    },
    separators=(",", ":"),
)


@operation(SERVICE, "SetTopicAttributes")
def set_topic_attributes(
    call: Call, TopicArn: str, AttributeName: str, AttributeValue: str = ""
) -> dict[str, Any]:
    with call.engine.store.transaction():
        topic = topic_of(call, TopicArn)
        fifo = topic["name"].endswith(".fifo")
        check_attribute(AttributeName, AttributeValue, fifo=fifo, creating=False)
        topic["attributes"][AttributeName] = AttributeValue
        if AttributeName == "Policy" and not AttributeValue:
            topic["attributes"]["Policy"] = default_policy(TopicArn, call.account)
        call.records("topic").put(topic["name"], topic)
    return {}


@operation(SERVICE, "ListTopics")
def list_topics(call: Call, NextToken: str | None = None) -> dict[str, Any]:
    chosen, token = page(call.records("topic").list(), NextToken, 100, error="InvalidParameter")
    return {"Topics": [{"TopicArn": topic["arn"]} for topic in chosen]} | (
        {"NextToken": token} if token else {}
    )


def _tagged(call: Call, arn: str) -> Topic:
    try:
        return topic_of(call, arn)
    except AwsError as error:
        raise AwsError("ResourceNotFound", "Resource does not exist", status=404) from error


@operation(SERVICE, "TagResource")
def tag_resource(call: Call, ResourceArn: str, Tags: list[dict[str, str]]) -> dict[str, Any]:
    with call.engine.store.transaction():
        topic = _tagged(call, ResourceArn)
        topic["tags"] |= {tag["Key"]: tag["Value"] for tag in Tags}
        if len(topic["tags"]) > 50:
            raise AwsError(
                "TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded"
            )
        call.records("topic").put(topic["name"], topic)
    return {}


@operation(SERVICE, "UntagResource")
def untag_resource(call: Call, ResourceArn: str, TagKeys: list[str]) -> dict[str, Any]:
    with call.engine.store.transaction():
        topic = _tagged(call, ResourceArn)
        topic["tags"] = {name: value for name, value in topic["tags"].items() if name not in TagKeys}
        call.records("topic").put(topic["name"], topic)
    return {}


@operation(SERVICE, "ListTagsForResource")
def list_tags_for_resource(call: Call, ResourceArn: str) -> dict[str, Any]:
    tags = _tagged(call, ResourceArn)["tags"]
    return {"Tags": [{"Key": name, "Value": value} for name, value in tags.items()]}


def _record(engine: Engine, account: str, region: str, arn: str) -> Topic | None:
    parts = arn.split(":")
    return engine.records(account, region, SERVICE, "topic").get(parts[5]) if len(parts) >= 6 else None


def _tags(engine: Engine, account: str, region: str, arn: str) -> dict[str, str]:
    topic = _record(engine, account, region, arn)
    return dict(topic["tags"]) if topic else {}


def _policy(engine: Engine, account: str, region: str, arn: str) -> str | None:
    topic = _record(engine, account, region, arn)
    return topic["attributes"].get("Policy") if topic else None


TAGS[SERVICE] = _tags
POLICIES[SERVICE] = _policy
