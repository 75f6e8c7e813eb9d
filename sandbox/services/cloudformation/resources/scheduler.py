"""AWS::Scheduler: Schedule, ScheduleGroup."""

from __future__ import annotations

from typing import Any

from sandbox.services.cloudformation.resources import convert
from sandbox.services.cloudformation.resources.errors import unless_missing
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    ResourceFailed,
    resource_type,
)

_DEFAULT = "default"


@resource_type("AWS::Scheduler::Schedule")
class Schedule(Handler):
    def create(self, request: Request) -> Made:
        name = request.name("Name", limit=64)
        parameters = self._parameters(request, "CreateSchedule", name)
        arn = request.client("scheduler").create_schedule(**parameters, ClientToken=_token(request))
        return Made(name, {"Arn": arn["ScheduleArn"], "Name": name})

    def update(self, request: Request) -> Made:
        if request.changed("GroupName"):
            raise ResourceFailed("The GroupName of a schedule cannot be updated")
        parameters = self._parameters(request, "UpdateSchedule", request.physical_id)
        request.client("scheduler").update_schedule(**parameters)
        return Made(request.physical_id, request.attributes)

    def _parameters(self, request: Request, operation: str, name: str) -> dict[str, Any]:
        plain = {key: item for key, item in request.properties.items() if key != "Name"}
        return convert.parameters(request.client("scheduler"), operation, plain) | {"Name": name}

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("scheduler").delete_schedule(
                Name=request.physical_id, GroupName=request.properties.get("GroupName", _DEFAULT)
            )


@resource_type("AWS::Scheduler::ScheduleGroup")
class ScheduleGroup(Handler):
    def create(self, request: Request) -> Made:
        client, name = request.client("scheduler"), request.name("Name", limit=64)
        tags = convert.tags(convert.member_shape(client, "CreateScheduleGroup", "Tags"), request.tags)
        client.create_schedule_group(Name=name, Tags=tags, ClientToken=_token(request))
        return self._made(client, name)

    def _made(self, client: Any, name: str) -> Made:
        group = client.get_schedule_group(Name=name)
        dates = {item: group[item].isoformat() for item in ("CreationDate", "LastModificationDate")}
        return Made(name, {"Arn": group["Arn"], "Name": name, "State": group["State"], **dates})

    def update(self, request: Request) -> Made:
        client, arn = request.client("scheduler"), request.attributes["Arn"]
        if request.tags_removed:
            client.untag_resource(ResourceArn=arn, TagKeys=request.tags_removed)
        if request.tags_added:
            shape = convert.member_shape(client, "TagResource", "Tags")
            client.tag_resource(ResourceArn=arn, Tags=convert.tags(shape, request.tags_added))
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("scheduler").delete_schedule_group(Name=request.physical_id)


def _token(request: Request) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in request.token)[:64]
