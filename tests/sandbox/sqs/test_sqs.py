"""Queues through the door: order, visibility, dead letters, policies, survival."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.messaging import ACCOUNT, Queue, arn
from tests.sandbox_process import SandboxProcess


def test_a_message_wakes_whoever_waits(sandbox: SandboxProcess) -> None:
    queue = Queue(sandbox, "sqs-wake")
    attributes: dict[str, Any] = {
        "n": {"DataType": "Number", "StringValue": "1"},
        "b": {"DataType": "Binary", "BinaryValue": b"\0\1"},
    }
    found: list[dict[str, Any]] = []
    waiting = threading.Thread(
        target=lambda: found.extend(
            queue.receive(20, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"])
        )
    )
    waiting.start()
    # boto3 verifies both MD5 digests of what it sends and receives.
    sent = queue.send("hello", MessageAttributes=attributes)
    waiting.join()
    [message] = found
    assert (message["MessageId"], message["Body"]) == (sent["MessageId"], "hello")
    assert message["MessageAttributes"] == attributes
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert queue.count() == 0
    assert queue.count("ApproximateNumberOfMessagesNotVisible") == 1
    queue.sqs.change_message_visibility(
        QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
    )
    assert queue.take() == ["hello"]
    assert queue.count() == 0


def test_what_is_received_too_often_is_a_dead_letter_and_may_return(sandbox: SandboxProcess) -> None:
    letters = Queue(sandbox, "sqs-letters")
    redrive = {"deadLetterTargetArn": letters.arn, "maxReceiveCount": 2}
    queue = Queue(sandbox, "sqs-source", RedrivePolicy=json.dumps(redrive), VisibilityTimeout="0")
    queue.send("poison")
    assert [message["Body"] for _ in range(2) for message in queue.receive()] == ["poison"] * 2
    assert queue.receive(0) == []
    [dead] = letters.receive(VisibilityTimeout=0, MessageSystemAttributeNames=["All"])
    assert dead["Attributes"]["DeadLetterQueueSourceArn"] == queue.arn
    assert letters.sqs.list_dead_letter_source_queues(QueueUrl=letters.url)["queueUrls"] == [queue.url]
    letters.sqs.start_message_move_task(SourceArn=letters.arn)
    assert queue.take() == ["poison"]
    [task] = letters.sqs.list_message_move_tasks(SourceArn=letters.arn)["Results"]
    assert task["ApproximateNumberOfMessagesMoved"] == 1


def test_a_fifo_queue_keeps_order_within_groups_and_sends_once(sandbox: SandboxProcess) -> None:
    queue = Queue(sandbox, "sqs-order.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    first = queue.send("a1", MessageGroupId="a")
    queue.send("a2", MessageGroupId="a")
    queue.send("b1", MessageGroupId="b")
    assert queue.send("a1", MessageGroupId="a")["SequenceNumber"] == first["SequenceNumber"]
    [held] = queue.receive()
    assert held["Body"] == "a1"
    assert [message["Body"] for message in queue.receive(most=10)] == ["b1"]
    queue.sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=held["ReceiptHandle"])
    assert queue.take() == ["a2"]


def test_messages_survive_a_kill(sandbox: SandboxProcess) -> None:
    queue = Queue(sandbox, "sqs-durable")
    entries = [{"Id": str(number), "MessageBody": str(number)} for number in range(5)]
    assert len(queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)["Successful"]) == 5
    queue.send("later", DelaySeconds=900)
    sandbox.kill()
    sandbox.start_again()
    assert queue.take(6) == ["0", "1", "2", "3", "4", "later"]


def test_a_queue_under_a_key_needs_the_key(sandbox: SandboxProcess) -> None:
    key = sandbox.client("kms").create_key()["KeyMetadata"]["KeyId"]
    queue = Queue(sandbox, "sqs-key", KmsMasterKeyId=key)
    queue.send("secret")
    iam = sandbox.client("iam")
    iam.create_user(UserName="sqs-keyless")
    statement = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="sqs-keyless", PolicyName="p", PolicyDocument=policy)
    keys = iam.create_access_key(UserName="sqs-keyless")["AccessKey"]
    import boto3

    keyless = boto3.client(
        "sqs",
        endpoint_url=sandbox.url,
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
    )
    with pytest.raises(ClientError, match="kms:GenerateDataKey") as refused:
        keyless.send_message(QueueUrl=queue.url, MessageBody="x")
    assert refused.value.response["Error"]["Code"] == "KMS.AccessDeniedException"
    assert queue.take() == ["secret"]


def _queue_policy(queue: Queue) -> dict[str, Any]:
    answer = queue.sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["Policy"])
    policy: dict[str, Any] = json.loads(answer["Attributes"]["Policy"])
    return policy


def test_tags_permissions_and_refusals(sandbox: SandboxProcess) -> None:
    queue = Queue(sandbox, "sqs-rest", VisibilityTimeout="7")
    sqs, url = queue.sqs, queue.url
    sqs.tag_queue(QueueUrl=url, Tags={"team": "a", "x": "y"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["x"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "a"}
    sqs.add_permission(QueueUrl=url, Label="l", AWSAccountIds=[ACCOUNT], Actions=["SendMessage"])
    assert _queue_policy(queue)["Statement"][0]["Action"] == ["SQS:SendMessage"]
    sqs.remove_permission(QueueUrl=url, Label="l")
    assert sqs.get_queue_url(QueueName=queue.name)["QueueUrl"] == url
    redrive = json.dumps({"deadLetterTargetArn": arn("sqs", "none"), "maxReceiveCount": 2})
    refusals = {
        "AWS.SimpleQueueService.NonExistentQueue": lambda: sqs.send_message(
            QueueUrl=f"{url}x", MessageBody="x"
        ),
        "ReceiptHandleIsInvalid": lambda: sqs.delete_message(QueueUrl=url, ReceiptHandle="none"),
        "QueueAlreadyExists": lambda: sqs.create_queue(
            QueueName=queue.name, Attributes={"VisibilityTimeout": "8"}
        ),
        "AWS.SimpleQueueService.EmptyBatchRequest": lambda: sqs.send_message_batch(QueueUrl=url, Entries=[]),
        "InvalidAttributeValue": lambda: sqs.set_queue_attributes(
            QueueUrl=url, Attributes={"DelaySeconds": "901"}
        ),
        "InvalidMessageContents": lambda: queue.send("\x00"),
        "InvalidParameterValue": lambda: sqs.set_queue_attributes(
            QueueUrl=url, Attributes={"RedrivePolicy": redrive}
        ),
    }
    for code, call in refusals.items():
        with pytest.raises(ClientError) as refused:
            call()
        assert refused.value.response["Error"]["Code"] == code
    with pytest.raises(ClientError, match="Message must be shorter than 1048576 bytes"):
        queue.send("x" * 1_048_577)
    sqs.delete_queue(QueueUrl=url)
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        queue.receive(0)
