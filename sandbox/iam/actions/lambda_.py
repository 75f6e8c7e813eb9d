"""AWS Lambda: Invoke is lambda:InvokeFunction, and a qualifier is part of what is asked for.

Source: "Actions, resources, and condition keys for AWS Lambda" and
https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
"""

from __future__ import annotations

from sandbox.iam.actions import generic
from sandbox.iam.actions.check import Asked, Check, Unmapped

_ACTIONS = {
    "Invoke": "InvokeFunction",
    "InvokeWithResponseStream": "InvokeFunction",
    "GetLayerVersionByArn": "GetLayerVersion",
}
_QUALIFIED = frozenset(
    {
        "Invoke",
        "InvokeWithResponseStream",
        "GetFunction",
        "GetFunctionConfiguration",
        "DeleteFunction",
        "GetPolicy",
        "AddPermission",
        "RemovePermission",
        "GetProvisionedConcurrencyConfig",
        "PutProvisionedConcurrencyConfig",
        "DeleteProvisionedConcurrencyConfig",
        "PutFunctionEventInvokeConfig",
        "UpdateFunctionEventInvokeConfig",
        "GetFunctionEventInvokeConfig",
        "DeleteFunctionEventInvokeConfig",
    }
)
"""Operations whose Qualifier makes the alias or version the resource."""


def checks(asked: Asked) -> list[Check]:
    action = _ACTIONS.get(asked.operation, asked.operation)
    return [Check(f"lambda:{action}", _resources(asked, action))]


def _resources(asked: Asked, action: str) -> tuple[str, ...]:
    operation = asked.operation
    if "EventSourceMapping" in operation:
        return _mapping(asked)
    if "Layer" in operation and operation not in ("ListLayers", "ListLayerVersions"):
        return (_layer(asked),)
    if operation in ("TagResource", "UntagResource", "ListTags"):
        given = asked.first("Resource") or ""
        if not given.startswith("arn:"):
            raise Unmapped(f"lambda:{operation}", "the request names no resource")
        return (given,)
    kinds = {kind for kind, _ in generic.types_of("lambda", action)}
    function = asked.first("FunctionName")
    if kinds & {"function", "function alias", "function version"} and function:
        return (_function(asked, function),)
    return generic.resources(asked, "lambda", action)


def _function(asked: Asked, given: str) -> str:
    """The ARN that a name, partial ARN or ARN stands for, with its qualifier where the operation has one."""
    pieces = given.split(":function:")[-1].split(":") if ":function:" in given else given.split(":")
    name, inner = pieces[0], pieces[1] if len(pieces) > 1 else None
    qualifier = asked.first("Qualifier") or inner
    if given.startswith("arn:"):
        base = given.split(":function:")[0] + f":function:{name}"
    elif ":function:" in given:
        account = given.split(":function:")[0].rsplit(":", 1)[-1]
        base = f"arn:aws:lambda:{asked.region}:{account}:function:{name}"
    else:
        base = asked.arn("lambda", f"function:{name}")
    return f"{base}:{qualifier}" if qualifier and asked.operation in _QUALIFIED else base


def _layer(asked: Asked) -> str:
    given = asked.first("Arn") or asked.first("LayerName")
    if given is None:
        raise Unmapped(f"lambda:{asked.operation}", "the request names no layer")
    arn = given if given.startswith("arn:") else asked.arn("lambda", f"layer:{given}")
    number = asked.first("VersionNumber")
    return f"{arn}:{number}" if number and asked.operation != "PublishLayerVersion" else arn


def _mapping(asked: Asked) -> tuple[str, ...]:
    """Created and listed on `*` (the function is a condition key); others by their UUID."""
    identifier = asked.first("UUID")
    return (asked.arn("lambda", f"event-source-mapping:{identifier}"),) if identifier else ("*",)
