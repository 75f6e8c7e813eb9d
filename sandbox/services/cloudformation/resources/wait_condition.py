"""AWS::CloudFormation::WaitConditionHandle, AWS::CloudFormation::WaitCondition: signals from outside.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-waitcondition.html
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote, urlsplit

from sandbox.services.cloudformation.resources import mailbox
from sandbox.services.cloudformation.resources.handler import Handler, Made, Request, Said, resource_type
from sandbox.services.cloudformation.resources.inert import Inert
from sandbox.services.cloudformation.resources.waiting import settled

URL_SECONDS = 86_400
_LONGEST = 43_200.0


@resource_type("AWS::CloudFormation::WaitConditionHandle")
class WaitConditionHandle(Inert):
    """Its physical id is a pre-signed URL that takes signals."""

    def create(self, request: Request) -> Made:
        region = request.place.region
        bucket = f"{mailbox.SIGNALS}{region.replace('-', '')}"
        handle = f"{request.logical_id}-{request.token}"
        url = mailbox.signed_url(
            request.engine, region, bucket, f"{request.place.stack_id}/{handle}", URL_SECONDS
        )
        return Made(url)

    def delete(self, request: Request) -> None:
        records = mailbox.records_of(request.engine, request.place.stack_id, "signal")
        for key in records.keys(f"{request.place.stack_id}|{request.logical_id}-{request.token}|"):
            records.delete(key)


@resource_type("AWS::CloudFormation::WaitCondition")
class WaitCondition(Handler):
    def create(self, request: Request) -> Made:
        missing = [name for name in ("Handle", "Timeout") if name not in request.properties]
        if missing:
            raise Said(f"Property {missing[0]} cannot be empty.")
        identifier = f"arn:aws:cloudformation:{request.place.region}:{request.place.account}:waitCondition/"
        return Made(f"{identifier}{request.place.stack_name}/{request.logical_id}-{request.token}")

    def wait(self, request: Request, made: Made) -> Made:
        wanted = int(request.properties.get("Count", 1))
        engine = request.engine
        records = mailbox.records_of(engine, request.place.stack_id, "wait-condition")
        with engine.store.transaction():
            record = records.get(made.physical_id)
            if record is None:
                seconds = min(float(request.properties["Timeout"]), _LONGEST)
                record = {"Deadline": engine.clock.now() + engine.clock.scaled(seconds)}
                records.put(made.physical_id, record)

        def look() -> dict[str, Any] | None:
            data = _received(request)
            if len(data) >= wanted:
                return data
            if engine.clock.now() >= record["Deadline"]:
                raise Said(
                    f"WaitCondition timed out. Received {len(data)} conditions when expecting {wanted}"
                )
            return None

        data = settled(request, look, record["Deadline"])
        records.delete(made.physical_id)
        return Made(made.physical_id, {"Data": json.dumps(data, separators=(",", ":"))})

    def update(self, request: Request) -> Made:
        raise Said("Update to resource type AWS::CloudFormation::WaitCondition is not supported.")

    def delete(self, request: Request) -> None:
        """There is nothing to delete."""


def _received(request: Request) -> dict[str, Any]:
    """Data of the success signals by UniqueId; Said for a signal of failure."""
    path = unquote(urlsplit(request.properties["Handle"]).path)
    stack_id, _, handle = path.split("/", 2)[2].rpartition("/")
    records = mailbox.records_of(request.engine, stack_id, "signal")
    data: dict[str, Any] = {}
    for record in records.list(f"{stack_id}|{handle}|"):
        try:
            signal = json.loads(record["Body"])
            status, unique = signal["Status"], str(signal["UniqueId"])
        except (ValueError, KeyError, TypeError):
            continue  # AWS takes no notice of what is not a signal
        if status == "FAILURE":
            raise Said(
                f"WaitCondition received failed message: '{signal.get('Reason', '')}' for uniqueId: {unique}"
            )
        if status == "SUCCESS":
            data.setdefault(unique, signal.get("Data", ""))
    return data
