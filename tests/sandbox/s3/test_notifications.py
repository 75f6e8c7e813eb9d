"""Buckets tell of their objects: a queue, a function's policy and EventBridge."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.cloudformation.stacks import Stacks, new_name
from tests.sandbox.messaging import Queue, arn
from tests.sandbox_process import SandboxProcess


def test_a_bucket_tells_a_queue_and_event_bridge(sandbox: SandboxProcess) -> None:
    s3, events = sandbox.client("s3"), sandbox.client("events")
    s3.create_bucket(Bucket="telling-bucket")
    queue = Queue(sandbox, "s3-queue")
    key_filter = {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}]}}
    told = {"Id": "q", "QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:Delete"]}
    configuration = {
        "QueueConfigurations": [told | {"Filter": key_filter}],
        "EventBridgeConfiguration": {},
    }
    with pytest.raises(ClientError, match="Unable to validate the following destination configurations"):
        s3.put_bucket_notification_configuration(
            Bucket="telling-bucket", NotificationConfiguration=configuration
        )
    queue.open_to("s3.amazonaws.com", "arn:aws:s3:::telling-bucket")
    s3.put_bucket_notification_configuration(Bucket="telling-bucket", NotificationConfiguration=configuration)
    assert json.loads(queue.take()[0])["Event"] == "s3:TestEvent"
    shown = s3.get_bucket_notification_configuration(Bucket="telling-bucket")
    assert shown["QueueConfigurations"][0]["QueueArn"] == queue.arn
    assert "EventBridgeConfiguration" in shown
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": ["telling-bucket"]}}}
    rule = events.put_rule(Name="s3-rule", EventPattern=json.dumps(pattern))["RuleArn"]
    heard = Queue(sandbox, "s3-heard").open_to("events.amazonaws.com", rule)
    events.put_targets(Rule="s3-rule", Targets=[{"Id": "q", "Arn": heard.arn}])
    s3.put_object(Bucket="telling-bucket", Key="out/x", Body=b"unheard")
    event = json.loads(heard.take()[0])
    assert (event["detail-type"], event["detail"]["object"]["key"]) == ("Object Created", "out/x")
    s3.put_object(Bucket="telling-bucket", Key="in/a b", Body=b"four")
    [record] = json.loads(queue.take()[0])["Records"]
    assert (record["eventName"], record["s3"]["object"]["key"]) == ("ObjectCreated:Put", "in/a+b")
    assert record["s3"]["object"]["size"] == 4
    s3.delete_object(Bucket="telling-bucket", Key="in/a b")
    [record] = json.loads(queue.take()[0])["Records"]
    assert record["eventName"] == "ObjectRemoved:Delete"
    assert {json.loads(text)["detail-type"] for text in heard.take(2)} == {"Object Created", "Object Deleted"}
    assert queue.count() == 0
    with pytest.raises(ClientError, match="is not supported for notifications"):
        s3.put_bucket_notification_configuration(
            Bucket="telling-bucket",
            NotificationConfiguration={
                "TopicConfigurations": [{"TopicArn": arn("sns", "t"), "Events": ["s3:ObjectRestore:Post"]}]
            },
        )
    s3.put_bucket_notification_configuration(Bucket="telling-bucket", NotificationConfiguration={})
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket="telling-bucket")


def test_a_stack_s_bucket_tells_a_queue(sandbox: SandboxProcess) -> None:
    stacks, name = Stacks(sandbox.client("cloudformation")), new_name()
    queue = Queue(sandbox, f"{name}-queue").open_to("s3.amazonaws.com", f"arn:aws:s3:::{name}")
    told = {
        "Event": "s3:ObjectCreated:*",
        "Queue": queue.arn,
        "Filter": {"S3Key": {"Rules": [{"Name": "suffix", "Value": ".csv"}]}},
    }
    configuration = {
        "QueueConfigurations": [told],
        "EventBridgeConfiguration": {"EventBridgeEnabled": True},
    }
    properties = {"BucketName": name, "NotificationConfiguration": configuration}
    template = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties}}}
    assert stacks.create(template, name)["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(name)
    assert json.loads(queue.take()[0])["Event"] == "s3:TestEvent"
    s3 = sandbox.client("s3")
    for key in ("a.txt", "a.csv"):
        s3.put_object(Bucket=name, Key=key, Body=b"x")
    assert json.loads(queue.take()[0])["Records"][0]["s3"]["object"]["key"] == "a.csv"
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=name)
    del properties["NotificationConfiguration"]
    assert stacks.update(name, template)["StackStatus"] == "UPDATE_COMPLETE", stacks.reasons(name)
    shown = s3.get_bucket_notification_configuration(Bucket=name)
    assert "EventBridgeConfiguration" not in shown
