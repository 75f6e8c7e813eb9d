"""Whom a bucket tells of its objects: queues, topics, functions and EventBridge.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
"""

from __future__ import annotations

import fnmatch
import json
import uuid
from datetime import UTC, datetime
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.store import Records

SERVICE = "s3"
KINDS = {
    "QueueConfigurations": ("QueueArn", "sqs"),
    "TopicConfigurations": ("TopicArn", "sns"),
    "LambdaFunctionConfigurations": ("LambdaFunctionArn", "lambda"),
}
"""Member of the configuration → (member of the target, its service)."""
EVENTS = (
    "s3:ObjectCreated:*",
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload",
    "s3:ObjectRemoved:*",
    "s3:ObjectRemoved:Delete",
    "s3:ObjectRemoved:DeleteMarkerCreated",
)
"""What is told here; others of AWS's events never happen in the sandbox, and are refused."""


def configurations(engine: Engine, account: str) -> Records:
    """By bucket."""
    return engine.records(account, "aws", SERVICE, "notification")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidArgument", message, status=400)


def _check_bucket(call: Call, bucket: str) -> None:
    from botocore.exceptions import ClientError

    try:
        call.engine.clients.owner(call.region).client("s3").head_bucket(Bucket=bucket)
    except ClientError as error:
        raise AwsError("NoSuchBucket", "The specified bucket does not exist", status=404) from error


@operation(SERVICE, "PutBucketNotificationConfiguration")
def put_bucket_notification_configuration(
    call: Call,
    Bucket: str,
    NotificationConfiguration: dict[str, Any] | None = None,
    SkipDestinationValidation: bool = False,
    **_: Any,
) -> dict[str, Any]:
    _check_bucket(call, Bucket)
    given = NotificationConfiguration or {}
    kept: dict[str, Any] = {}
    for member, (arn, service) in KINDS.items():
        kept[member] = [_target(item, arn, service) for item in given.get(member) or []]
        for item in kept[member]:
            if not SkipDestinationValidation:
                _validate(call, Bucket, item[arn], service)
    kept["EventBridge"] = "EventBridgeConfiguration" in given
    configurations(call.engine, call.account).put(Bucket, kept)
    return {}


def _target(item: dict[str, Any], member: str, service: str) -> dict[str, Any]:
    arn = str(item.get(member) or "")
    if arn.split(":")[2:3] != [service] or arn.endswith(".fifo"):
        raise _invalid(
            "The ARN is not well formed" if not arn.endswith(".fifo") else "FIFO targets are not supported"
        )
    for event in item.get("Events") or []:
        if event not in EVENTS:
            raise _invalid(f"The event '{event}' is not supported for notifications in the sandbox")
    rules = ((item.get("Filter") or {}).get("Key") or {}).get("FilterRules") or []
    names = [str(rule["Name"]).lower() for rule in rules]
    if len(set(names)) < len(names) or set(names) - {"prefix", "suffix"}:
        raise _invalid("filter rule name must be either prefix or suffix")
    return {"Id": str(uuid.uuid4())} | item


def _validate(call: Call, bucket: str, arn: str, service: str) -> None:
    """S3 tries whether it may: queues and topics get a test event."""
    from botocore.exceptions import ClientError

    moment = datetime.fromtimestamp(call.engine.clock.now(), UTC)
    text = json.dumps(
        {
            "Service": "Amazon S3",
            "Event": "s3:TestEvent",
            "Time": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
            "Bucket": bucket,
            "RequestId": call.request_id,
        }
    )
    try:
        send(call.engine, call.region, bucket, arn, text, test=True)
    except ClientError as error:
        raise _invalid("Unable to validate the following destination configurations") from error


def send(engine: Engine, region: str, bucket: str, arn: str, text: str, *, test: bool = False) -> None:
    """Hands a message to a target, as S3 for the bucket. botocore's ClientError where it is refused."""
    session = engine.clients.service("s3.amazonaws.com", region=region, source_arn=f"arn:aws:s3:::{bucket}")
    service = arn.split(":")[2]
    if service == "lambda":
        kind = "DryRun" if test else "Event"
        session.client("lambda").invoke(FunctionName=arn, InvocationType=kind, Payload=text)
    elif service == "sns":
        session.client("sns").publish(TopicArn=arn, Message=text, Subject="Amazon S3 Notification")
    else:
        *_, account, name = arn.split(":")
        sqs = session.client("sqs")
        url = f"{sqs.meta.endpoint_url.rstrip('/')}/{account}/{name}"
        sqs.send_message(QueueUrl=url, MessageBody=text)


@operation(SERVICE, "GetBucketNotificationConfiguration")
def get_bucket_notification_configuration(call: Call, Bucket: str, **_: Any) -> dict[str, Any]:
    _check_bucket(call, Bucket)
    kept = configurations(call.engine, call.account).get(Bucket) or {}
    answer: dict[str, Any] = {member: kept[member] for member in KINDS if kept.get(member)}
    return answer | ({"EventBridgeConfiguration": {}} if kept.get("EventBridge") else {})


def wants(item: dict[str, Any], event: str, key: str) -> bool:
    """Whether a target is told of an event (`ObjectCreated:Put`) of an object."""
    if not any(fnmatch.fnmatchcase(f"s3:{event}", one) for one in item.get("Events") or []):
        return False
    rules = ((item.get("Filter") or {}).get("Key") or {}).get("FilterRules") or []
    for rule in rules:
        value = rule.get("Value") or ""
        fits = key.startswith(value) if str(rule["Name"]).lower() == "prefix" else key.endswith(value)
        if not fits:
            return False
    return True
