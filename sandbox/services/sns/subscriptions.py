"""Subscriptions: queues and functions of the account at once, addresses of people pending for ever.

Source: https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html and
https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
"""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.engine.patterns import InvalidPattern, compile_pattern
from sandbox.services.sns.topics import SERVICE, invalid, topic_of

Subscription = dict[str, Any]
PEOPLE = ("email", "email-json", "sms")
"""Protocols that lead out of the sandbox: their subscriptions stay unconfirmed, and nothing is sent."""
_ATTRIBUTES = frozenset(
    ("RawMessageDelivery", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy", "DeliveryPolicy")
)
_ENDPOINTS = {
    "sqs": re.compile(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]+"),
    "lambda": re.compile(
        r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9_$-]+)?"
    ),
    "email": re.compile(r"[^@\s]+@[^@\s]+"),
    "email-json": re.compile(r"[^@\s]+@[^@\s]+"),
    "sms": re.compile(r"\+?[0-9 ().-]{5,20}"),
}


def not_found() -> AwsError:
    return AwsError("NotFound", "Subscription does not exist", status=404)


def subscription_of(call: Call, arn: str) -> Subscription:
    record = call.records("subscription").get(arn.rpartition(":")[2])
    if record is None:
        raise not_found()
    return record


def _checked(name: str, value: str, *, fifo: bool) -> str:
    """The value of a subscription's attribute. InvalidParameter."""
    if name in ("SubscriptionRoleArn", "ReplayPolicy"):
        raise invalid(f"{name} is not implemented in the sandbox")
    if name not in _ATTRIBUTES:
        raise invalid("AttributeName")
    if name == "RawMessageDelivery" and value.lower() not in ("true", "false"):
        raise invalid("Attributes Reason: RawMessageDelivery: Invalid value. Must be true or false.")
    if name == "FilterPolicyScope" and value not in ("MessageAttributes", "MessageBody"):
        raise invalid("Attributes Reason: FilterPolicyScope: Invalid value.")
    if name == "FilterPolicy" and value and value != "{}":
        try:
            compile_pattern(value)
        except InvalidPattern as error:
            raise invalid(f"FilterPolicy: {error}") from error
    if name == "RedrivePolicy" and value:
        _redrive(value, fifo=fifo)
    return value.lower() if name == "RawMessageDelivery" else value


def _redrive(value: str, *, fifo: bool) -> None:
    try:
        target = json.loads(value)["deadLetterTargetArn"]
    except (ValueError, KeyError, TypeError) as error:
        raise invalid("RedrivePolicy: must be a JSON map with deadLetterTargetArn") from error
    if not _ENDPOINTS["sqs"].fullmatch(str(target)):
        raise invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn")
    if fifo and not str(target).endswith(".fifo"):
        raise invalid("RedrivePolicy: must use a FIFO queue as DLQ for a FIFO topic")


@operation(SERVICE, "Subscribe")
def subscribe(
    call: Call,
    TopicArn: str,
    Protocol: str,
    Endpoint: str = "",
    Attributes: dict[str, str] | None = None,
    ReturnSubscriptionArn: bool = False,
) -> dict[str, Any]:
    topic = topic_of(call, TopicArn)
    fifo = topic["name"].endswith(".fifo")
    if Protocol in ("http", "https", "application", "firehose"):
        raise invalid(f"Protocol {Protocol} is not implemented in the sandbox")
    if Protocol not in _ENDPOINTS:
        raise invalid(f"Amazon SNS does not support this protocol string: {Protocol}")
    if not _ENDPOINTS[Protocol].fullmatch(Endpoint):
        raise invalid(f"{Protocol.upper()} endpoint ARN" if Protocol == "sqs" else f"{Protocol} endpoint")
    if fifo and Protocol != "sqs":
        raise invalid("Invalid parameter: Endpoint Reason: FIFO topics deliver to SQS queues")
    if Protocol == "sqs" and Endpoint.endswith(".fifo") and not fifo:
        raise invalid("Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics")
    given = {name: _checked(name, value, fifo=fifo) for name, value in (Attributes or {}).items()}
    with call.engine.store.transaction():
        for known in call.records("subscription").list():
            if (known["topic"], known["protocol"], known["endpoint"]) == (TopicArn, Protocol, Endpoint):
                if given and given != known["attributes"]:
                    raise invalid("Attributes Reason: Subscription already exists with different attributes")
                return {"SubscriptionArn": _shown_arn(known, ReturnSubscriptionArn)}
        identifier = str(uuid.uuid4())
        record: Subscription = {
            "id": identifier,
            "arn": f"{TopicArn}:{identifier}",
            "topic": TopicArn,
            "protocol": Protocol,
            "endpoint": Endpoint,
            "attributes": given,
            "confirmed": Protocol not in PEOPLE,
        }
        call.records("subscription").put(identifier, record)
    return {"SubscriptionArn": _shown_arn(record, ReturnSubscriptionArn)}


def _shown_arn(record: Subscription, always: bool = False) -> str:
    return record["arn"] if record["confirmed"] or always else "pending confirmation"


@operation(SERVICE, "ConfirmSubscription")
def confirm_subscription(
    call: Call, TopicArn: str, Token: str, AuthenticateOnUnsubscribe: str | None = None
) -> dict[str, Any]:
    """Tokens travel by mail and telephone, which lead nowhere here: there is none that is right."""
    topic_of(call, TopicArn)
    raise invalid("Token")


@operation(SERVICE, "Unsubscribe")
def unsubscribe(call: Call, SubscriptionArn: str) -> dict[str, Any]:
    if SubscriptionArn.count(":") < 6:
        raise invalid("SubscriptionArn Reason: An ARN must have at least 6 elements, not 1")
    call.records("subscription").delete(SubscriptionArn.rpartition(":")[2])
    return {}


@operation(SERVICE, "GetSubscriptionAttributes")
def get_subscription_attributes(call: Call, SubscriptionArn: str) -> dict[str, Any]:
    record = subscription_of(call, SubscriptionArn)
    attributes = {"RawMessageDelivery": "false"} | record["attributes"]
    if attributes.get("FilterPolicy"):
        attributes.setdefault("FilterPolicyScope", "MessageAttributes")
    return {
        "Attributes": {name: value for name, value in attributes.items() if value}
        | {
            "SubscriptionArn": record["arn"],
            "TopicArn": record["topic"],
            "Protocol": record["protocol"],
            "Endpoint": record["endpoint"],
            "Owner": call.account,
            "PendingConfirmation": "false" if record["confirmed"] else "true",
            "ConfirmationWasAuthenticated": "true" if record["confirmed"] else "false",
            "SubscriptionPrincipal": call.principal.arn,
        }
    }


@operation(SERVICE, "SetSubscriptionAttributes")
def set_subscription_attributes(
    call: Call, SubscriptionArn: str, AttributeName: str, AttributeValue: str = ""
) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = subscription_of(call, SubscriptionArn)
        fifo = record["topic"].endswith(".fifo")
        record["attributes"][AttributeName] = _checked(AttributeName, AttributeValue, fifo=fifo)
        call.records("subscription").put(record["id"], record)
    return {}


def _listed(call: Call, record: Subscription) -> dict[str, str]:
    return {
        "SubscriptionArn": record["arn"] if record["confirmed"] else "PendingConfirmation",
        "Owner": call.account,
        "Protocol": record["protocol"],
        "Endpoint": record["endpoint"],
        "TopicArn": record["topic"],
    }


@operation(SERVICE, "ListSubscriptions")
def list_subscriptions(call: Call, NextToken: str | None = None) -> dict[str, Any]:
    return _list(call, call.records("subscription").list(), NextToken)


@operation(SERVICE, "ListSubscriptionsByTopic")
def list_subscriptions_by_topic(call: Call, TopicArn: str, NextToken: str | None = None) -> dict[str, Any]:
    topic_of(call, TopicArn)
    found = [record for record in call.records("subscription").list() if record["topic"] == TopicArn]
    return _list(call, found, NextToken)


def _list(call: Call, found: list[Subscription], token: str | None) -> dict[str, Any]:
    chosen, following = page(found, token, 100, error="InvalidParameter")
    answer: dict[str, Any] = {"Subscriptions": [_listed(call, record) for record in chosen]}
    return answer | ({"NextToken": following} if following else {})
