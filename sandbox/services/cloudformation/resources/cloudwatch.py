"""AWS::CloudWatch::Alarm."""

from __future__ import annotations

from typing import Any

from sandbox.services.cloudformation.resources import convert
from sandbox.services.cloudformation.resources.errors import unless_missing
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    Taken,
    resource_type,
)


@resource_type("AWS::CloudWatch::Alarm")
class Alarm(Handler):
    def create(self, request: Request) -> Made:
        client, name = request.client("cloudwatch"), request.name("AlarmName")
        named = "AlarmName" in request.properties and not request.resumed
        # PutMetricAlarm would overwrite an alarm that is not the stack's.
        if named and client.describe_alarms(AlarmNames=[name]).get("MetricAlarms"):
            raise Taken(f"{name} already exists")
        tags = convert.tags(convert.member_shape(client, "PutMetricAlarm", "Tags"), request.tags)
        client.put_metric_alarm(**_parameters(request, name), **({"Tags": tags} if tags else {}))
        return Made(name, {"Arn": request.arn("cloudwatch", f"alarm:{name}")})

    def update(self, request: Request) -> Made:
        client, arn = request.client("cloudwatch"), request.attributes["Arn"]
        if {**request.properties, "Tags": None} != {**request.previous, "Tags": None}:
            client.put_metric_alarm(**_parameters(request, request.physical_id))
        if request.tags_removed:
            client.untag_resource(ResourceARN=arn, TagKeys=request.tags_removed)
        if request.tags_added:
            shape = convert.member_shape(client, "TagResource", "Tags")
            client.tag_resource(ResourceARN=arn, Tags=convert.tags(shape, request.tags_added))
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("cloudwatch").delete_alarms(AlarmNames=[request.physical_id])


def _parameters(request: Request, name: str) -> dict[str, Any]:
    plain = {key: item for key, item in request.properties.items() if key not in ("Tags", "AlarmName")}
    return convert.parameters(request.client("cloudwatch"), "PutMetricAlarm", plain) | {"AlarmName": name}
