"""AWS::IAM::Group, AWS::IAM::UserToGroupAddition."""

from __future__ import annotations

from typing import Any

from sandbox.services.cloudformation.resources.errors import unless_missing, unless_resumed
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    left_behind,
    resource_type,
)
from sandbox.services.cloudformation.resources.iam import Identity


@resource_type("AWS::IAM::Group")
class Group(Identity):
    noun, key = "group", "GroupName"

    def create(self, request: Request) -> Made:
        iam, name = request.client("iam"), request.name("GroupName", limit=128)
        with unless_resumed(request.resumed):
            iam.create_group(GroupName=name, Path=request.properties.get("Path", "/"))
        made = Made(name, {"Arn": iam.get_group(GroupName=name)["Group"]["Arn"]})
        with left_behind(made):
            self.set_policies(request, name)
        return made

    def update(self, request: Request) -> Made:
        iam, name = request.client("iam"), request.physical_id
        if request.changed("Path"):
            iam.update_group(GroupName=name, NewPath=request.properties.get("Path", "/"))
        self.set_policies(request, name)
        return Made(name, {"Arn": iam.get_group(GroupName=name)["Group"]["Arn"]})

    def delete(self, request: Request) -> None:
        self.strip(request)
        with unless_missing():
            request.client("iam").delete_group(GroupName=request.physical_id)


@resource_type("AWS::IAM::UserToGroupAddition")
class UserToGroupAddition(Handler):
    def create(self, request: Request) -> Made:
        identifier = request.name("Id", limit=128)
        made = Made(identifier, {"Id": identifier})
        first, *others = request.properties["Users"]
        self._add(request, [first])
        with left_behind(made):
            self._add(request, others)
        return made

    def update(self, request: Request) -> Made:
        moved = request.changed("GroupName")
        had, wanted = request.previous["Users"], request.properties["Users"]
        self._add(request, [user for user in wanted if moved or user not in had])
        gone = [user for user in had if moved or user not in wanted]
        self._remove(request, request.previous["GroupName"], gone)
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        self._remove(request, request.properties["GroupName"], request.properties["Users"])

    def _add(self, request: Request, users: list[Any]) -> None:
        for user in users:
            request.client("iam").add_user_to_group(GroupName=request.properties["GroupName"], UserName=user)

    def _remove(self, request: Request, group: str, users: list[Any]) -> None:
        for user in users:
            with unless_missing():
                request.client("iam").remove_user_from_group(GroupName=group, UserName=user)
