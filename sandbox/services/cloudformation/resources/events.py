"""AWS::Events::Rule."""

from __future__ import annotations

from typing import Any

from sandbox.services.cloudformation.resources import convert
from sandbox.services.cloudformation.resources.errors import is_missing, unless_missing
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    ResourceFailed,
    resource_type,
)


@resource_type("AWS::Events::Rule")
class Rule(Handler):
    def create(self, request: Request) -> Made:
        from botocore.exceptions import ClientError

        events, name = request.client("events"), request.name("Name", limit=64)
        if "Name" in request.properties and not request.resumed:
            try:
                events.describe_rule(Name=name, **_bus(request.properties))
            except ClientError as error:
                if not is_missing(error):
                    raise
            else:
                raise ResourceFailed(f"Rule {name} already exists")  # PutRule would take it over
        return self._put(request, name, create=True)

    def update(self, request: Request) -> Made:
        name = request.attributes["RuleName"]
        made = self._put(request, name, create=False)
        gone = {target["Id"] for target in request.previous.get("Targets", [])} - {
            target["Id"] for target in request.properties.get("Targets", [])
        }
        events = request.client("events")
        if gone:
            _checked(events.remove_targets(Rule=name, Ids=sorted(gone), **_bus(request.properties)))
        arn = made.attributes["Arn"]
        if request.tags_removed:
            events.untag_resource(ResourceARN=arn, TagKeys=request.tags_removed)
        if request.tags_added:
            shape = convert.member_shape(events, "TagResource", "Tags")
            events.tag_resource(ResourceARN=arn, Tags=convert.tags(shape, request.tags_added))
        return made

    def _put(self, request: Request, name: str, *, create: bool) -> Made:
        events = request.client("events")
        plain = {
            key: item for key, item in request.properties.items() if key not in ("Name", "Tags", "Targets")
        }
        parameters = convert.parameters(events, "PutRule", plain)
        if create:
            shape = convert.member_shape(events, "PutRule", "Tags")
            parameters["Tags"] = convert.tags(shape, request.tags)
        arn = events.put_rule(Name=name, **parameters)["RuleArn"]
        targets = request.properties.get("Targets", [])
        if targets:
            shape = convert.member_shape(events, "PutTargets", "Targets")
            _checked(
                events.put_targets(
                    Rule=name, Targets=convert.value(shape, targets), **_bus(request.properties)
                )
            )
        bus = request.properties.get("EventBusName", "default")
        identifier = name if bus == "default" else f"{bus}|{name}"
        return Made(identifier, {"Arn": arn, "RuleName": name})

    def delete(self, request: Request) -> None:
        events, name = request.client("events"), request.attributes["RuleName"]
        bus = _bus(request.properties)
        with unless_missing():
            targets = events.list_targets_by_rule(Rule=name, **bus)["Targets"]
            if targets:
                _checked(events.remove_targets(Rule=name, Ids=[item["Id"] for item in targets], **bus))
            events.delete_rule(Name=name, **bus)


def _bus(properties: dict[str, Any]) -> dict[str, str]:
    return {"EventBusName": properties["EventBusName"]} if "EventBusName" in properties else {}


def _checked(answer: dict[str, Any]) -> None:
    if answer.get("FailedEntryCount"):
        failed = answer["FailedEntries"][0]
        raise ResourceFailed(f"{failed.get('ErrorMessage')} (target {failed.get('TargetId')})")
