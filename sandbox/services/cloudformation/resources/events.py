"""AWS::Events::Rule, EventBus, EventBusPolicy."""

from __future__ import annotations

import json
from typing import Any

from sandbox.services.cloudformation.resources import convert
from sandbox.services.cloudformation.resources.errors import is_missing, unless_missing, unless_resumed
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    ResourceFailed,
    Taken,
    left_behind,
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
                raise Taken(f"Rule {name} already exists")  # PutRule would take it over
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
        bus = request.properties.get("EventBusName", "default")
        identifier = name if bus == "default" else f"{bus}|{name}"
        made = Made(identifier, {"Arn": arn, "RuleName": name})
        targets = request.properties.get("Targets", [])
        if targets:
            shape = convert.member_shape(events, "PutTargets", "Targets")
            wanted = convert.value(shape, targets)
            with left_behind(made):
                _checked(events.put_targets(Rule=name, Targets=wanted, **_bus(request.properties)))
        return made

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


@resource_type("AWS::Events::EventBus")
class EventBus(Handler):
    refused = frozenset({"DeadLetterConfig", "EventSourceName", "KmsKeyIdentifier", "LogConfig"})

    def create(self, request: Request) -> Made:
        events, name = request.client("events"), request.properties["Name"]
        shape = convert.member_shape(events, "CreateEventBus", "Tags")
        given = {"Tags": convert.tags(shape, request.tags)} | _description(request.properties)
        with unless_resumed(request.resumed):
            events.create_event_bus(Name=name, **given)
        made = Made(name, {"Arn": request.arn("events", f"event-bus/{name}"), "Name": name})
        with left_behind(made):
            self._permit(request)
        return made

    def update(self, request: Request) -> Made:
        events, arn = request.client("events"), request.attributes["Arn"]
        if request.changed("Description"):
            given = {"Description": ""} | _description(request.properties)
            events.update_event_bus(Name=request.physical_id, **given)
        if request.changed("Policy"):
            self._permit(request)
        if request.tags_removed:
            events.untag_resource(ResourceARN=arn, TagKeys=request.tags_removed)
        if request.tags_added:
            shape = convert.member_shape(events, "TagResource", "Tags")
            events.tag_resource(ResourceARN=arn, Tags=convert.tags(shape, request.tags_added))
        return Made(request.physical_id, request.attributes)

    def _permit(self, request: Request) -> None:
        events, policy = request.client("events"), request.properties.get("Policy")
        bus = request.properties["Name"]
        if policy:
            events.put_permission(EventBusName=bus, Policy=json.dumps(policy))
        elif request.previous.get("Policy"):
            events.remove_permission(EventBusName=bus, RemoveAllPermissions=True)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("events").delete_event_bus(Name=request.physical_id)


def _description(properties: dict[str, Any]) -> dict[str, str]:
    return {"Description": properties["Description"]} if "Description" in properties else {}


@resource_type("AWS::Events::EventBusPolicy")
class EventBusPolicy(Handler):
    """One statement of a bus's policy: given whole, or by its parts."""

    def create(self, request: Request) -> Made:
        self._put(request)
        bus = request.properties.get("EventBusName", "default")
        return Made(f"{bus}|{request.properties['StatementId']}")

    def update(self, request: Request) -> Made:
        self._put(request)
        return Made(request.physical_id, request.attributes)

    def _put(self, request: Request) -> None:
        events, properties = request.client("events"), request.properties
        statement = properties.get("Statement")
        if statement is None:
            given = {key: item for key, item in properties.items() if key != "Statement"}
            events.put_permission(**given)
            return
        known = events.describe_event_bus(Name=properties.get("EventBusName", "default")).get("Policy")
        statements = json.loads(known)["Statement"] if known else []
        identifier = properties["StatementId"]
        others = [one for one in statements if one.get("Sid") != identifier]
        document = {
            "Version": "2012-10-17",
            "Statement": [*others, {"Sid": identifier} | statement],
        }
        events.put_permission(Policy=json.dumps(document), **_bus(properties))

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("events").remove_permission(
                StatementId=request.properties["StatementId"], **_bus(request.properties)
            )
