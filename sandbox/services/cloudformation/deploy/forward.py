"""Creation and update of a stack, up to the point where it succeeds or turns back."""

from __future__ import annotations

from sandbox.services.cloudformation.deploy import monitoring, resource
from sandbox.services.cloudformation.deploy.operation import Operation, expected_failures
from sandbox.services.cloudformation.deploy.order import run_in_order
from sandbox.services.cloudformation.resources.handler import Stopped
from sandbox.services.cloudformation.stack import existing, outputs, plan
from sandbox.services.cloudformation.stack.lookups import Live
from sandbox.services.cloudformation.stack.outline import Outline
from sandbox.services.cloudformation.stack.records import Record
from sandbox.services.cloudformation.template.evaluate import Evaluator


def create(operation: Operation) -> None:
    """CREATE_IN_PROGRESS to CREATE_COMPLETE, or to what OnFailure asks for."""
    target = operation.stack["Target"]
    fault = _deploy(operation, target, "create")
    if fault is None:
        operation.stacks.set_status(
            operation.stack_id, "CREATE_COMPLETE", expected="CREATE_IN_PROGRESS", Current=target, Target=None
        )
        return
    if operation.stack.get("TimedOut"):
        fault = "Stack creation time exceeded the specified timeout."
    status = {"DO_NOTHING": "CREATE_FAILED", "DELETE": "DELETE_IN_PROGRESS"}.get(
        target["OnFailure"], "ROLLBACK_IN_PROGRESS"
    )
    by_user = status != "CREATE_FAILED"
    reason = (
        f"{fault} {'Delete' if status.startswith('DELETE') else 'Rollback'} requested by user."
        if by_user
        else fault
    )
    operation.stacks.set_status(operation.stack_id, status, reason, expected="CREATE_IN_PROGRESS")


def update(operation: Operation) -> None:
    """UPDATE_IN_PROGRESS to the cleanup after it, or to its rollback."""
    stack = operation.stack
    target = stack["Target"]
    fault = _deploy(operation, target, "update")
    if fault is None:
        operation.stacks.set_status(
            operation.stack_id,
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            expected="UPDATE_IN_PROGRESS",
            Current=target,
            Target=None,
        )
        return
    if stack.get("Cancelled") == target["Id"] or operation.stack.get("Cancelled") == target["Id"]:
        fault = "User Initiated"
    # A stack that was never complete has nothing to go back to but nothing.
    back = "UPDATE_ROLLBACK_IN_PROGRESS" if stack["Current"] else "ROLLBACK_IN_PROGRESS"
    status = "UPDATE_FAILED" if target["OnFailure"] == "DO_NOTHING" else back
    operation.stacks.set_status(operation.stack_id, status, fault, expected="UPDATE_IN_PROGRESS")


def _deploy(operation: Operation, target: Record, verb: str) -> str | None:
    """Deploys every resource and the outputs; returns what went wrong, or None."""
    stack = operation.stack
    if stack.get("Cancelled") == target["Id"] or stack.get("TimedOut"):
        operation.stop.set()  # asked for before this run of the task began
    try:
        outline = operation.outline(target)
        existing.check(outline.values, operation.session(), operation.stacks.region)
        planned = plan.make(outline, operation.stacks, operation.stack, target["Tags"], operation.stored)
    except expected_failures() as error:  # an import, a stored parameter or the principal is gone
        return f"{getattr(error, 'message', error)}."
    failed = sorted(planned.faults)
    if failed:
        for name in failed:
            _refuse(operation, outline, target, name, planned.faults[name])
    else:
        failed = run_in_order(
            outline.edges, lambda name: resource.deploy(operation, outline, target, name), stop=operation.stop
        )
    if failed or operation.stop.is_set():
        kind = _verb_of(operation, failed) if verb == "update" else verb
        names = ", ".join(failed)
        return f"The following resource(s) failed to {kind}: [{names}]." if failed else "Operation cancelled."
    return _publish(operation, outline) or _watched(operation, target)


def _watched(operation: Operation, target: Record) -> str | None:
    try:
        return monitoring.watch(operation, target)
    except Stopped:
        return "Operation cancelled."
    except expected_failures() as error:  # an alarm that cannot be read is no reason to go on
        return f"{getattr(error, 'message', error)}."


def _verb_of(operation: Operation, failed: list[str]) -> str:
    records = [operation.stacks.resource(operation.stack_id, name) for name in failed]
    created = any(record and record["ResourceStatus"] == "CREATE_FAILED" for record in records)
    return "create" if created else "update"


def _refuse(operation: Operation, outline: Outline, target: Record, name: str, fault: str) -> None:
    """Records a resource that failed validation before anything was touched."""
    stacks = operation.stacks
    record = stacks.resource(operation.stack_id, name)
    if record is not None and record.get("PhysicalResourceId"):
        resource.touch(record, target)
        stacks.set_resource_status(operation.stack, record, "UPDATE_FAILED", fault)
        return
    record = resource.new(outline, name)
    resource.touch(record, target)
    stacks.set_resource_status(operation.stack, record, "CREATE_FAILED", fault)


def _publish(operation: Operation, outline: Outline) -> str | None:
    live = Live(operation.stacks, operation.stack_id, operation.stored)
    evaluator = Evaluator(outline.template, outline.values, outline.place, live)
    try:
        found = outputs.evaluate(evaluator, outline)
        with operation.engine.store.transaction():
            stack = operation.stack
            outputs.check_exports(operation.stacks, stack, found)
            outputs.publish(operation.stacks, operation.stack_id, found, outline.imports())
            stack["Outputs"] = found
            operation.stacks.put(stack)
    except expected_failures() as error:
        return f"{getattr(error, 'message', error)}."
    return None
