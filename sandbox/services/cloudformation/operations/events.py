"""DescribeEvents: the events of operations, change sets' validation among them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeEvents.html
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.engine.operations import Call, operation
from sandbox.engine.pagination import page
from sandbox.services.cloudformation.operations.stacks import stacks_of
from sandbox.services.cloudformation.stack.records import Record, Stacks
from sandbox.services.cloudformation.template.errors import TemplateError


@operation("cloudformation", "DescribeEvents")
def describe_events(
    call: Call,
    StackName: str | None = None,
    ChangeSetName: str | None = None,
    OperationId: str | None = None,
    Filters: dict[str, Any] | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    stacks = stacks_of(call)
    if ChangeSetName:
        found = stacks.change_set(ChangeSetName, StackName).get("Events", [])
    elif StackName or OperationId:
        found = _of_stacks(stacks, StackName, OperationId)
    else:
        raise TemplateError("One of StackName, ChangeSetName and OperationId must be specified")
    if (Filters or {}).get("FailedEvents"):
        found = [event for event in found if _failed(event)]
    items, token = page(found, NextToken, error="ValidationError")
    return {"OperationEvents": items, "NextToken": token}


def _of_stacks(stacks: Stacks, name: str | None, operation_id: str | None) -> list[Record]:
    if name:
        found = stacks.find(name)
        if found is None:
            raise TemplateError(f"Stack [{name}] does not exist")
        chosen = [found]
    else:
        chosen = [stack for stack in stacks.stacks.list() if operation_id in _kinds(stack)]
        if not chosen:
            raise TemplateError(f"Operation [{operation_id}] does not exist")
    events: list[Record] = []
    for stack in chosen:
        kinds = _kinds(stack)
        events += [
            _shown(event, kinds.get(event.get("OperationId")))
            for event in stacks.events.list(f"{stack['StackId']}|")[::-1]
            if operation_id in (None, event.get("OperationId"))
        ]
    return events


def _kinds(stack: Record) -> dict[str | None, str]:
    return {item["OperationId"]: item["OperationType"] for item in stack.get("Operations", [])}


def _failed(event: Record) -> bool:
    return event["EventType"] in ("PROVISIONING_ERROR", "VALIDATION_ERROR") or (
        event.get("OperationStatus") == "FAILED"
    )


def _shown(event: Record, kind: str | None) -> Record:
    status: str = event["ResourceStatus"]
    own = event["PhysicalResourceId"] == event["StackId"]
    failed = status.endswith("_FAILED")
    shown = {key: item for key, item in event.items() if key not in ("StackName", "ResourceProperties")}
    if event["ResourceProperties"] is not None:
        shown["ResourceProperties"] = json.dumps(event["ResourceProperties"], separators=(",", ":"))
    shown |= {"OperationType": kind}
    if not own:
        return shown | {"EventType": "PROVISIONING_ERROR" if failed else "PROGRESS_EVENT"}
    going = status.endswith("_IN_PROGRESS")
    ended = "FAILED" if failed or "ROLLBACK" in status else "SUCCEEDED"
    times = {"StartTime": event["Timestamp"]} if going else {"EndTime": event["Timestamp"]}
    return shown | times | {"EventType": "STACK_EVENT", "OperationStatus": "IN_PROGRESS" if going else ended}


@operation("cloudformation", "DescribeAccountLimits")
def describe_account_limits(call: Call, NextToken: str | None = None) -> dict[str, Any]:
    limits = {"ConcurrentResourcesLimit": 2500, "StackLimit": 2000, "StackOutputsLimit": 200}
    return {"AccountLimits": [{"Name": name, "Value": value} for name, value in limits.items()]}
