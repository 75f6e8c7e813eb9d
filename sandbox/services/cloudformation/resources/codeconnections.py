"""AWS::CodeConnections::Connection and, by its older name, AWS::CodeStarConnections::Connection."""

from __future__ import annotations

from typing import ClassVar

from sandbox.services.cloudformation.resources import convert
from sandbox.services.cloudformation.resources.errors import unless_missing
from sandbox.services.cloudformation.resources.handler import Handler, Made, Request, resource_type


class Connection(Handler):
    record_only = True
    refused = frozenset({"HostArn"})
    service: ClassVar[str]

    def create(self, request: Request) -> Made:
        client = request.client(self.service)
        plain = {key: item for key, item in request.properties.items() if key != "Tags"}
        parameters = convert.parameters(client, "CreateConnection", plain)
        tags = convert.tags(convert.member_shape(client, "CreateConnection", "Tags"), request.tags)
        arn = client.create_connection(**parameters, **({"Tags": tags} if tags else {}))["ConnectionArn"]
        return self._made(request, arn)

    def update(self, request: Request) -> Made:
        client, arn = request.client(self.service), request.physical_id
        if request.tags_removed:
            client.untag_resource(ResourceArn=arn, TagKeys=request.tags_removed)
        if request.tags_added:
            shape = convert.member_shape(client, "TagResource", "Tags")
            client.tag_resource(ResourceArn=arn, Tags=convert.tags(shape, request.tags_added))
        return self._made(request, arn)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client(self.service).delete_connection(ConnectionArn=request.physical_id)

    def _made(self, request: Request, arn: str) -> Made:
        """A new connection waits for its handshake in the console."""
        shown = request.client(self.service).get_connection(ConnectionArn=arn)["Connection"]
        names = ("ConnectionArn", "ConnectionStatus", "OwnerAccountId")
        return Made(arn, {name: shown[name] for name in names})


@resource_type("AWS::CodeConnections::Connection")
class CodeConnection(Connection):
    service = "codeconnections"


@resource_type("AWS::CodeStarConnections::Connection")
class CodeStarConnection(Connection):
    service = "codestar-connections"
