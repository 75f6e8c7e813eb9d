"""Operations on state machines."""

from __future__ import annotations

import uuid
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.stepfunctions.execution import endings
from sandbox.services.stepfunctions.execution.run import ROOT, SERVICE, Run
from sandbox.services.stepfunctions.loggroups import check_logging
from sandbox.services.stepfunctions.names import check_name, machine_of, unqualified
from sandbox.services.stepfunctions.versioning import aliases_of, publish, resolve, versions_of

_OFF: dict[str, Any] = {"level": "OFF", "includeExecutionData": False}
_OWNED = {"type": "AWS_OWNED_KEY"}
_SAME = ("definition", "type", "logging", "tracing", "encryption")
"""What makes a repeated creation the same one; the role and tags do not count."""


@operation(SERVICE, "CreateStateMachine")
def create_state_machine(
    call: Call,
    name: str,
    definition: str,
    roleArn: str,
    type: str = "STANDARD",
    publish: bool = False,
    **members: Any,
) -> dict[str, Any]:
    check_name(name)
    if members.get("versionDescription") and not publish:
        raise AwsError("ValidationException", "Version description can only be set when publish is true")
    now = call.engine.clock.now()
    record = {
        "name": name,
        "arn": call.arn(f"stateMachine:{name}"),
        "definition": definition,
        "roleArn": roleArn,
        "type": type,
        "status": "ACTIVE",
        "created": now,
        "updated": now,
        "revision": None,
        "versions": 0,
        "logging": members.get("loggingConfiguration") or _OFF,
        "tracing": members.get("tracingConfiguration") or {"enabled": False},
        "encryption": _encryption(members.get("encryptionConfiguration")),
        "tags": {tag["key"]: tag.get("value", "") for tag in members.get("tags", [])},
    }
    _check(call, record)
    with call.engine.store.transaction():
        before = call.records("machine").get(name)
        if before is not None and any(before[field] != record[field] for field in _SAME):
            raise AwsError("StateMachineAlreadyExists", f"State Machine Already Exists: '{record['arn']}'")
        record = before or record
        call.records("machine").put(name, record)
        answer = {"stateMachineArn": record["arn"], "creationDate": record["created"]}
        if publish:
            version = _publish(call, record, members.get("versionDescription"))
            answer["stateMachineVersionArn"] = version["arn"]
    return answer


def _publish(call: Call, record: dict[str, Any], description: str | None) -> dict[str, Any]:
    return publish(call, record, description)


def _encryption(given: dict[str, Any] | None) -> dict[str, Any]:
    if given and given["type"] != "AWS_OWNED_KEY":
        raise AwsError(
            "InvalidEncryptionConfiguration", "Customer managed keys are not implemented in the sandbox"
        )
    return dict(given or _OWNED)


def _check(call: Call, record: dict[str, Any]) -> None:
    """InvalidDefinition, and AccessDeniedException for a role that cannot do what AWS asks of it at once."""
    # Loaded with the first machine: a sandbox without any starts without it.
    from sandbox.services.stepfunctions.definition.permissions import check_role
    from sandbox.services.stepfunctions.definition.validate import check

    check(record["definition"], record["type"])
    session = check_role(call, record)
    check_logging(session, record["logging"])


@operation(SERVICE, "UpdateStateMachine")
def update_state_machine(
    call: Call,
    stateMachineArn: str,
    definition: str | None = None,
    roleArn: str | None = None,
    publish: bool = False,
    **members: Any,
) -> dict[str, Any]:
    before = unqualified(call, stateMachineArn)
    configured = {"loggingConfiguration", "tracingConfiguration", "encryptionConfiguration"} & members.keys()
    if definition is None and roleArn is None and not configured:
        raise AwsError(
            "MissingRequiredParameter",
            "Either the definition, the role ARN, the LoggingConfiguration, the TracingConfiguration or the "
            "EncryptionConfiguration must be specified",
        )
    if members.get("versionDescription") and not publish:
        raise AwsError("ValidationException", "Version description can only be set when publish is true")
    changes: dict[str, Any] = {"definition": definition, "roleArn": roleArn}
    changes |= {
        "logging": members.get("loggingConfiguration"),
        "tracing": members.get("tracingConfiguration"),
    }
    if "encryptionConfiguration" in members:
        changes["encryption"] = _encryption(members["encryptionConfiguration"])
    changes = {name: value for name, value in changes.items() if value is not None}
    _check(call, before | changes)
    with call.engine.store.transaction():
        record = unqualified(call, stateMachineArn)
        now = call.engine.clock.now()
        record |= changes | {"updated": now, "revision": str(uuid.uuid4())}
        call.records("machine").put(record["name"], record)
        answer = {"updateDate": now, "revisionId": record["revision"]}
        if publish:
            version = _publish(call, record, members.get("versionDescription"))
            answer["stateMachineVersionArn"] = version["arn"]
    return answer


@operation(SERVICE, "DescribeStateMachine")
def describe_state_machine(
    call: Call, stateMachineArn: str, includedData: str = "ALL_DATA"
) -> dict[str, Any]:
    record, qualifier = machine_of(call, stateMachineArn)
    chosen = resolve(call, record, qualifier, stateMachineArn)
    found = chosen.record
    return {
        "stateMachineArn": stateMachineArn,
        "name": record["name"],
        "status": record["status"],
        "definition": found["definition"] if includedData == "ALL_DATA" else "",
        "roleArn": found["roleArn"],
        "type": record["type"],
        "creationDate": found["created"],
        "loggingConfiguration": found["logging"],
        "tracingConfiguration": found["tracing"],
        "encryptionConfiguration": found["encryption"],
        "revisionId": found["revision"],
        "description": found.get("description"),
    }


@operation(SERVICE, "ListStateMachines")
def list_state_machines(
    call: Call, maxResults: int | None = None, nextToken: str | None = None
) -> dict[str, Any]:
    records = sorted(call.records("machine").list(), key=lambda record: record["name"])
    chosen, token = page(records, nextToken, maxResults, error="InvalidToken")
    shown = [
        {
            "stateMachineArn": record["arn"],
            "name": record["name"],
            "type": record["type"],
            "creationDate": record["created"],
        }
        for record in chosen
    ]
    return {"stateMachines": shown} | ({"nextToken": token} if token else {})


@operation(SERVICE, "DeleteStateMachine")
def delete_state_machine(call: Call, stateMachineArn: str) -> dict[str, Any]:
    """Deletes versions and aliases with it, and ends what still runs; a machine that is gone is no error."""
    try:
        record = unqualified(call, stateMachineArn)
    except AwsError as error:
        if error.code == "StateMachineDoesNotExist":
            return {}
        raise
    with call.engine.store.transaction():
        for key in call.records("execution").keys(f"{record['name']}:"):
            run = Run(call.engine, call.account, call.region, key)
            if run.execution()["status"] == "RUNNING":
                branch = run.branch(ROOT)
                endings.end_execution(run, "ABORTED", branch["last"] if branch else 0)
        for version in versions_of(call, record["name"]):
            call.records("version").delete(f"{record['name']}:{version['number']}")
        for alias in aliases_of(call, record["name"]):
            call.records("alias").delete(f"{record['name']}:{alias['name']}")
        call.records("machine").delete(record["name"])
    return {}
