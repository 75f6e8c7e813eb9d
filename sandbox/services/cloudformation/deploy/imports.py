"""Import: resources that exist already become part of a stack, as they are.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources.html
"""

from __future__ import annotations

from dataclasses import replace

from sandbox.services.cloudformation.deploy import resource
from sandbox.services.cloudformation.deploy.operation import Operation, expected_failures
from sandbox.services.cloudformation.resources import live
from sandbox.services.cloudformation.stack.outline import Outline
from sandbox.services.cloudformation.stack.records import Record

_TAGGING = "Apply stack-level tags to imported resource if applicable."


def run(operation: Operation) -> None:
    """IMPORT_IN_PROGRESS to IMPORT_COMPLETE, or to its rollback."""
    target = operation.stack["Target"]
    outline = operation.outline(target)
    order = [name for name in outline.order() if name in target["Imports"]]
    failed = next((name for name in order if not _take(operation, outline, target, name)), None)
    if failed is None:
        operation.stacks.set_status(
            operation.stack_id, "IMPORT_COMPLETE", expected="IMPORT_IN_PROGRESS", Current=target, Target=None
        )
        return
    reason = f"The following resource(s) failed to import: [{failed}]."
    operation.stacks.set_status(
        operation.stack_id, "IMPORT_ROLLBACK_IN_PROGRESS", reason, expected="IMPORT_IN_PROGRESS"
    )


def _take(operation: Operation, outline: Outline, target: Record, name: str) -> bool:
    stacks, stack = operation.stacks, operation.stack
    record = stacks.resource(operation.stack_id, name) or resource.new(outline, name)
    if record.get("Done") == target["Id"]:
        return True
    try:
        record |= resource.wanted(operation, outline, target, name)
        record |= {"PhysicalResourceId": target["Imports"][name], "Started": target["Id"]}
        stacks.set_resource_status(stack, record, "IMPORT_IN_PROGRESS", "Resource import started.")
        answer = live.read(operation.request(record))
        if answer is None:
            raise resource.ResourceFailed(
                f"Resource of type '{record['ResourceType']}' with identifier "
                f"'{target['Imports'][name]}' was not found."
            )
        record["PhysicalResourceId"] = live.physical_id(
            record["ResourceType"], answer, record["PhysicalResourceId"]
        )
        record["Attributes"] = live.LIVE[record["ResourceType"]].attributes(operation.request(record), answer)
        stacks.set_resource_status(stack, record, "IMPORT_COMPLETE", "Resource import completed.")
        stacks.set_resource_status(stack, record, "UPDATE_IN_PROGRESS", _TAGGING)
        request = operation.request(record)
        operation.handler(record["ResourceType"]).update(replace(request, previous=request.properties))
    except expected_failures() as error:
        text = resource.reason(
            record["ResourceType"], record.get("PhysicalResourceId") or "", record["Token"], error
        )
        stacks.set_resource_status(stack, record, "IMPORT_FAILED", text)
        return False
    record["Done"] = target["Id"]
    stacks.set_resource_status(stack, record, "UPDATE_COMPLETE")
    return True


def roll_back(operation: Operation) -> None:
    """Lets go of what was imported: nothing is deleted."""
    stacks = operation.stacks
    target = operation.stack["Target"]
    for name in target["Imports"]:
        record = stacks.resource(operation.stack_id, name)
        if record is not None:
            stacks.resource_event(operation.stack, record, "IMPORT_ROLLBACK_IN_PROGRESS")
            stacks.resource_event(operation.stack, record, "IMPORT_ROLLBACK_COMPLETE")
            stacks.resources.delete(f"{operation.stack_id}|{name}")
    stacks.set_status(
        operation.stack_id, "IMPORT_ROLLBACK_COMPLETE", expected="IMPORT_ROLLBACK_IN_PROGRESS", Target=None
    )
