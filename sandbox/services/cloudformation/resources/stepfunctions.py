"""AWS::StepFunctions: StateMachine, Activity, StateMachineVersion, StateMachineAlias."""

from __future__ import annotations

import json
import re
from typing import Any

from sandbox.services.cloudformation.resources import convert
from sandbox.services.cloudformation.resources.errors import unless_missing, unless_resumed
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    ResourceFailed,
    resource_type,
)
from sandbox.services.cloudformation.schema.validate import Invalid
from sandbox.services.cloudformation.template.parameters import text_of

_DEFINITIONS = ("Definition", "DefinitionString", "DefinitionS3Location")
_APART = frozenset({*_DEFINITIONS, "DefinitionSubstitutions", "StateMachineName", "StateMachineType", "Tags"})
_TYPE = "StateMachineType"


@resource_type("AWS::StepFunctions::StateMachine")
class StateMachine(Handler):
    def check(self, logical_id: str, properties: dict[str, Any]) -> None:
        super().check(logical_id, properties)
        given = [name for name in _DEFINITIONS if name in properties]
        if len(given) != 1:
            raise Invalid(logical_id, [f"#: exactly one of {', '.join(_DEFINITIONS)} has to be specified"])

    def create(self, request: Request) -> Made:
        client = request.client("stepfunctions")
        name = request.name("StateMachineName", limit=80)
        shape = convert.member_shape(client, "CreateStateMachine", "tags")
        parameters = self._parameters(request, "CreateStateMachine") | {
            "name": name,
            "type": request.properties.get(_TYPE, "STANDARD"),
            "tags": convert.tags(shape, request.tags),
        }
        arn = client.create_state_machine(**parameters)["stateMachineArn"]
        return self._made(arn, name, "INITIAL")

    def update(self, request: Request) -> Made:
        client, arn = request.client("stepfunctions"), request.physical_id
        revision = request.attributes["StateMachineRevisionId"]
        if {**request.properties, "Tags": None} != {**request.previous, "Tags": None}:
            off = {
                "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
                "tracingConfiguration": {"enabled": False},
            }
            parameters = off | self._parameters(request, "UpdateStateMachine")
            revision = client.update_state_machine(stateMachineArn=arn, **parameters)["revisionId"]
        _tag(request, arn)
        return self._made(arn, request.attributes["Name"], revision)

    def _made(self, arn: str, name: str, revision: str) -> Made:
        return Made(arn, {"Arn": arn, "Name": name, "StateMachineRevisionId": revision})

    def _parameters(self, request: Request, operation: str) -> dict[str, Any]:
        plain = {key: item for key, item in request.properties.items() if key not in _APART}
        return convert.parameters(request.client("stepfunctions"), operation, plain) | {
            "definition": _definition(request)
        }

    def delete(self, request: Request) -> None:
        request.client("stepfunctions").delete_state_machine(stateMachineArn=request.physical_id)


def _definition(request: Request) -> str:
    """The definition's text, with `${…}` of DefinitionSubstitutions replaced."""
    properties = request.properties
    if "Definition" in properties:
        text = json.dumps(properties["Definition"])
    elif "DefinitionString" in properties:
        text = properties["DefinitionString"]
    else:
        text = _fetched(request, properties["DefinitionS3Location"])
    values = {name: text_of(item) for name, item in properties.get("DefinitionSubstitutions", {}).items()}
    return re.sub(r"\$\{([^}]+)\}", lambda match: values.get(match[1], match[0]), text)


def _fetched(request: Request, where: dict[str, str]) -> str:
    """A file in S3, JSON or YAML."""
    import yaml

    version = {"VersionId": where["Version"]} if "Version" in where else {}
    answer = request.client("s3").get_object(Bucket=where["Bucket"], Key=where["Key"], **version)
    text = answer["Body"].read().decode()
    try:
        return json.dumps(yaml.safe_load(text)) if not text.lstrip().startswith("{") else text
    except yaml.YAMLError as error:
        raise ResourceFailed(f"{where['Bucket']}/{where['Key']} is neither JSON nor YAML: {error}") from error


def _tag(request: Request, arn: str) -> None:
    client = request.client("stepfunctions")
    if request.tags_removed:
        client.untag_resource(resourceArn=arn, tagKeys=request.tags_removed)
    if request.tags_added:
        shape = convert.member_shape(client, "TagResource", "tags")
        client.tag_resource(resourceArn=arn, tags=convert.tags(shape, request.tags_added))


@resource_type("AWS::StepFunctions::Activity")
class Activity(Handler):
    def create(self, request: Request) -> Made:
        client = request.client("stepfunctions")
        plain = {key: item for key, item in request.properties.items() if key != "Tags"}
        parameters = convert.parameters(client, "CreateActivity", plain)
        shape = convert.member_shape(client, "CreateActivity", "tags")
        arn = client.create_activity(**parameters, tags=convert.tags(shape, request.tags))["activityArn"]
        return Made(arn, {"Arn": arn, "Name": request.properties["Name"]})

    def update(self, request: Request) -> Made:
        _tag(request, request.physical_id)
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        request.client("stepfunctions").delete_activity(activityArn=request.physical_id)


@resource_type("AWS::StepFunctions::StateMachineVersion")
class StateMachineVersion(Handler):
    def create(self, request: Request) -> Made:
        names = {"StateMachineRevisionId": "revisionId"}
        client = request.client("stepfunctions")
        parameters = convert.parameters(client, "PublishStateMachineVersion", request.properties, names)
        arn = client.publish_state_machine_version(**parameters)["stateMachineVersionArn"]
        return Made(arn, {"Arn": arn})

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("stepfunctions").delete_state_machine_version(
                stateMachineVersionArn=request.physical_id
            )


@resource_type("AWS::StepFunctions::StateMachineAlias")
class StateMachineAlias(Handler):
    refused = frozenset({"StateMachineArn"})

    def check(self, logical_id: str, properties: dict[str, Any]) -> None:
        super().check(logical_id, properties)
        preference = properties.get("DeploymentPreference")
        if (preference is None) == ("RoutingConfiguration" not in properties):
            raise Invalid(
                logical_id,
                ["#: exactly one of RoutingConfiguration and DeploymentPreference has to be specified"],
            )
        if isinstance(preference, dict) and preference.get("Type") != "ALL_AT_ONCE":
            kind = preference.get("Type")
            raise Invalid(
                logical_id, [f"#/DeploymentPreference/Type: {kind} is not implemented by the sandbox"]
            )

    def create(self, request: Request) -> Made:
        client = request.client("stepfunctions")
        versions = _routes(request)
        machine = versions[0]["stateMachineVersionArn"].rpartition(":")[0]
        name = request.name("Name", limit=80)
        described = {"description": request.properties.get("Description", "")}
        arn = f"{machine}:{name}"
        with unless_resumed(request.resumed):
            client.create_state_machine_alias(name=name, routingConfiguration=versions, **described)
        return Made(arn, {"Arn": arn})

    def update(self, request: Request) -> Made:
        request.client("stepfunctions").update_state_machine_alias(
            stateMachineAliasArn=request.physical_id,
            description=request.properties.get("Description", ""),
            routingConfiguration=_routes(request),
        )
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("stepfunctions").delete_state_machine_alias(
                stateMachineAliasArn=request.physical_id
            )


def _routes(request: Request) -> list[dict[str, Any]]:
    preference = request.properties.get("DeploymentPreference")
    if preference is not None:
        return [{"stateMachineVersionArn": preference["StateMachineVersionArn"], "weight": 100}]
    return [
        {"stateMachineVersionArn": route["StateMachineVersionArn"], "weight": int(route["Weight"])}
        for route in request.properties["RoutingConfiguration"]
    ]
