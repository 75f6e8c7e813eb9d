"""Deletion of stacks."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.services.cloudformation.deploy import resource
from sandbox.services.cloudformation.deploy.operation import Operation
from sandbox.services.cloudformation.deploy.order import reversed_edges, run_in_order
from sandbox.services.cloudformation.stack import outputs
from sandbox.services.cloudformation.stack.records import Record
from sandbox.services.cloudformation.template.errors import TemplateError

_GONE = ("DELETE_COMPLETE", "DELETE_SKIPPED")


def delete_all(
    operation: Operation, records: dict[str, Record], retain: Callable[[Record], bool]
) -> list[str]:
    """Deletes resources, dependents first; returns the logical ids of those that failed."""
    left = {name: record for name, record in records.items() if record["ResourceStatus"] not in _GONE}
    edges = {name: record.get("DependsOn") or [] for name, record in left.items()}

    def remove(name: str) -> bool:
        record = left[name]
        done = resource.delete(operation, record, retain(record))
        if name == record["LogicalResourceId"]:  # a retired predecessor is no resource of the stack any more
            operation.stacks.put_resource(operation.stack_id, record)
        return done

    return run_in_order(reversed_edges(edges), remove, keep_going=True)


def with_retired(operation: Operation) -> dict[str, Record]:
    """The stack's resources, and the predecessors that an unfinished update set aside."""
    records = operation.stacks.resources_of(operation.stack_id)
    for record in operation.stacks.retired.list(f"{operation.stack_id}|"):
        key = f"{record['LogicalResourceId']} ({record['PhysicalResourceId']})"
        records[key] = record | {"ResourceStatus": "UPDATE_COMPLETE"}
    return records


def forget_retired(operation: Operation) -> None:
    for key in operation.stacks.retired.keys(f"{operation.stack_id}|"):
        operation.stacks.retired.delete(key)


def delete_stack(operation: Operation) -> None:
    """DELETE_IN_PROGRESS to DELETE_COMPLETE or DELETE_FAILED."""
    stacks, stack = operation.stacks, operation.stack
    try:
        outputs.check_removal(stacks, stack, keep=set())
    except TemplateError as error:
        stacks.set_status(operation.stack_id, "DELETE_FAILED", error.message, expected="DELETE_IN_PROGRESS")
        return
    kept = set(stack.get("RetainResources") or [])
    records = with_retired(operation)
    created = stack.get("Current") is not None

    def retain(record: Record) -> bool:
        if record["LogicalResourceId"] in kept:
            return True
        if not created and (stack["Target"] or {}).get("RetainExceptOnCreate"):
            return False
        return record["DeletionPolicy"] == "Retain" or (
            record["DeletionPolicy"] == "RetainExceptOnCreate" and created
        )

    failed = delete_all(operation, records, retain)
    if failed and stack.get("DeletionMode") == "FORCE_DELETE_STACK":
        delete_all(operation, records, lambda record: True)  # what cannot be deleted is left behind
    elif failed:
        reason = f"The following resource(s) failed to delete: [{', '.join(failed)}]. "
        stacks.set_status(operation.stack_id, "DELETE_FAILED", reason, expected="DELETE_IN_PROGRESS")
        return
    with operation.engine.store.transaction():
        outputs.publish(stacks, operation.stack_id, [], set())
        forget_retired(operation)
        for record in stacks.change_sets.list(f"{operation.stack_id}|"):
            stacks.change_sets.delete(f"{operation.stack_id}|{record['ChangeSetId']}")
        stacks.set_status(operation.stack_id, "DELETE_COMPLETE", expected="DELETE_IN_PROGRESS")
