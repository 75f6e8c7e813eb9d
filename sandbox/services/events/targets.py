"""Operations on the targets of rules."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.events.bus import bus_name
from sandbox.services.events.invoke import NEED_ROLE, kind_of
from sandbox.services.events.rules import SERVICE, get_rule, key_of
from sandbox.services.events.transform import validate_input

TARGETS = 5
"""Targets a rule, as on AWS."""

_NOT_IMPLEMENTED = (
    "KinesisParameters",
    "RunCommandParameters",
    "EcsParameters",
    "BatchParameters",
    "HttpParameters",
    "RedshiftDataParameters",
    "AppSyncParameters",
)
_SHOWN_NOT = ("rule", "bus")


@operation(SERVICE, "PutTargets")
def put_targets(
    call: Call, Rule: str, Targets: list[dict[str, Any]], EventBusName: str | None = None
) -> dict[str, Any]:
    rule = get_rule(call, Rule, EventBusName)
    for target in Targets:
        _validate(call, rule, target)
    with call.engine.store.transaction():
        records = call.records("target")
        key = key_of(rule)
        names = {*records.keys(f"{key}/"), *(f"{key}/{target['Id']}" for target in Targets)}
        if len(names) > TARGETS:
            raise AwsError(
                "LimitExceededException", "The requested resource exceeds the maximum number allowed."
            )
        for target in Targets:
            records.put(f"{key}/{target['Id']}", target | {"rule": Rule, "bus": rule["EventBusName"]})
    return {"FailedEntryCount": 0, "FailedEntries": []}


def _validate(call: Call, rule: dict[str, Any], target: dict[str, Any]) -> None:
    for member in _NOT_IMPLEMENTED:
        if member in target:
            raise AwsError("ValidationException", f"{member} of targets is not implemented in the sandbox")
    kind = kind_of(target["Arn"])
    role = target.get("RoleArn")
    if not role and kind in NEED_ROLE:
        raise AwsError("ValidationException", f"RoleArn is required for target {target['Arn']}.")
    for member, only in (("SageMakerPipelineParameters", "sagemaker"), ("SqsParameters", "sqs")):
        if member in target and kind != only:
            raise AwsError(
                "ValidationException", f"Parameter(s) {member} not valid for target {target['Arn']}."
            )
    if target["Arn"].endswith(".fifo") and kind == "sqs" and not target.get("SqsParameters"):
        raise AwsError(
            "ValidationException",
            f"Parameter(s) SqsParameters must be specified for target: {target['Id']}.",
        )
    letters = (target.get("DeadLetterConfig") or {}).get("Arn")
    if letters and letters.split(":")[2:3] != ["sqs"]:
        raise AwsError(
            "ValidationException", f"Invalid DeadLetterConfig Arn {letters}: it must be an SQS queue."
        )
    validate_input(target)
    if role:
        _check_role(call, rule, role)


def _check_role(call: Call, rule: dict[str, Any], role: str) -> None:
    try:
        call.engine.clients.role(
            role,
            service="events.amazonaws.com",
            session_name="events-validation",
            region=call.region,
            source_arn=rule["Arn"],
        )
    except AwsError as error:
        raise AwsError(
            "ValidationException",
            f"Provided role '{role}' cannot be assumed by principal 'events.amazonaws.com'. {error.message}",
        ) from error


@operation(SERVICE, "RemoveTargets")
def remove_targets(
    call: Call, Rule: str, Ids: list[str], EventBusName: str | None = None, Force: bool = False
) -> dict[str, Any]:
    key = key_of(get_rule(call, Rule, EventBusName))
    failed = []
    with call.engine.store.transaction():
        for identifier in Ids:
            if call.records("target").get(f"{key}/{identifier}") is None:
                failed.append(
                    {
                        "TargetId": identifier,
                        "ErrorCode": "ResourceNotFoundException",
                        "ErrorMessage": f"Rule {Rule} does not have a target with the Id {identifier}.",
                    }
                )
            call.records("target").delete(f"{key}/{identifier}")
    return {"FailedEntryCount": len(failed), "FailedEntries": failed}


@operation(SERVICE, "ListTargetsByRule")
def list_targets_by_rule(
    call: Call,
    Rule: str,
    EventBusName: str | None = None,
    NextToken: str | None = None,
    Limit: int | None = None,
) -> dict[str, Any]:
    key = key_of(get_rule(call, Rule, EventBusName))
    chosen, token = page(call.records("target").list(f"{key}/"), NextToken, Limit)
    shown = [{name: value for name, value in t.items() if name not in _SHOWN_NOT} for t in chosen]
    return {"Targets": shown} | ({"NextToken": token} if token else {})


@operation(SERVICE, "ListRuleNamesByTarget")
def list_rule_names_by_target(
    call: Call,
    TargetArn: str,
    EventBusName: str | None = None,
    NextToken: str | None = None,
    Limit: int | None = None,
) -> dict[str, Any]:
    bus = bus_name(call, EventBusName)
    names = sorted(
        {
            target["rule"]
            for target in call.records("target").list()
            if target["Arn"] == TargetArn and target.get("bus", "default") == bus
        }
    )
    chosen, token = page(names, NextToken, Limit)
    return {"RuleNames": chosen} | ({"NextToken": token} if token else {})
