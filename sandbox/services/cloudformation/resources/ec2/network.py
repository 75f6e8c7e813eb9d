"""What EC2's types share: made by one call with their tags, known by an id that EC2 gives."""

from __future__ import annotations

from typing import Any, ClassVar

from sandbox.services.cloudformation.resources import convert
from sandbox.services.cloudformation.resources.errors import unless_missing
from sandbox.services.cloudformation.resources.handler import Handler, Made, Request, left_behind


def specification(request: Request, kind: str) -> list[dict[str, Any]]:
    """TagSpecifications of a new resource of a type (`vpc`)."""
    tags = [{"Key": key, "Value": value} for key, value in request.tags.items()]
    return [{"ResourceType": kind, "Tags": tags}] if tags else []


def set_tags(request: Request, identifier: str) -> None:
    ec2 = request.client("ec2")
    if request.tags_removed:
        ec2.delete_tags(Resources=[identifier], Tags=[{"Key": key} for key in request.tags_removed])
    if request.tags_added:
        tags = [{"Key": key, "Value": value} for key, value in request.tags_added.items()]
        ec2.create_tags(Resources=[identifier], Tags=tags)


class Network(Handler):
    """`noun`: as in CreateVpc. `kind`: as in TagSpecifications. `answer`: where Create's answer holds it.

    `apart`: properties that Create does not take and `settle` sets.
    """

    record_only = True
    noun: ClassVar[str]
    kind: ClassVar[str]
    id: ClassVar[str]
    answer: ClassVar[str] = ""
    apart: ClassVar[frozenset[str]] = frozenset()

    def create(self, request: Request) -> Made:
        ec2 = request.client("ec2")
        skipped = {"Tags", *self.apart}
        plain = {key: item for key, item in request.properties.items() if key not in skipped}
        parameters = convert.parameters(ec2, f"Create{self.noun}", plain)
        tags = specification(request, self.kind)
        if tags:
            parameters["TagSpecifications"] = tags
        made = convert.call(ec2, f"Create{self.noun}", parameters)
        identifier = (made[self.answer] if self.answer else made)[self.id]
        with left_behind(Made(identifier)):
            self.settle(request, identifier)
            return Made(identifier, self.attributes(request, identifier))

    def update(self, request: Request) -> Made:
        self.settle(request, request.physical_id)
        set_tags(request, request.physical_id)
        return Made(request.physical_id, self.attributes(request, request.physical_id))

    def delete(self, request: Request) -> None:
        with unless_missing():
            parameters = {self.id: request.physical_id}
            convert.call(request.client("ec2"), f"Delete{self.noun}", parameters)

    def settle(self, request: Request, identifier: str) -> None:
        """Sets what can be changed; called after creation and at updates."""

    def attributes(self, request: Request, identifier: str) -> dict[str, Any]:
        return {self.id: identifier}
