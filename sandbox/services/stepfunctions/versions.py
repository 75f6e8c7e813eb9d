"""Operations on versions."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.stepfunctions.execution import arns
from sandbox.services.stepfunctions.execution.run import SERVICE
from sandbox.services.stepfunctions.names import machine_of, unqualified
from sandbox.services.stepfunctions.versioning import aliases_of, publish, versions_of


@operation(SERVICE, "PublishStateMachineVersion")
def publish_state_machine_version(
    call: Call, stateMachineArn: str, revisionId: str | None = None, description: str | None = None
) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = unqualified(call, stateMachineArn)
        if revisionId is not None and revisionId != (record["revision"] or "INITIAL"):
            raise AwsError(
                "ConflictException",
                f"Failed to publish the State Machine version for revision {revisionId}. The current State "
                f"Machine revision is {record['revision'] or 'INITIAL'}.",
            )
        version = publish(call, record, description)
    return {"creationDate": version["created"], "stateMachineVersionArn": version["arn"]}


@operation(SERVICE, "ListStateMachineVersions")
def list_state_machine_versions(
    call: Call, stateMachineArn: str, nextToken: str | None = None, maxResults: int | None = None
) -> dict[str, Any]:
    record = unqualified(call, stateMachineArn)
    newest_first = versions_of(call, record["name"])[::-1]
    chosen, token = page(newest_first, nextToken, maxResults, error="InvalidToken")
    shown = [{"stateMachineVersionArn": item["arn"], "creationDate": item["created"]} for item in chosen]
    return {"stateMachineVersions": shown} | ({"nextToken": token} if token else {})


@operation(SERVICE, "DeleteStateMachineVersion")
def delete_state_machine_version(call: Call, stateMachineVersionArn: str) -> dict[str, Any]:
    """A version that is not there is no error; one that an alias routes to stays."""
    arn = arns.parse(stateMachineVersionArn, "stateMachine")
    name, _, number = arn.rest.partition(":")
    if not number.isdigit():
        raise AwsError("ValidationException", f"Invalid Arn: '{stateMachineVersionArn}'")
    with call.engine.store.transaction():
        machine_of(call, f"{stateMachineVersionArn.rpartition(':')[0]}")
        users = [
            alias["arn"]
            for alias in aliases_of(call, name)
            if any(route["stateMachineVersionArn"] == stateMachineVersionArn for route in alias["routes"])
        ]
        if users:
            raise AwsError(
                "ConflictException",
                "Version to be deleted must not be referenced by an alias. Current list of aliases "
                f"referencing this version: [{', '.join(users)}]",
            )
        call.records("version").delete(f"{name}:{number}")
    return {}
