"""Changing a function's code or configuration, and its tags."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.lambda_ import configuration, packages
from sandbox.services.lambda_.deploy import begin
from sandbox.services.lambda_.layers import check_layers, layer_sizes
from sandbox.services.lambda_.names import LATEST, SERVICE, Named, function_arn, invalid, named, not_found
from sandbox.services.lambda_.records import check_revision, get_function, revise, shown
from sandbox.services.lambda_.versions import publish


def _check_settled(call: Call, record: dict[str, Any]) -> None:
    arn = function_arn(call, record["Name"])
    if record["State"] == "Pending":
        raise AwsError(
            "ResourceConflictException",
            "The operation cannot be performed at this time. The function is currently in the following "
            "state: Pending",
            Type="User",
        )
    if record["LastUpdateStatus"] == "InProgress":
        raise AwsError(
            "ResourceConflictException",
            f"The operation cannot be performed at this time. An update is in progress for resource: {arn}",
            Type="User",
        )


def _begin(call: Call, record: dict[str, Any]) -> None:
    revise(call, record)
    record["LastUpdateStatus"] = "InProgress"
    call.records("function").put(record["Name"], record)
    begin(call.engine, call.account, call.region, record["Name"])


def _latest(call: Call, function: str) -> Named:
    target = named(call, function)
    if target.qualifier not in (None, LATEST):
        raise invalid(
            "This operation is permitted on Lambda functions only. Lambda aliases and versions do not "
            "support this operation."
        )
    return Named(target.name)


@operation(SERVICE, "UpdateFunctionCode")
def update_function_code(
    call: Call,
    FunctionName: str,
    Publish: bool = False,
    DryRun: bool = False,
    RevisionId: str | None = None,
    Architectures: list[str] | None = None,
    **members: Any,
) -> dict[str, Any]:
    target = _latest(call, FunctionName)
    get_function(call, target)
    if members.get("ImageUri"):
        raise invalid("ImageUri is not implemented in the sandbox: functions are zip packages.")
    data = packages.take(call, members)
    identifier = packages.keep(call.engine, data)
    with call.engine.store.transaction():
        record = get_function(call, target)
        check_revision(record, RevisionId)
        _check_settled(call, record)
        check_layers(call, record["config"].get("Layers") or [], packages.size(call.engine, identifier))
        record["code"] = {"zip": identifier, "sha256": packages.digest(data), "size": len(data)}
        if Architectures:
            record["config"]["Architectures"] = Architectures
        if not DryRun:
            _begin(call, record)
            if Publish:
                return publish(call, target.name, "")
    return shown(record, LATEST, function_arn(call, target.name), layer_sizes(call, record))


@operation(SERVICE, "UpdateFunctionConfiguration")
def update_function_configuration(
    call: Call, FunctionName: str, RevisionId: str | None = None, **members: Any
) -> dict[str, Any]:
    target = _latest(call, FunctionName)
    arn = function_arn(call, target.name)
    wanted = get_function(call, target)["config"] | members
    configuration.check(call, arn, wanted)
    with call.engine.store.transaction():
        record = get_function(call, target)
        check_revision(record, RevisionId)
        _check_settled(call, record)
        config = record["config"] | members
        for member in ("VpcConfig", "SnapStart", "FileSystemConfigs", "ImageConfig"):
            config.pop(member, None)
        if config.get("KMSKeyArn") == "":
            del config["KMSKeyArn"]
        if not (config.get("DeadLetterConfig") or {}).get("TargetArn"):
            config.pop("DeadLetterConfig", None)
        check_layers(call, config.get("Layers") or [], packages.size(call.engine, record["code"]["zip"]))
        record["config"] = config
        record["runtime_arn"] = f"arn:aws:lambda:{call.region}::runtime:{config['Runtime']}"
        _begin(call, record)
    return shown(record, LATEST, arn, layer_sizes(call, record))


def _tagged(call: Call, arn: str) -> tuple[str, str, dict[str, Any]]:
    """(kind, key, record) of what carries tags: a function or an event source mapping."""
    parts = arn.split(":")
    if len(parts) == 7 and parts[5] == "event-source-mapping":
        record = call.records("mapping").get(parts[6])
        if record is None:
            raise not_found(arn)
        return "mapping", parts[6], record
    target = named(call, arn)
    if target.qualifier:
        raise invalid(
            "Tags on function aliases and versions are not supported. Please specify a function ARN."
        )
    return "function", target.name, get_function(call, target)


@operation(SERVICE, "TagResource")
def tag_resource(call: Call, Resource: str, Tags: dict[str, str]) -> dict[str, Any]:
    with call.engine.store.transaction():
        kind, key, record = _tagged(call, Resource)
        tags = record["tags"] | Tags
        if len(tags) > 50:
            raise invalid("The number of tags exceeds the limit of 50.")
        call.records(kind).put(key, record | {"tags": tags})
    return {}


@operation(SERVICE, "UntagResource")
def untag_resource(call: Call, Resource: str, TagKeys: list[str]) -> dict[str, Any]:
    with call.engine.store.transaction():
        kind, key, record = _tagged(call, Resource)
        tags = {name: value for name, value in record["tags"].items() if name not in TagKeys}
        call.records(kind).put(key, record | {"tags": tags})
    return {}


@operation(SERVICE, "ListTags")
def list_tags(call: Call, Resource: str) -> dict[str, Any]:
    return {"Tags": _tagged(call, Resource)[2]["tags"]}
