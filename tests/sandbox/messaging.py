"""What the tests of queues, topics, functions and rules share."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from tests.sandbox_process import SandboxProcess

ACCOUNT = "123456789012"
REGION = "us-east-1"
WAIT = 15
"""Seconds that a receiver waits at most: a message wakes it."""


def zipped(**files: str) -> bytes:
    """A zip of modules by name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.py", text)
    return buffer.getvalue()


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def allow(actions: Any, resource: str, service: str, source: str) -> str:
    """A resource policy that lets a service in for one source."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": actions,
        "Resource": resource,
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make_role(sandbox: SandboxProcess, name: str, actions: list[str], service: str) -> str:
    """A role of a service that may do these actions on anything."""
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    iam = sandbox.client("iam")
    role: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))["Role"]["Arn"]
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_role_policy(RoleName=name, PolicyName="it", PolicyDocument=json.dumps(policy))
    return role


class Queue:
    """A queue of a test."""

    def __init__(self, sandbox: SandboxProcess, name: str, **attributes: str) -> None:
        self.sqs = sandbox.client("sqs")
        self.name = name
        self.arn = arn("sqs", name)
        self.url: str = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def open_to(self, service: str, source: str) -> Queue:
        policy = allow("sqs:SendMessage", self.arn, service, source)
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy})
        return self

    def send(self, body: str, **members: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **members)
        return answer

    def receive(self, wait: int = WAIT, most: int = 1, **members: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.sqs.receive_message(
            QueueUrl=self.url, WaitTimeSeconds=wait, MaxNumberOfMessages=most, **members
        ).get("Messages", [])
        return found

    def take(self, count: int = 1) -> list[str]:
        """The bodies of as many messages, taken off the queue as they come."""
        bodies: list[str] = []
        while len(bodies) < count and (found := self.receive(most=min(10, count - len(bodies)))):
            for message in found:
                bodies.append(message["Body"])
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def count(self, attribute: str = "ApproximateNumberOfMessages") -> int:
        answer = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=[attribute])
        return int(answer["Attributes"][attribute])
