"""Operations on what protects a stack: termination protection and the stack policy."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import Call, operation
from sandbox.services.cloudformation.operations import submission
from sandbox.services.cloudformation.operations.stacks import living, stacks_of
from sandbox.services.cloudformation.template.errors import TemplateError


@operation("cloudformation", "UpdateTerminationProtection")
def update_termination_protection(
    call: Call, StackName: str, EnableTerminationProtection: bool
) -> dict[str, Any]:
    stacks = stacks_of(call)
    with call.engine.store.transaction():
        stack = living(stacks, StackName)
        if stack.get("ParentId"):
            raise TemplateError(
                "UpdateTerminationProtection cannot be performed on nested stacks; use the root stack"
            )
        stacks.put(stack | {"EnableTerminationProtection": EnableTerminationProtection})
    return {"StackId": stack["StackId"]}


@operation("cloudformation", "SetStackPolicy")
def set_stack_policy(call: Call, **request: Any) -> None:
    stacks = stacks_of(call)
    body = submission.stack_policy(call, request)
    if not body:
        raise TemplateError("You must specify either the StackPolicyBody or the StackPolicyURL")
    with call.engine.store.transaction():
        stack = living(stacks, request["StackName"])
        stacks.put(stack | {"StackPolicy": body})


@operation("cloudformation", "GetStackPolicy")
def get_stack_policy(call: Call, StackName: str) -> dict[str, Any]:
    return {"StackPolicyBody": living(stacks_of(call), StackName).get("StackPolicy")}
