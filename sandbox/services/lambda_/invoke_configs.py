"""How asynchronous events of a function are retried, and where their results go.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.lambda_.names import LATEST, SERVICE, Named, function_arn, invalid, named
from sandbox.services.lambda_.records import version_of

_TARGETS = ("sqs", "sns", "lambda", "events")


def _key(target: Named) -> str:
    return f"{target.name}:{target.qualifier or LATEST}"


def _shown(call: Call, key: str, config: dict[str, Any]) -> dict[str, Any]:
    name, _, qualifier = key.partition(":")
    return config | {"FunctionArn": function_arn(call, name, qualifier)}


def _put(call: Call, target: Named, given: dict[str, Any], *, over: bool) -> dict[str, Any]:
    destinations = given.get("DestinationConfig") or {}
    for side in destinations.values():
        arn = (side or {}).get("Destination")
        if arn and arn.split(":")[2] not in _TARGETS:
            raise invalid(f"The destination {arn} is not implemented in the sandbox.")
    with call.engine.store.transaction():
        version_of(call, target)
        before = (_get(call, target) if over else None) or {}
        config = before | {name: value for name, value in given.items() if value is not None}
        config.setdefault("DestinationConfig", {"OnSuccess": {}, "OnFailure": {}})
        config["LastModified"] = call.engine.clock.now()
        call.records("invoke-config").put(_key(target), config)
    return _shown(call, _key(target), config)


def _get(call: Call, target: Named) -> dict[str, Any]:
    version_of(call, target)
    config = call.records("invoke-config").get(_key(target))
    if config is None:
        arn = function_arn(call, target.name, target.qualifier or LATEST)
        raise AwsError(
            "ResourceNotFoundException", f"The function {arn} doesn't have an EventInvokeConfig", Type="User"
        )
    return config


@operation(SERVICE, "PutFunctionEventInvokeConfig")
def put_function_event_invoke_config(
    call: Call, FunctionName: str, Qualifier: str | None = None, **members: Any
) -> dict[str, Any]:
    return _put(call, named(call, FunctionName, Qualifier), members, over=False)


@operation(SERVICE, "UpdateFunctionEventInvokeConfig")
def update_function_event_invoke_config(
    call: Call, FunctionName: str, Qualifier: str | None = None, **members: Any
) -> dict[str, Any]:
    return _put(call, named(call, FunctionName, Qualifier), members, over=True)


@operation(SERVICE, "GetFunctionEventInvokeConfig")
def get_function_event_invoke_config(
    call: Call, FunctionName: str, Qualifier: str | None = None
) -> dict[str, Any]:
    target = named(call, FunctionName, Qualifier)
    return _shown(call, _key(target), _get(call, target))


@operation(SERVICE, "DeleteFunctionEventInvokeConfig")
def delete_function_event_invoke_config(
    call: Call, FunctionName: str, Qualifier: str | None = None
) -> dict[str, Any]:
    target = named(call, FunctionName, Qualifier)
    with call.engine.store.transaction():
        _get(call, target)
        call.records("invoke-config").delete(_key(target))
    return {}


@operation(SERVICE, "ListFunctionEventInvokeConfigs")
def list_function_event_invoke_configs(
    call: Call, FunctionName: str, Marker: str | None = None, MaxItems: int | None = None
) -> dict[str, Any]:
    target = named(call, FunctionName)
    version_of(call, Named(target.name))
    records = call.records("invoke-config")
    keys, token = page(
        records.keys(f"{target.name}:"), Marker, MaxItems or 50, error="InvalidParameterValueException"
    )
    items = [_shown(call, key, records.get(key) or {}) for key in keys]
    return {"FunctionEventInvokeConfigs": items} | ({"NextMarker": token} if token else {})
