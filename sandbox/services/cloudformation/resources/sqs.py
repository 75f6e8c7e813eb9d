"""AWS::SQS::Queue, QueuePolicy."""

from __future__ import annotations

import json
from typing import Any

from sandbox.services.cloudformation.resources.errors import unless_missing
from sandbox.services.cloudformation.resources.handler import Handler, Made, Request, resource_type
from sandbox.services.cloudformation.template.parameters import text_of

_NOT_ATTRIBUTES = ("QueueName", "Tags")
_DEFAULTS = {
    "DelaySeconds": "0",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "VisibilityTimeout": "30",
    "ContentBasedDeduplication": "false",
    "SqsManagedSseEnabled": "true",
}
"""What takes an attribute off again; the empty text for those that are not here."""


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) else text_of(value)


@resource_type("AWS::SQS::Queue")
class Queue(Handler):
    def create(self, request: Request) -> Made:
        name = self._name(request)
        attributes = {
            key: _text(item) for key, item in request.properties.items() if key not in _NOT_ATTRIBUTES
        }
        url = request.client("sqs").create_queue(QueueName=name, Attributes=attributes, tags=request.tags)
        return _made(request, url["QueueUrl"])

    def _name(self, request: Request) -> str:
        if not request.properties.get("FifoQueue") or "QueueName" in request.properties:
            return request.name("QueueName", limit=80)
        return request.name("QueueName", limit=75) + ".fifo"

    def update(self, request: Request) -> Made:
        sqs, url = request.client("sqs"), request.physical_id
        names = {*request.properties, *request.previous} - {*_NOT_ATTRIBUTES, "FifoQueue"}
        changed = {
            name: _text(request.properties.get(name, _DEFAULTS.get(name, "")))
            for name in sorted(names)
            if request.changed(name)
        }
        if changed:
            sqs.set_queue_attributes(QueueUrl=url, Attributes=changed)
        if request.tags_removed:
            sqs.untag_queue(QueueUrl=url, TagKeys=request.tags_removed)
        if request.tags_added:
            sqs.tag_queue(QueueUrl=url, Tags=request.tags_added)
        return _made(request, url)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("sqs").delete_queue(QueueUrl=request.physical_id)


def _made(request: Request, url: str) -> Made:
    name = url.rpartition("/")[2]
    return Made(url, {"Arn": request.arn("sqs", name), "QueueName": name, "QueueUrl": url})


@resource_type("AWS::SQS::QueuePolicy")
class QueuePolicy(Handler):
    def create(self, request: Request) -> Made:
        self._put(request)
        return Made(request.name("Id"), {"Id": request.name("Id")})

    def update(self, request: Request) -> Made:
        gone = set(request.previous.get("Queues", [])) - set(request.properties["Queues"])
        _take_off(request, sorted(gone))
        self._put(request)
        return Made(request.physical_id, request.attributes)

    def _put(self, request: Request) -> None:
        policy = _text(request.properties["PolicyDocument"])
        for url in request.properties["Queues"]:
            request.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})

    def delete(self, request: Request) -> None:
        _take_off(request, request.properties["Queues"])


def _take_off(request: Request, urls: list[str]) -> None:
    for url in urls:
        with unless_missing():
            request.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
