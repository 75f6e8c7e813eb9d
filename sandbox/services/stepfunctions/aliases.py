"""Operations on aliases."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.stepfunctions.execution import arns
from sandbox.services.stepfunctions.execution.run import SERVICE
from sandbox.services.stepfunctions.names import check_name, machine_of, unqualified
from sandbox.services.stepfunctions.versioning import aliases_of

_MOST = 100
Routes = list[dict[str, Any]]


def _routes(call: Call, routes: Routes) -> tuple[str, Routes]:
    """The machine that routes belong to. ValidationException for routes that cannot be followed."""
    targets = [route["stateMachineVersionArn"] for route in routes]
    names = {arns.parse(target, "stateMachine").rest.partition(":")[0] for target in targets}
    if len(names) != 1 or len(set(targets)) != len(targets) or len(targets) > 2:
        raise _invalid("The routing configuration must name one or two versions of one state machine")
    if sum(route["weight"] for route in routes) != 100:
        raise _invalid("Sum of routing configuration weights must equal 100")
    for target in targets:
        rest = arns.parse(target, "stateMachine").rest
        if call.records("version").get(rest) is None:
            raise AwsError(
                "ResourceNotFound",
                f"Request references a resource that doesn't exist. Resource not found: {target}",
                resourceName=target,
            )
    return names.pop(), routes


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message, reason="INVALID_ROUTING_CONFIGURATION")


def _alias(call: Call, arn: str) -> tuple[str, dict[str, Any]]:
    rest = arns.parse(arn, "stateMachine").rest
    record = call.records("alias").get(rest)
    if record is None:
        raise AwsError(
            "ResourceNotFound",
            f"Request references a resource that doesn't exist. Resource not found: {arn}",
            resourceName=arn,
        )
    return rest, record


@operation(SERVICE, "CreateStateMachineAlias")
def create_state_machine_alias(
    call: Call, name: str, routingConfiguration: Routes, description: str | None = None
) -> dict[str, Any]:
    """Repeated with the same routes it is the same alias."""
    check_name(name)
    if name.isdigit():
        raise AwsError("InvalidName", f"Invalid Name: '{name}'")
    with call.engine.store.transaction():
        machine, routes = _routes(call, routingConfiguration)
        arn = call.arn(f"stateMachine:{machine}:{name}")
        machine_of(call, call.arn(f"stateMachine:{machine}"))
        before = call.records("alias").get(f"{machine}:{name}")
        if before is not None and (before["routes"], before["description"]) != (routes, description):
            raise AwsError(
                "ConflictException", f"Failed to create alias because an alias already exists: {arn}"
            )
        if before is None and len(aliases_of(call, machine)) >= _MOST:
            raise AwsError("ServiceQuotaExceededException", "The number of aliases is over the quota")
        now = call.engine.clock.now()
        record = before or {
            "name": name,
            "arn": arn,
            "routes": routes,
            "description": description,
            "created": now,
            "updated": now,
        }
        call.records("alias").put(f"{machine}:{name}", record)
    return {"stateMachineAliasArn": arn, "creationDate": record["created"]}


@operation(SERVICE, "UpdateStateMachineAlias")
def update_state_machine_alias(
    call: Call,
    stateMachineAliasArn: str,
    description: str | None = None,
    routingConfiguration: Routes | None = None,
) -> dict[str, Any]:
    if description is None and routingConfiguration is None:
        raise AwsError(
            "ValidationException",
            "Either description or routingConfiguration must be specified",
            reason="MISSING_REQUIRED_PARAMETER",
        )
    with call.engine.store.transaction():
        key, record = _alias(call, stateMachineAliasArn)
        if routingConfiguration is not None:
            machine, record["routes"] = _routes(call, routingConfiguration)
            if machine != key.partition(":")[0]:
                raise _invalid("The routing configuration must name versions of the alias's state machine")
        if description is not None:
            record["description"] = description
        record["updated"] = call.engine.clock.now()
        call.records("alias").put(key, record)
    return {"updateDate": record["updated"]}


@operation(SERVICE, "DescribeStateMachineAlias")
def describe_state_machine_alias(call: Call, stateMachineAliasArn: str) -> dict[str, Any]:
    _, record = _alias(call, stateMachineAliasArn)
    return {
        "stateMachineAliasArn": record["arn"],
        "name": record["name"],
        "description": record["description"],
        "routingConfiguration": record["routes"],
        "creationDate": record["created"],
        "updateDate": record["updated"],
    }


@operation(SERVICE, "ListStateMachineAliases")
def list_state_machine_aliases(
    call: Call, stateMachineArn: str, nextToken: str | None = None, maxResults: int | None = None
) -> dict[str, Any]:
    """Of the machine, or of one version."""
    record, number = machine_of(call, stateMachineArn)
    found = [
        alias
        for alias in aliases_of(call, record["name"])
        if not number or any(r["stateMachineVersionArn"] == stateMachineArn for r in alias["routes"])
    ]
    chosen, token = page(found, nextToken, maxResults, error="InvalidToken")
    shown = [{"stateMachineAliasArn": item["arn"], "creationDate": item["created"]} for item in chosen]
    return {"stateMachineAliases": shown} | ({"nextToken": token} if token else {})


@operation(SERVICE, "DeleteStateMachineAlias")
def delete_state_machine_alias(call: Call, stateMachineAliasArn: str) -> dict[str, Any]:
    with call.engine.store.transaction():
        key, _ = _alias(call, stateMachineAliasArn)
        unqualified(call, call.arn(f"stateMachine:{key.partition(':')[0]}"))
        call.records("alias").delete(key)
    return {}
