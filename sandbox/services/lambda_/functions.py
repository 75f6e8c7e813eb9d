"""Operations on functions: create, show, list, delete."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.lambda_ import configuration, packages
from sandbox.services.lambda_.deploy import begin
from sandbox.services.lambda_.environments import forget
from sandbox.services.lambda_.layers import check_layers, layer_sizes
from sandbox.services.lambda_.names import LATEST, SERVICE, Named, function_arn, invalid, named
from sandbox.services.lambda_.records import get_function, revise, shown, version_of
from sandbox.services.lambda_.versions import publish

_CONFIGURATION = (
    "Role",
    "Handler",
    "Runtime",
    "Description",
    "Timeout",
    "MemorySize",
    "Environment",
    "DeadLetterConfig",
    "KMSKeyArn",
    "TracingConfig",
    "Layers",
    "EphemeralStorage",
    "Architectures",
    "LoggingConfig",
    "PackageType",
)
UNRESERVED = 100
"""Concurrency that must stay free of reservations."""
CONCURRENCY = 1000


@operation(SERVICE, "CreateFunction")
def create_function(
    call: Call, FunctionName: str, Code: dict[str, Any], Publish: bool = False, **members: Any
) -> dict[str, Any]:
    target = named(call, FunctionName)
    arn = function_arn(call, target.name)
    wanted = configuration.DEFAULTS | members
    configuration.check(call, arn, wanted)
    if call.records("function").get(target.name):
        raise AwsError("ResourceConflictException", f"Function already exist: {target.name}", Type="User")
    if Code.get("ImageUri"):
        raise invalid("ImageUri is not implemented in the sandbox: functions are zip packages.")
    data = packages.take(call, Code)
    identifier = packages.keep(call.engine, data)
    check_layers(call, wanted.get("Layers") or [], packages.size(call.engine, identifier))
    record: dict[str, Any] = {
        "Name": target.name,
        "config": {name: wanted[name] for name in _CONFIGURATION if wanted.get(name) is not None},
        "code": {"zip": identifier, "sha256": packages.digest(data), "size": len(data)},
        "State": "Pending",
        "StateReason": "The function is being created.",
        "StateReasonCode": "Creating",
        "LastUpdateStatus": "Successful",
        "runtime_arn": _runtime_arn(call, wanted["Runtime"]),
        "live": None,
        "tags": members.get("Tags") or {},
        "reserved": None,
        "published": 0,
    }
    revise(call, record)
    with call.engine.store.transaction():
        if call.records("function").get(target.name):
            raise AwsError("ResourceConflictException", f"Function already exist: {target.name}", Type="User")
        call.records("function").put(target.name, record)
        begin(call.engine, call.account, call.region, target.name)
        if Publish:
            return publish(call, target.name, "")
    return shown(record, LATEST, arn, layer_sizes(call, record))


def _runtime_arn(call: Call, runtime: str) -> str:
    return f"arn:aws:lambda:{call.region}::runtime:{runtime}"


@operation(SERVICE, "GetFunction")
def get_function_(call: Call, FunctionName: str, Qualifier: str | None = None) -> dict[str, Any]:
    target = named(call, FunctionName, Qualifier)
    function = get_function(call, target)
    answer: dict[str, Any] = {
        "Configuration": _configuration(call, target),
        "Code": {"RepositoryType": "S3"},
    }
    if function["tags"]:
        answer["Tags"] = function["tags"]
    if function["reserved"] is not None:
        answer["Concurrency"] = {"ReservedConcurrentExecutions": function["reserved"]}
    return answer


@operation(SERVICE, "GetFunctionConfiguration")
def get_function_configuration(call: Call, FunctionName: str, Qualifier: str | None = None) -> dict[str, Any]:
    return _configuration(call, named(call, FunctionName, Qualifier))


def _configuration(call: Call, target: Named) -> dict[str, Any]:
    version, record = version_of(call, target)
    arn = function_arn(call, target.name, target.qualifier)
    return shown(record, version, arn, layer_sizes(call, record))


@operation(SERVICE, "ListFunctions")
def list_functions(
    call: Call,
    MasterRegion: str | None = None,
    FunctionVersion: str | None = None,
    Marker: str | None = None,
    MaxItems: int | None = None,
) -> dict[str, Any]:
    found = [(LATEST, record) for record in call.records("function").list()]
    if FunctionVersion == "ALL":
        found += [(record["Version"], record) for record in call.records("version").list()]
    chosen, token = page(found, Marker, min(MaxItems or 50, 50), error="InvalidParameterValueException")
    items = [
        shown(
            record,
            version,
            function_arn(call, record["Name"], None if version == LATEST else version),
            layer_sizes(call, record),
        )
        for version, record in chosen
    ]
    return {"Functions": items} | ({"NextMarker": token} if token else {})


@operation(SERVICE, "DeleteFunction")
def delete_function(call: Call, FunctionName: str, Qualifier: str | None = None) -> dict[str, Any]:
    target = named(call, FunctionName, Qualifier)
    with call.engine.store.transaction():
        get_function(call, target)
        if target.qualifier:
            _delete_version(call, target)
        else:
            _delete_all(call, target.name)
    forget(call.engine, call.account, call.region, target.name)
    return {"StatusCode": 204}


def _delete_version(call: Call, target: Named) -> None:
    if target.qualifier == LATEST:
        raise invalid("$LATEST version cannot be deleted without deleting the function.")
    users = [
        alias["Name"]
        for alias in call.records("alias").list(f"{target.name}:")
        if target.qualifier in (alias["FunctionVersion"], *alias["weights"])
    ]
    if users:
        raise AwsError(
            "ResourceConflictException",
            "Version cannot be deleted since it is referenced by the following aliases: "
            f"[{', '.join(users)}]",
            Type="User",
        )
    version_of(call, target)
    call.records("version").delete(f"{target.name}:{target.qualifier}")


def _delete_all(call: Call, name: str) -> None:
    call.records("function").delete(name)
    for kind in ("version", "alias", "policy", "invoke-config"):
        records = call.records(kind)
        for key in [key for key in records.keys(name) if key == name or key.startswith(f"{name}:")]:
            records.delete(key)


@operation(SERVICE, "GetAccountSettings")
def get_account_settings(call: Call) -> dict[str, Any]:
    records = call.records("function").list()
    reserved = sum(record["reserved"] or 0 for record in records)
    return {
        "AccountLimit": {
            "TotalCodeSize": 80_530_636_800,
            "CodeSizeUnzipped": packages.UNZIPPED,
            "CodeSizeZipped": packages.ZIPPED,
            "ConcurrentExecutions": CONCURRENCY,
            "UnreservedConcurrentExecutions": CONCURRENCY - reserved,
        },
        "AccountUsage": {
            "TotalCodeSize": sum(record["code"]["size"] for record in records),
            "FunctionCount": len(records),
        },
    }


@operation(SERVICE, "PutFunctionConcurrency")
def put_function_concurrency(
    call: Call, FunctionName: str, ReservedConcurrentExecutions: int
) -> dict[str, Any]:
    target = named(call, FunctionName)
    with call.engine.store.transaction():
        record = get_function(call, target)
        others = sum(
            other["reserved"] or 0
            for other in call.records("function").list()
            if other["Name"] != target.name
        )
        if CONCURRENCY - others - ReservedConcurrentExecutions < UNRESERVED:
            raise invalid(
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{UNRESERVED}]."
            )
        record["reserved"] = ReservedConcurrentExecutions
        call.records("function").put(target.name, record)
    return {"ReservedConcurrentExecutions": ReservedConcurrentExecutions}


@operation(SERVICE, "GetFunctionConcurrency")
def get_function_concurrency(call: Call, FunctionName: str) -> dict[str, Any]:
    reserved = get_function(call, named(call, FunctionName))["reserved"]
    return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}


@operation(SERVICE, "DeleteFunctionConcurrency")
def delete_function_concurrency(call: Call, FunctionName: str) -> dict[str, Any]:
    target = named(call, FunctionName)
    with call.engine.store.transaction():
        record = get_function(call, target)
        record["reserved"] = None
        call.records("function").put(target.name, record)
    return {}
