"""AWS::SNS::Topic, TopicPolicy, Subscription."""

from __future__ import annotations

import json
from typing import Any

from sandbox.services.cloudformation.resources.errors import unless_missing
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    left_behind,
    resource_type,
)
from sandbox.services.cloudformation.template.parameters import text_of

_TOPIC = (
    "ContentBasedDeduplication",
    "DisplayName",
    "FifoTopic",
    "FifoThroughputScope",
    "KmsMasterKeyId",
    "SignatureVersion",
    "TracingConfig",
)
_SUBSCRIPTION = (
    "DeliveryPolicy",
    "FilterPolicy",
    "FilterPolicyScope",
    "RawMessageDelivery",
    "RedrivePolicy",
)
_OFF = {
    "ContentBasedDeduplication": "false",
    "RawMessageDelivery": "false",
    "FilterPolicyScope": "MessageAttributes",
}
"""What takes an attribute off again; the empty text for those that are not here."""


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) else text_of(value)


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": name, "Value": value} for name, value in tags.items()]


@resource_type("AWS::SNS::Topic")
class Topic(Handler):
    refused = frozenset({"ArchivePolicy", "DataProtectionPolicy", "DeliveryStatusLogging"})

    def create(self, request: Request) -> Made:
        sns, fifo = request.client("sns"), bool(request.properties.get("FifoTopic"))
        if fifo and "TopicName" not in request.properties:
            name = request.name("TopicName", limit=251) + ".fifo"
        else:
            name = request.name("TopicName", limit=256)
        given = {key: _text(request.properties[key]) for key in _TOPIC if key in request.properties}
        arn = sns.create_topic(Name=name, Attributes=given, Tags=_tags(request.tags))["TopicArn"]
        made = Made(arn, {"TopicArn": arn, "TopicName": name})
        with left_behind(made):
            for item in request.properties.get("Subscription", []):
                sns.subscribe(TopicArn=arn, Protocol=item["Protocol"], Endpoint=item["Endpoint"])
        return made

    def update(self, request: Request) -> Made:
        sns, arn = request.client("sns"), request.physical_id
        for name in _TOPIC:
            if request.changed(name):
                value = _text(request.properties.get(name, _OFF.get(name, "")))
                sns.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)
        self._subscribe(request, sns, arn)
        if request.tags_removed:
            sns.untag_resource(ResourceArn=arn, TagKeys=request.tags_removed)
        if request.tags_added:
            sns.tag_resource(ResourceArn=arn, Tags=_tags(request.tags_added))
        return Made(arn, request.attributes)

    def _subscribe(self, request: Request, sns: Any, arn: str) -> None:
        wanted = [(item["Protocol"], item["Endpoint"]) for item in request.properties.get("Subscription", [])]
        before = [(item["Protocol"], item["Endpoint"]) for item in request.previous.get("Subscription", [])]
        if before == wanted:
            return
        for page in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn):
            for item in page["Subscriptions"]:
                pair = (item["Protocol"], item["Endpoint"])
                confirmed = item["SubscriptionArn"] != "PendingConfirmation"
                if pair in before and pair not in wanted and confirmed:
                    sns.unsubscribe(SubscriptionArn=item["SubscriptionArn"])
        for protocol, endpoint in wanted:
            sns.subscribe(TopicArn=arn, Protocol=protocol, Endpoint=endpoint)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("sns").delete_topic(TopicArn=request.physical_id)


@resource_type("AWS::SNS::TopicPolicy")
class TopicPolicy(Handler):
    def create(self, request: Request) -> Made:
        self._put(request, request.properties["Topics"], request.properties["PolicyDocument"])
        return Made(request.name("Id"), {"Id": request.name("Id")})

    def update(self, request: Request) -> Made:
        gone = set(request.previous.get("Topics", [])) - set(request.properties["Topics"])
        self._put(request, sorted(gone), "")
        self._put(request, request.properties["Topics"], request.properties["PolicyDocument"])
        return Made(request.physical_id, request.attributes)

    def _put(self, request: Request, topics: list[str], policy: Any) -> None:
        for arn in topics:
            request.client("sns").set_topic_attributes(
                TopicArn=arn, AttributeName="Policy", AttributeValue=_text(policy)
            )

    def delete(self, request: Request) -> None:
        """The topics get the policy back that they are born with."""
        with unless_missing():
            self._put(request, request.properties["Topics"], "")


@resource_type("AWS::SNS::Subscription")
class Subscription(Handler):
    refused = frozenset({"Region", "ReplayPolicy", "SubscriptionRoleArn"})

    def create(self, request: Request) -> Made:
        properties = request.properties
        given = {name: _text(properties[name]) for name in _SUBSCRIPTION if name in properties}
        answer = request.client("sns").subscribe(
            TopicArn=properties["TopicArn"],
            Protocol=properties["Protocol"],
            Endpoint=properties.get("Endpoint", ""),
            Attributes=given,
            ReturnSubscriptionArn=True,
        )
        arn = answer["SubscriptionArn"]
        return Made(arn, {"Arn": arn})

    def update(self, request: Request) -> Made:
        for name in _SUBSCRIPTION:
            if request.changed(name):
                request.client("sns").set_subscription_attributes(
                    SubscriptionArn=request.physical_id,
                    AttributeName=name,
                    AttributeValue=_text(request.properties.get(name, _OFF.get(name, ""))),
                )
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("sns").unsubscribe(SubscriptionArn=request.physical_id)
