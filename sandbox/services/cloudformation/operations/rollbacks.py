"""Operations that turn a deployment back: CancelUpdateStack, ContinueUpdateRollback, RollbackStack."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import Call, operation
from sandbox.services.cloudformation.deploy.operation import stop_phase
from sandbox.services.cloudformation.deploy.run import submit
from sandbox.services.cloudformation.operations import submission
from sandbox.services.cloudformation.operations.stacks import living, stacks_of
from sandbox.services.cloudformation.stack.records import Record, Stacks, start_operation
from sandbox.services.cloudformation.template.errors import TemplateError


@operation("cloudformation", "CancelUpdateStack")
def cancel_update_stack(call: Call, StackName: str, ClientRequestToken: str | None = None) -> None:
    stacks = stacks_of(call)
    stack = living(stacks, StackName)
    with call.engine.store.transaction():
        stack = stacks.get(stack["StackId"])
        if stack["StackStatus"] != "UPDATE_IN_PROGRESS":
            raise TemplateError("CancelUpdateStack cannot be called from current stack status")
        stacks.put(stack | {"Cancelled": stack["Target"]["Id"]})
        stop_phase(call.engine, stack["StackId"])


@operation("cloudformation", "ContinueUpdateRollback")
def continue_update_rollback(call: Call, **request: Any) -> dict[str, Any]:
    submission.refuse(request, "ForceRollback")
    stacks = stacks_of(call)
    stack = living(stacks, request["StackName"])
    skip = request.get("ResourcesToSkip") or []
    for name in skip:
        record = stacks.resource(stack["StackId"], name)
        if record is None or record["ResourceStatus"] != "UPDATE_FAILED":
            raise TemplateError(
                f"Resource [{name}] cannot be skipped: only resources in the UPDATE_FAILED state can be"
            )
    _go_back(
        call,
        stacks,
        stack,
        request,
        {"UPDATE_ROLLBACK_FAILED": "UPDATE_ROLLBACK_IN_PROGRESS"},
        {"Skip": skip},
    )
    return {}


@operation("cloudformation", "RollbackStack")
def rollback_stack(call: Call, **request: Any) -> dict[str, Any]:
    submission.refuse(request)
    stacks = stacks_of(call)
    stack = living(stacks, request["StackName"])
    ways = {
        "CREATE_FAILED": "ROLLBACK_IN_PROGRESS",
        "UPDATE_FAILED": "UPDATE_ROLLBACK_IN_PROGRESS" if stack["Current"] else "ROLLBACK_IN_PROGRESS",
    }
    _go_back(call, stacks, stack, request, ways, {})
    started = stacks.get(stack["StackId"])["Operation"]
    return {"StackId": stack["StackId"], "OperationId": started["OperationId"]}


def _go_back(
    call: Call, stacks: Stacks, stack: Record, request: dict[str, Any], ways: dict[str, str], members: Record
) -> None:
    identity = submission.identity_of(call, request, stack["Identity"])
    with call.engine.store.transaction():
        stack = stacks.get(stack["StackId"])
        status = ways.get(stack["StackStatus"])
        if status is None:
            raise TemplateError(
                f"Stack:{stack['StackId']} is in {stack['StackStatus']} state and can not be rolled back."
            )
        stack |= {"Identity": identity, "ClientRequestToken": request.get("ClientRequestToken"), **members}
        if request.get("RetainExceptOnCreate") and stack["Target"]:
            stack["Target"]["RetainExceptOnCreate"] = True
        start_operation(stack, "CONTINUE_ROLLBACK" if "Skip" in members else "ROLLBACK")
        stacks.put(stack)
        stacks.set_status(stack["StackId"], status, "User Initiated")
        submit(stacks, stack["StackId"])
