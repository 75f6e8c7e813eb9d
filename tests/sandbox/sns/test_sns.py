"""Topics through the door: who gets a message, in what form, and under whose policy."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.messaging import Queue, make_role, zipped
from tests.sandbox_process import SandboxProcess


def kind(value: str) -> dict[str, Any]:
    return {"kind": {"DataType": "String", "StringValue": value}}


def test_a_queue_gets_what_its_filter_wants_if_its_policy_lets_it(sandbox: SandboxProcess) -> None:
    sns = sandbox.client("sns")
    topic = sns.create_topic(Name="sns-filter")["TopicArn"]
    queue = Queue(sandbox, "sns-closed")
    letters = Queue(sandbox, "sns-letters").open_to("sns.amazonaws.com", topic)
    subscription = sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=queue.arn,
        Attributes={
            "FilterPolicy": json.dumps({"kind": ["a", {"prefix": "b"}]}),
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": letters.arn}),
        },
    )["SubscriptionArn"]
    sns.publish(TopicArn=topic, Message="refused", MessageAttributes=kind("a"))
    [dead] = letters.take()
    assert json.loads(dead)["Message"] == "refused"
    queue.open_to("sns.amazonaws.com", topic)
    sns.publish(TopicArn=topic, Message="unwanted", MessageAttributes=kind("c"))
    sns.publish(TopicArn=topic, Message="wanted", Subject="news", MessageAttributes=kind("be"))
    notification = json.loads(queue.take()[0])
    assert (notification["Message"], notification["Subject"], notification["TopicArn"]) == (
        "wanted",
        "news",
        topic,
    )
    assert notification["MessageAttributes"] == {"kind": {"Type": "String", "Value": "be"}}
    for name, value in (("RawMessageDelivery", "true"), ("FilterPolicyScope", "MessageBody")):
        sns.set_subscription_attributes(
            SubscriptionArn=subscription, AttributeName=name, AttributeValue=value
        )
    entries = [{"Id": "1", "Message": "no json"}, {"Id": "2", "Message": '{"kind": "a"}'}]
    assert len(sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)["Successful"]) == 2
    assert queue.take() == ['{"kind": "a"}']


def test_a_fifo_topic_keeps_order_and_publishes_once(sandbox: SandboxProcess) -> None:
    sns = sandbox.client("sns")
    attributes = {"FifoTopic": "true", "ContentBasedDeduplication": "true"}
    topic = sns.create_topic(Name="sns-order.fifo", Attributes=attributes)["TopicArn"]
    queue = Queue(sandbox, "sns-order.fifo", FifoQueue="true").open_to("sns.amazonaws.com", topic)
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"}
    )
    sent = [str(number) for number in range(6)]
    for text in (*sent, "0"):
        sns.publish(TopicArn=topic, Message=text, MessageGroupId="g")
    assert queue.take(6) == sent
    assert queue.count() == 0


def test_a_function_gets_the_message_as_an_event(sandbox: SandboxProcess) -> None:
    sns, functions = sandbox.client("sns"), sandbox.client("lambda")
    topic = sns.create_topic(Name="sns-function")["TopicArn"]
    queue = Queue(sandbox, "sns-echo")
    code = (
        "import boto3, json\n"
        "def handler(event, context):\n"
        f"    boto3.client('sqs').send_message(QueueUrl={queue.url!r}, MessageBody=json.dumps(event))\n"
    )
    role = make_role(sandbox, "sns-function", ["sqs:SendMessage"], "lambda.amazonaws.com")
    function = functions.create_function(
        FunctionName="sns-function",
        Role=role,
        Runtime="python3.12",
        Handler="index.handler",
        Timeout=30,
        Code={"ZipFile": zipped(index=code)},
    )["FunctionArn"]
    functions.get_waiter("function_active_v2").wait(FunctionName=function, WaiterConfig={"Delay": 0.1})
    functions.add_permission(
        FunctionName=function,
        StatementId="topic",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=topic,
    )
    subscription = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)["SubscriptionArn"]
    text = json.dumps({"default": "for others", "lambda": "for functions"})
    sns.publish(TopicArn=topic, Message=text, MessageStructure="json")
    [record] = json.loads(queue.take()[0])["Records"]
    assert (record["EventSource"], record["EventSubscriptionArn"]) == ("aws:sns", subscription)
    assert record["Sns"]["Message"] == "for functions"


def test_addresses_stay_unconfirmed_and_refusals_are_named(sandbox: SandboxProcess) -> None:
    sns = sandbox.client("sns")
    topic = sns.create_topic(Name="sns-rest", Tags=[{"Key": "team", "Value": "a"}])["TopicArn"]
    answer = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")
    assert answer["SubscriptionArn"] == "pending confirmation"
    sns.publish(TopicArn=topic, Message="to nobody")
    [listed] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"] == "PendingConfirmation"
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (attributes["SubscriptionsPending"], attributes["SubscriptionsConfirmed"]) == ("1", "0")
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="Rest")
    assert sns.list_tags_for_resource(ResourceArn=topic)["Tags"] == [{"Key": "team", "Value": "a"}]
    bad_filter = {"FilterPolicy": '{"kind": 1}'}
    queue = Queue(sandbox, "sns-unfiltered")
    refusals = {
        "Topic does not exist": lambda: sns.publish(TopicArn=f"{topic}x", Message="x"),
        "Protocol https is not implemented": lambda: sns.subscribe(
            TopicArn=topic, Protocol="https", Endpoint="https://example.com"
        ),
        "FilterPolicy": lambda: sns.subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes=bad_filter
        ),
        "Empty message": lambda: sns.publish(TopicArn=topic, Message=""),
        "Message too long": lambda: sns.publish(TopicArn=topic, Message="x" * 262_145),
        "Topic Name": lambda: sns.create_topic(Name="no name"),
        "No default entry": lambda: sns.publish(TopicArn=topic, Message="{}", MessageStructure="json"),
    }
    for text, call in refusals.items():
        with pytest.raises(ClientError, match=text):
            call()
    sns.delete_topic(TopicArn=topic)
    with pytest.raises(ClientError, match="NotFound"):
        sns.get_topic_attributes(TopicArn=topic)
