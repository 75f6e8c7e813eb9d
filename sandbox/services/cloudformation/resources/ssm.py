"""AWS::SSM::Parameter."""

from __future__ import annotations

from typing import Any

from sandbox.services.cloudformation.resources import convert
from sandbox.services.cloudformation.resources.errors import unless_missing, unless_resumed
from sandbox.services.cloudformation.resources.handler import Handler, Made, Request, resource_type


@resource_type("AWS::SSM::Parameter")
class Parameter(Handler):
    def create(self, request: Request) -> Made:
        name = request.name("Name")
        ssm = request.client("ssm")
        with unless_resumed(request.resumed):
            shape = convert.member_shape(ssm, "PutParameter", "Tags")
            ssm.put_parameter(**self._wanted(request, name), Tags=convert.tags(shape, request.tags))
        return self._made(request, name)

    def update(self, request: Request) -> Made:
        ssm, name = request.client("ssm"), request.physical_id
        if {**request.properties, "Tags": None} != {**request.previous, "Tags": None}:
            ssm.put_parameter(**self._wanted(request, name), Overwrite=True)
        if request.tags_removed:
            ssm.remove_tags_from_resource(
                ResourceType="Parameter", ResourceId=name, TagKeys=request.tags_removed
            )
        if request.tags_added:
            shape = convert.member_shape(ssm, "AddTagsToResource", "Tags")
            ssm.add_tags_to_resource(
                ResourceType="Parameter", ResourceId=name, Tags=convert.tags(shape, request.tags_added)
            )
        return self._made(request, name)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("ssm").delete_parameter(Name=request.physical_id)

    def _wanted(self, request: Request, name: str) -> dict[str, Any]:
        properties = {key: item for key, item in request.properties.items() if key not in ("Tags", "Name")}
        return convert.parameters(request.client("ssm"), "PutParameter", properties) | {"Name": name}

    def _made(self, request: Request, name: str) -> Made:
        attributes = {"Type": request.properties["Type"], "Value": request.properties["Value"]}
        return Made(name, attributes | {"Arn": request.arn("ssm", f"parameter/{name.removeprefix('/')}")})
