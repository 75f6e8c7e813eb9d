"""Operations that tell of stacks, their resources, events, templates and exports."""

from __future__ import annotations

import json
from typing import Any

from sandbox.engine.operations import Call, operation
from sandbox.engine.pagination import page
from sandbox.services.cloudformation.operations.stacks import stacks_of
from sandbox.services.cloudformation.stack.records import Record, Stacks
from sandbox.services.cloudformation.stack.shown import deployed, parameters_of, tags_of
from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.sections import parse

_DRIFT = {"StackDriftStatus": "NOT_CHECKED"}
_RESOURCE_DRIFT = {"StackResourceDriftStatus": "NOT_CHECKED"}
_GONE = ("DELETE_COMPLETE", "DELETE_SKIPPED")


def _described(stack: Record) -> dict[str, Any]:
    shown = deployed(stack)
    return {
        "StackId": stack["StackId"],
        "StackName": stack["StackName"],
        "ChangeSetId": stack.get("ChangeSetId"),
        "Description": shown.get("Description"),
        "Parameters": parameters_of(shown),
        "CreationTime": stack["CreationTime"],
        "DeletionTime": stack.get("DeletionTime"),
        "LastUpdatedTime": stack.get("LastUpdatedTime"),
        "RollbackConfiguration": stack.get("RollbackConfiguration") or {},
        "RetainExceptOnCreate": shown.get("RetainExceptOnCreate"),
        "DeletionMode": stack.get("DeletionMode"),
        "LastOperations": stack.get("Operations", []),
        "StackStatus": stack["StackStatus"],
        "StackStatusReason": stack.get("StackStatusReason"),
        "DisableRollback": shown.get("OnFailure") == "DO_NOTHING",
        "NotificationARNs": stack.get("NotificationARNs") or [],
        "TimeoutInMinutes": stack.get("TimeoutInMinutes"),
        "Capabilities": shown.get("Capabilities", []),
        "Outputs": stack.get("Outputs", []),
        "RoleARN": stack["Identity"].get("RoleARN"),
        "Tags": tags_of(shown),
        "EnableTerminationProtection": stack.get("EnableTerminationProtection", False),
        "ParentId": stack.get("ParentId"),
        "RootId": stack.get("RootId"),
        "DriftInformation": stack.get("Drift") or _DRIFT,
    }


@operation("cloudformation", "DescribeStacks")
def describe_stacks(call: Call, StackName: str | None = None, NextToken: str | None = None) -> dict[str, Any]:
    stacks = stacks_of(call)
    if StackName:
        return {"Stacks": [_described(stacks.get(StackName))]}
    living_stacks = [stack for stack in stacks.stacks.list() if stack["StackStatus"] != "DELETE_COMPLETE"]
    items, token = page(_newest_first(living_stacks), NextToken, error="ValidationError")
    return {"Stacks": [_described(stack) for stack in items], "NextToken": token}


def _newest_first(stacks: list[Record]) -> list[Record]:
    return sorted(stacks, key=lambda stack: -stack["CreationTime"])


@operation("cloudformation", "ListStacks")
def list_stacks(
    call: Call, NextToken: str | None = None, StackStatusFilter: list[str] | None = None
) -> dict[str, Any]:
    wanted = set(StackStatusFilter or [])
    found = [stack for stack in stacks_of(call).stacks.list() if not wanted or stack["StackStatus"] in wanted]
    items, token = page(_newest_first(found), NextToken, error="ValidationError")
    summaries = [
        {
            "StackId": stack["StackId"],
            "StackName": stack["StackName"],
            "TemplateDescription": deployed(stack).get("Description"),
            "CreationTime": stack["CreationTime"],
            "LastUpdatedTime": stack.get("LastUpdatedTime"),
            "DeletionTime": stack.get("DeletionTime"),
            "StackStatus": stack["StackStatus"],
            "StackStatusReason": stack.get("StackStatusReason"),
            "ParentId": stack.get("ParentId"),
            "RootId": stack.get("RootId"),
            "DriftInformation": stack.get("Drift") or _DRIFT,
        }
        for stack in items
    ]
    return {"StackSummaries": summaries, "NextToken": token}


def _existing(stacks: Stacks, name: str) -> Record:
    stack = stacks.find(name)
    if stack is None:
        raise TemplateError(f"Stack [{name}] does not exist")
    return stack


@operation("cloudformation", "DescribeStackEvents")
def describe_stack_events(call: Call, StackName: str, NextToken: str | None = None) -> dict[str, Any]:
    stacks = stacks_of(call)
    stack = _existing(stacks, StackName)
    events = stacks.events.list(f"{stack['StackId']}|")[::-1]
    items, token = page(events, NextToken, error="ValidationError")
    for event in items:
        if event["ResourceProperties"] is not None:
            event["ResourceProperties"] = json.dumps(event["ResourceProperties"], separators=(",", ":"))
    return {"StackEvents": items, "NextToken": token}


def _checked(record: Record) -> dict[str, Any]:
    found = record.get("Drift")
    if not found or found["StackResourceDriftStatus"] == "NOT_CHECKED":
        return _RESOURCE_DRIFT
    return {
        "StackResourceDriftStatus": found["StackResourceDriftStatus"],
        "LastCheckTimestamp": found["Timestamp"],
    }


def _resource(stack: Record, record: Record, moment: str = "Timestamp") -> dict[str, Any]:
    return {
        "StackId": stack["StackId"],
        "StackName": stack["StackName"],
        "LogicalResourceId": record["LogicalResourceId"],
        "PhysicalResourceId": record.get("PhysicalResourceId") or None,
        "ResourceType": record["ResourceType"],
        moment: record.get("LastUpdatedTimestamp", stack["CreationTime"]),
        "ResourceStatus": record["ResourceStatus"],
        "ResourceStatusReason": record.get("ResourceStatusReason"),
        "DriftInformation": _checked(record),
    }


@operation("cloudformation", "DescribeStackResources")
def describe_stack_resources(
    call: Call,
    StackName: str | None = None,
    LogicalResourceId: str | None = None,
    PhysicalResourceId: str | None = None,
) -> dict[str, Any]:
    stacks = stacks_of(call)
    if bool(StackName) == bool(PhysicalResourceId):
        raise TemplateError("Exactly one of StackName and PhysicalResourceId must be specified")
    if StackName:
        stack = stacks.get(StackName)
    else:
        stack = _owner(stacks, PhysicalResourceId)
    found = stacks.resources_of(stack["StackId"]).values()
    return {
        "StackResources": [
            _resource(stack, record)
            for record in found
            if LogicalResourceId in (None, record["LogicalResourceId"])
        ]
    }


def _owner(stacks: Stacks, physical_id: str | None) -> Record:
    for stack in stacks.stacks.list():
        for record in stacks.resources_of(stack["StackId"]).values():
            if record.get("PhysicalResourceId") == physical_id and record["ResourceStatus"] not in _GONE:
                return stack
    raise TemplateError(f"Stack for {physical_id} does not exist")


@operation("cloudformation", "DescribeStackResource")
def describe_stack_resource(call: Call, StackName: str, LogicalResourceId: str) -> dict[str, Any]:
    stacks = stacks_of(call)
    stack = _existing(stacks, StackName)
    record = stacks.resource(stack["StackId"], LogicalResourceId)
    if record is None:
        raise TemplateError(f"Resource {LogicalResourceId} does not exist for stack {stack['StackName']}")
    shown = deployed(stack)
    body = shown.get("Processed") or shown.get("TemplateBody")
    declared = parse(body).resources.get(LogicalResourceId, {}) if body else {}
    detail = _resource(stack, record, "LastUpdatedTimestamp")
    return {"StackResourceDetail": detail | {"Metadata": json.dumps(declared.get("Metadata", {}))}}


@operation("cloudformation", "ListStackResources")
def list_stack_resources(call: Call, StackName: str, NextToken: str | None = None) -> dict[str, Any]:
    stacks = stacks_of(call)
    stack = stacks.get(StackName)
    records = list(stacks.resources_of(stack["StackId"]).values())
    items, token = page(records, NextToken, error="ValidationError")
    summaries = []
    for record in items:
        summary = _resource(stack, record, "LastUpdatedTimestamp")
        summaries.append({key: item for key, item in summary.items() if key not in ("StackId", "StackName")})
    return {"StackResourceSummaries": summaries, "NextToken": token}


@operation("cloudformation", "GetTemplate")
def get_template(
    call: Call,
    StackName: str | None = None,
    ChangeSetName: str | None = None,
    TemplateStage: str | None = None,
) -> dict[str, Any]:
    stacks = stacks_of(call)
    if ChangeSetName:
        shown = stacks.change_set(ChangeSetName, StackName)["Target"]
    elif StackName:
        shown = deployed(stacks.get(StackName))
    else:
        raise TemplateError("Either StackName or ChangeSetName must be specified")
    processed = shown.get("Processed") if TemplateStage == "Processed" else None
    body = processed or shown.get("TemplateBody")
    # The gateway's model says string: what the client parses as JSON or YAML is for it to decide.
    return {"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]}


@operation("cloudformation", "ListExports")
def list_exports(call: Call, NextToken: str | None = None) -> dict[str, Any]:
    items, token = page(stacks_of(call).exports.list(), NextToken, error="ValidationError")
    exports = [{"ExportingStackId": e["StackId"], "Name": e["Name"], "Value": e["Value"]} for e in items]
    return {"Exports": exports, "NextToken": token}


@operation("cloudformation", "ListImports")
def list_imports(call: Call, ExportName: str, NextToken: str | None = None) -> dict[str, Any]:
    stacks = stacks_of(call)
    if stacks.exports.get(ExportName) is None:
        raise TemplateError(f"Export '{ExportName}' does not exist.")
    names = stacks.importers(ExportName)
    if not names:
        raise TemplateError(f"Export '{ExportName}' is not imported by any stack.")
    items, token = page(names, NextToken, error="ValidationError")
    return {"Imports": items, "NextToken": token}
