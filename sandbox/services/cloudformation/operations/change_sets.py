"""Change sets.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.cloudformation.operations import importing, submission
from sandbox.services.cloudformation.operations.changes import change_of, without_values
from sandbox.services.cloudformation.operations.stacks import (
    begin,
    check_name,
    check_updatable,
    living,
    new_stack,
    stacks_of,
)
from sandbox.services.cloudformation.stack import dynamic, plan
from sandbox.services.cloudformation.stack.outline import Outline
from sandbox.services.cloudformation.stack.records import Record, Stacks
from sandbox.services.cloudformation.stack.shown import parameters_of, tags_of
from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.references import references

NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)


@operation("cloudformation", "CreateChangeSet")
def create_change_set(call: Call, **request: Any) -> dict[str, Any]:
    submission.refuse(request, "DeploymentMode")
    kind = request.get("ChangeSetType", "UPDATE")
    if kind != "IMPORT" and request.get("ResourcesToImport"):
        raise TemplateError("ResourcesToImport can only be specified for a change set of type IMPORT")
    stacks, name = stacks_of(call), request["StackName"]
    stack = stacks.find(name)
    fresh_import = kind == "IMPORT" and (stack is None or stack["StackStatus"] == "REVIEW_IN_PROGRESS")
    if kind == "CREATE" or fresh_import:
        stack, fresh = _stack_to_create(call, stacks, stack, request)
    else:
        stack, fresh = living(stacks, name), False
        check_updatable(stack)
    for record in stacks.change_sets.list(f"{stack['StackId']}|"):
        if record["ChangeSetName"] == request["ChangeSetName"]:
            if request.get("ClientToken") and record.get("ClientToken") == request["ClientToken"]:
                return {"Id": record["ChangeSetId"], "StackId": stack["StackId"]}
            raise AwsError(
                "AlreadyExistsException",
                f"ChangeSet {request['ChangeSetName']} cannot be created due to a mismatch"
                if request.get("ClientToken")
                else f"ChangeSet {request['ChangeSetName']} already exists",
            )
    record = _planned(call, stacks, stack, request, kind)
    if request.get("IncludeNestedStacks") and _nests(record):
        raise TemplateError("IncludeNestedStacks of nested stacks is not implemented by the sandbox")
    with call.engine.store.transaction():
        if fresh:
            if stacks.find(name) is not None:  # another request was faster
                raise AwsError("AlreadyExistsException", f"Stack [{name}] already exists")
            stacks.insert(stack)
            stacks.set_status(stack["StackId"], "REVIEW_IN_PROGRESS", "User Initiated")
        stacks.change_sets.put(f"{stack['StackId']}|{record['ChangeSetId']}", record)
    return {"Id": record["ChangeSetId"], "StackId": stack["StackId"]}


def _stack_to_create(
    call: Call, stacks: Stacks, stack: Record | None, request: dict[str, Any]
) -> tuple[Record, bool]:
    if stack is None:
        check_name(request["StackName"])
        return new_stack(call, stacks, request["StackName"], request), True
    if stack["StackStatus"] != "REVIEW_IN_PROGRESS":
        raise TemplateError(
            f"Stack [{stack['StackName']}] already exists and cannot be created again with the changeSet "
            f"[{request['ChangeSetName']}]."
        )
    return stack, False


def _planned(call: Call, stacks: Stacks, stack: Record, request: dict[str, Any], kind: str) -> Record:
    last = stack["Current"] or stack["Target"] or {"TemplateBody": None, "Parameters": {}, "Tags": None}
    body = submission.body_of(call, request, last["TemplateBody"])
    tags = submission.stack_tags(call, request, last["Tags"])
    identity = submission.identity_of(call, request, stack["Identity"])
    given = request.get("NotificationARNs") is not None
    topics = submission.topics(request) if given else stack.get("NotificationARNs") or []
    stack = stack | {"NotificationARNs": topics}  # what AWS::NotificationARNs is to be
    outline = submission.outline_of(call, stacks.place(stack), request, body, last["Parameters"])
    types = [declared["Type"] for declared in outline.template.resources.values()]
    if request.get("IncludeNestedStacks") and "AWS::CloudFormation::Stack" in types:
        raise TemplateError("IncludeNestedStacks with nested stacks is not implemented by the sandbox")
    name = request["ChangeSetName"]
    record = {
        "ChangeSetName": name,
        "ChangeSetId": f"arn:aws:cloudformation:{call.region}:{call.account}:changeSet/{name}/{uuid.uuid4()}",
        "StackId": stack["StackId"],
        "StackName": stack["StackName"],
        "Description": request.get("Description"),
        "CreationTime": call.engine.clock.now(),
        "Type": kind,
        "Identity": identity,
        "ClientToken": request.get("ClientToken"),
        "OnStackFailure": request.get("OnStackFailure"),
        "RollbackConfiguration": request.get("RollbackConfiguration"),
        "NotificationARNs": topics,
        "Target": submission.target_of(outline, request, tags),
        "Status": "CREATE_COMPLETE",
        "ExecutionStatus": "AVAILABLE",
        "StatusReason": None,
        "Changes": [],
    }
    try:
        planned = plan.make(outline, stacks, stack, tags, dynamic.values_of(lambda: call.session()))
    except TemplateError as error:
        return record | {"Status": "FAILED", "ExecutionStatus": "UNAVAILABLE", "StatusReason": error.message}
    if planned.faults:
        reason = "\n".join(planned.faults.values())
        events = [_invalid(record, name, fault, planned) for name, fault in planned.faults.items()]
        return record | {
            "Status": "FAILED",
            "ExecutionStatus": "UNAVAILABLE",
            "StatusReason": reason,
            "Events": events,
        }
    if kind == "UPDATE" and planned.empty and tags == last["Tags"]:
        return record | {"Status": "FAILED", "ExecutionStatus": "UNAVAILABLE", "StatusReason": NO_CHANGES}
    existing = stacks.resources_of(stack["StackId"])
    if kind == "IMPORT":
        record["Target"]["Imports"] = importing.imports(planned, request, call.region)
        for step in planned.steps:
            if step.action == "Add":
                step.action, step.physical_id = "Import", record["Target"]["Imports"][step.logical_id]
    causes = _causes(outline, last["Parameters"])
    record["Changes"] = [
        {"Type": "Resource", "ResourceChange": change_of(step, existing.get(step.logical_id) or {}, causes)}
        for step in planned.steps
        if step.action is not None
    ]
    return record


def _nests(record: Record) -> bool:
    return any(
        change["ResourceChange"]["ResourceType"] == "AWS::CloudFormation::Stack"
        for change in record["Changes"]
    )


def _causes(outline: Outline, before: dict[str, str]) -> Callable[[str, str], list[str]]:
    """Which parameters with another value than before a property of a resource refers to."""
    changed = {name for name, value in outline.values.given.items() if before.get(name, value) != value}

    def causes(name: str, path: str) -> list[str]:
        declared = outline.active[name].get("Properties", {}).get(path.split("/")[0])
        return sorted({found for kind, found in references(declared) if kind == "Ref" and found in changed})

    return causes


def _invalid(record: Record, name: str, fault: str, planned: plan.Plan) -> Record:
    """The event that tells of a resource whose properties failed validation."""
    return {
        "EventId": str(uuid.uuid4()),
        "StackId": record["StackId"],
        "OperationId": record["ChangeSetId"].rpartition("/")[2],
        "OperationType": "CREATE_CHANGESET",
        "EventType": "VALIDATION_ERROR",
        "LogicalResourceId": name,
        "ResourceType": planned.outline.active[name]["Type"],
        "Timestamp": record["CreationTime"],
        "ValidationFailureMode": "FAIL",
        "ValidationName": "PROPERTY_VALIDATION",
        "ValidationStatus": "FAILED",
        "ValidationStatusReason": fault,
        "ValidationPath": f"/Resources/{name}/Properties",
    }


@operation("cloudformation", "DescribeChangeSet")
def describe_change_set(
    call: Call,
    ChangeSetName: str,
    StackName: str | None = None,
    NextToken: str | None = None,
    IncludePropertyValues: bool | None = None,
) -> dict[str, Any]:
    record = stacks_of(call).change_set(ChangeSetName, StackName)
    changes, token = page(record["Changes"], NextToken, error="ValidationError")
    if not IncludePropertyValues:
        changes = [without_values(change) for change in changes]
    target = record["Target"]
    return _summary(record) | {
        "Parameters": parameters_of(target),
        "Capabilities": target["Capabilities"],
        "Tags": tags_of(target),
        "NotificationARNs": record.get("NotificationARNs") or [],
        "RollbackConfiguration": record.get("RollbackConfiguration") or {},
        "OnStackFailure": record.get("OnStackFailure"),
        "Changes": changes,
        "NextToken": token,
        "IncludeNestedStacks": False,
    }


def _summary(record: Record) -> dict[str, Any]:
    names = (
        "ChangeSetName",
        "ChangeSetId",
        "StackId",
        "StackName",
        "Description",
        "CreationTime",
        "Status",
        "StatusReason",
        "ExecutionStatus",
    )
    return {name: record.get(name) for name in names}


@operation("cloudformation", "ListChangeSets")
def list_change_sets(call: Call, StackName: str, NextToken: str | None = None) -> dict[str, Any]:
    stacks = stacks_of(call)
    stack = stacks.find(StackName)
    if stack is None:
        raise TemplateError(f"Stack [{StackName}] does not exist")
    records = stacks.change_sets.list(f"{stack['StackId']}|")
    items, token = page(records, NextToken, error="ValidationError")
    return {"Summaries": [_summary(record) for record in items], "NextToken": token}


@operation("cloudformation", "DeleteChangeSet")
def delete_change_set(call: Call, ChangeSetName: str, StackName: str | None = None) -> dict[str, Any]:
    stacks = stacks_of(call)
    try:
        record = stacks.change_set(ChangeSetName, StackName)
    except AwsError as error:
        if error.code == "ChangeSetNotFound":
            return {}
        raise
    if record["ExecutionStatus"] == "EXECUTE_IN_PROGRESS":
        raise AwsError(
            "InvalidChangeSetStatus",
            f"ChangeSet [{record['ChangeSetId']}] cannot be deleted in its current execution status",
        )
    stacks.change_sets.delete(f"{record['StackId']}|{record['ChangeSetId']}")
    return {}


@operation("cloudformation", "ExecuteChangeSet")
def execute_change_set(call: Call, **request: Any) -> dict[str, Any]:
    submission.refuse(request)
    stacks = stacks_of(call)
    with call.engine.store.transaction():
        record = stacks.change_set(request["ChangeSetName"], request.get("StackName"))
        if record["ExecutionStatus"] != "AVAILABLE":
            raise AwsError(
                "InvalidChangeSetStatus",
                f"ChangeSet [{record['ChangeSetId']}] cannot be executed in its current status of "
                f"[{record['Status']}]",
            )
        stack = stacks.get(record["StackId"])
        starts = {"CREATE": "CREATE_IN_PROGRESS", "IMPORT": "IMPORT_IN_PROGRESS"}
        creating = record["Type"] == "CREATE"
        if record["Type"] == "IMPORT" and stack["StackStatus"] == "REVIEW_IN_PROGRESS":
            pass  # a stack that begins with what it imports
        elif not creating:
            check_updatable(stack)
        elif stack["StackStatus"] != "REVIEW_IN_PROGRESS":
            raise TemplateError(
                f"Stack:{stack['StackId']} is in {stack['StackStatus']} state and can not be created."
            )
        target = record["Target"]
        target["RetainExceptOnCreate"] = bool(request.get("RetainExceptOnCreate"))
        if request.get("DisableRollback"):
            target["OnFailure"] = "DO_NOTHING"
        elif record.get("OnStackFailure"):
            target["OnFailure"] = record["OnStackFailure"]
        stack |= {
            "Identity": record["Identity"],
            "ChangeSetId": record["ChangeSetId"],
            "ClientRequestToken": request.get("ClientRequestToken"),
            "LastOperation": "EXECUTE",
            "NotificationARNs": record.get("NotificationARNs") or [],
        }
        if record.get("RollbackConfiguration") is not None:
            stack["RollbackConfiguration"] = record["RollbackConfiguration"]
        for other in stacks.change_sets.list(f"{stack['StackId']}|"):
            if other["ChangeSetId"] != record["ChangeSetId"]:
                stacks.change_sets.delete(f"{stack['StackId']}|{other['ChangeSetId']}")
        record["ExecutionStatus"] = "EXECUTE_COMPLETE"
        stacks.change_sets.put(f"{stack['StackId']}|{record['ChangeSetId']}", record)
        begin(stacks, stack, target, starts.get(record["Type"], "UPDATE_IN_PROGRESS"))
    return {}
