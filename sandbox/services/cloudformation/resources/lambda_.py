"""AWS::Lambda::Function, Version, Alias, Permission, LayerVersion, EventInvokeConfig, EventSourceMapping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.events import listener
from sandbox.services.cloudformation.resources import convert, lambda_code
from sandbox.services.cloudformation.resources.errors import unless_missing, unless_resumed
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    ResourceFailed,
    left_behind,
    resource_type,
)
from sandbox.services.cloudformation.resources.waiting import settled, wake

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine

_ARCHITECTURES = ("Architectures",)
# Members of a configuration, with what takes them off again in UpdateFunctionConfiguration.
_EMPTY: dict[str, Any] = {
    "Description": "",
    "Timeout": 3,
    "MemorySize": 128,
    "Environment": {"Variables": {}},
    "Layers": [],
    "DeadLetterConfig": {"TargetArn": ""},
    "TracingConfig": {"Mode": "PassThrough"},
    "EphemeralStorage": {"Size": 512},
    "KmsKeyArn": "",
    "LoggingConfig": {"LogFormat": "Text"},
}
_NOT_CONFIGURATION = frozenset(("Code", "FunctionName", "Tags", "ReservedConcurrentExecutions"))


@listener(source="sandbox.lambda")
def _on_lambda(engine: Engine, event: dict[str, Any]) -> None:
    wake()


@resource_type("AWS::Lambda::Function")
class Function(Handler):
    refused = frozenset(
        {
            "CapacityProviderConfig",
            "CodeSigningConfigArn",
            "DurableConfig",
            "FileSystemConfigs",
            "FunctionScalingConfig",
            "ImageConfig",
            "PublishToLatestPublished",
            "RecursiveLoop",
            "RuntimeManagementConfig",
            "TenancyConfig",
            "VpcConfig",
        }
    )

    def create(self, request: Request) -> Made:
        client, name = request.client("lambda"), request.name("FunctionName", limit=64)
        given = _configuration(request, client, "CreateFunction", {})
        given |= {"FunctionName": name, "Code": lambda_code.members(request.properties), "Tags": request.tags}
        with unless_resumed(request.resumed):
            client.create_function(**given)
        made = Made(name, {"Arn": request.arn("lambda", f"function:{name}")})
        with left_behind(made):
            _reserve(request, client, name)
        return made

    def update(self, request: Request) -> Made:
        client, name = request.client("lambda"), request.physical_id
        _rest(request, name)
        if request.changed("Code", *_ARCHITECTURES):
            code = lambda_code.members(request.properties)
            client.update_function_code(
                FunctionName=name, Architectures=request.properties.get("Architectures", ["x86_64"]), **code
            )
            _settle(request, name)
        changed = {*request.properties, *request.previous} - _NOT_CONFIGURATION - {*_ARCHITECTURES}
        if request.changed(*changed):
            gone = {key: empty for key, empty in _EMPTY.items() if key in request.previous}
            given = _configuration(request, client, "UpdateFunctionConfiguration", gone)
            client.update_function_configuration(FunctionName=name, **given)
        if request.changed("ReservedConcurrentExecutions"):
            _reserve(request, client, name)
        arn = request.attributes["Arn"]
        if request.tags_removed:
            client.untag_resource(Resource=arn, TagKeys=request.tags_removed)
        if request.tags_added:
            client.tag_resource(Resource=arn, Tags=request.tags_added)
        return Made(name, request.attributes)

    def wait(self, request: Request, made: Made) -> Made:
        _settle(request, made.physical_id)
        return made

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("lambda").delete_function(FunctionName=request.physical_id)


def _configuration(request: Request, client: Any, operation: str, empty: dict[str, Any]) -> dict[str, Any]:
    given = empty | {key: item for key, item in request.properties.items() if key not in _NOT_CONFIGURATION}
    if operation == "UpdateFunctionConfiguration":
        given = {key: item for key, item in given.items() if key not in (*_ARCHITECTURES, "PackageType")}
    return convert.parameters(client, operation, given)


def _reserve(request: Request, client: Any, name: str) -> None:
    reserved = request.properties.get("ReservedConcurrentExecutions")
    if reserved is not None:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
    elif "ReservedConcurrentExecutions" in request.previous:
        client.delete_function_concurrency(FunctionName=name)


def _rest(request: Request, name: str) -> dict[str, Any]:
    """Waits until the function is no longer being changed."""
    client = request.client("lambda")

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = client.get_function_configuration(FunctionName=name)
        busy = found["State"] == "Pending" or found["LastUpdateStatus"] == "InProgress"
        return None if busy else found

    return settled(request, look)


def _settle(request: Request, name: str) -> None:
    """Waits until the function runs on what it was last told."""
    found = _rest(request, name)
    if found["State"] == "Failed" or found["LastUpdateStatus"] == "Failed":
        reason = found.get("StateReason") or found.get("LastUpdateStatusReason")
        raise ResourceFailed(f"Function {name} did not stabilize: {reason}")


@resource_type("AWS::Lambda::Version")
class Version(Handler):
    refused = frozenset({"FunctionScalingConfig", "ProvisionedConcurrencyConfig", "RuntimePolicy"})
    updatable = frozenset()

    def create(self, request: Request) -> Made:
        properties = request.properties
        given = {key: properties[key] for key in ("CodeSha256", "Description") if key in properties}
        answer = request.client("lambda").publish_version(FunctionName=properties["FunctionName"], **given)
        arn, number = answer["FunctionArn"], answer["Version"]
        return Made(arn, {"FunctionArn": arn, "Version": number})

    def update(self, request: Request) -> Made:
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("lambda").delete_function(FunctionName=request.physical_id)


@resource_type("AWS::Lambda::Alias")
class Alias(Handler):
    refused = frozenset({"ProvisionedConcurrencyConfig"})

    def create(self, request: Request) -> Made:
        with unless_resumed(request.resumed):
            request.client("lambda").create_alias(**_alias(request.properties, {}))
        name = request.properties["FunctionName"].split(":function:")[-1].split(":")[0]
        arn = request.arn("lambda", f"function:{name}:{request.properties['Name']}")
        return Made(arn, {"AliasArn": arn})

    def update(self, request: Request) -> Made:
        gone = {"Description": "", "RoutingConfig": {}}
        request.client("lambda").update_alias(**_alias(request.properties, gone))
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        properties = request.properties
        with unless_missing():
            request.client("lambda").delete_alias(
                FunctionName=properties["FunctionName"], Name=properties["Name"]
            )


def _alias(properties: dict[str, Any], empty: dict[str, Any]) -> dict[str, Any]:
    given = empty | properties
    weights = (properties.get("RoutingConfig") or {}).get("AdditionalVersionWeights")
    if weights is not None:
        by_version = {item["FunctionVersion"]: item["FunctionWeight"] for item in weights}
        given["RoutingConfig"] = {"AdditionalVersionWeights": by_version}
    return given


@resource_type("AWS::Lambda::Permission")
class Permission(Handler):
    refused = frozenset(
        {"EventSourceToken", "FunctionUrlAuthType", "InvokedViaFunctionUrl", "PrincipalOrgID"}
    )

    def create(self, request: Request) -> Made:
        from botocore.exceptions import ClientError

        identifier = request.name("Id", limit=100)
        client = request.client("lambda")
        try:
            client.add_permission(StatementId=identifier, **request.properties)
        except ClientError as error:
            if not (request.resumed and error.response["Error"]["Code"] == "ResourceConflictException"):
                raise
        return Made(identifier, {"Id": identifier})

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("lambda").remove_permission(
                FunctionName=request.properties["FunctionName"], StatementId=request.physical_id
            )


@resource_type("AWS::Lambda::LayerVersion")
class LayerVersion(Handler):
    def create(self, request: Request) -> Made:
        given = {key: item for key, item in request.properties.items() if key != "LayerName"}
        client = request.client("lambda")
        answer = client.publish_layer_version(
            LayerName=request.name("LayerName", limit=140),
            **convert.parameters(client, "PublishLayerVersion", given),
        )
        arn = answer["LayerVersionArn"]
        return Made(arn, {"LayerVersionArn": arn})

    def delete(self, request: Request) -> None:
        layer, _, number = request.physical_id.rpartition(":")
        with unless_missing():
            request.client("lambda").delete_layer_version(LayerName=layer, VersionNumber=int(number))


@resource_type("AWS::Lambda::EventInvokeConfig")
class EventInvokeConfig(Handler):
    def create(self, request: Request) -> Made:
        request.client("lambda").put_function_event_invoke_config(**request.properties)
        return Made(f"{request.properties['FunctionName']}|{request.properties['Qualifier']}")

    def update(self, request: Request) -> Made:
        request.client("lambda").put_function_event_invoke_config(**request.properties)
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        properties = request.properties
        with unless_missing():
            request.client("lambda").delete_function_event_invoke_config(
                FunctionName=properties["FunctionName"], Qualifier=properties["Qualifier"]
            )


@resource_type("AWS::Lambda::EventSourceMapping")
class EventSourceMapping(Handler):
    def create(self, request: Request) -> Made:
        client = request.client("lambda")
        source, function = request.properties.get("EventSourceArn"), request.properties["FunctionName"]
        existing = None
        if request.resumed and source:
            known = client.list_event_source_mappings(EventSourceArn=source, FunctionName=function)
            existing = next(iter(known["EventSourceMappings"]), None)
        answer = existing or client.create_event_source_mapping(
            **_mapping(request, client, "CreateEventSourceMapping"), Tags=request.tags
        )
        arn = request.arn("lambda", f"event-source-mapping:{answer['UUID']}")
        return Made(answer["UUID"], {"Id": answer["UUID"], "EventSourceMappingArn": arn})

    def update(self, request: Request) -> Made:
        client = request.client("lambda")
        given = _mapping(request, client, "UpdateEventSourceMapping")
        client.update_event_source_mapping(UUID=request.physical_id, **given)
        arn = request.attributes["EventSourceMappingArn"]
        if request.tags_removed:
            client.untag_resource(Resource=arn, TagKeys=request.tags_removed)
        if request.tags_added:
            client.tag_resource(Resource=arn, Tags=request.tags_added)
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("lambda").delete_event_source_mapping(UUID=request.physical_id)


def _mapping(request: Request, client: Any, operation: str) -> dict[str, Any]:
    fixed = ("Tags",) if operation.startswith("Create") else ("Tags", "EventSourceArn")
    given = {key: item for key, item in request.properties.items() if key not in fixed}
    return convert.parameters(client, operation, given)
