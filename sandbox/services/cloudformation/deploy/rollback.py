"""The way back: of a creation, of an update; and the cleanup after an update."""

from __future__ import annotations

from sandbox.services.cloudformation.deploy import resource
from sandbox.services.cloudformation.deploy.delete import delete_all, forget_retired, with_retired
from sandbox.services.cloudformation.deploy.operation import Operation
from sandbox.services.cloudformation.deploy.order import reversed_edges, run_in_order
from sandbox.services.cloudformation.stack import outputs
from sandbox.services.cloudformation.stack.outline import Outline
from sandbox.services.cloudformation.stack.records import Record


def of_create(operation: Operation) -> None:
    """ROLLBACK_IN_PROGRESS: deletes what the creation made, but for what is to be retained."""
    records = with_retired(operation)
    everything = (operation.stack["Target"] or {}).get("RetainExceptOnCreate")
    failed = delete_all(
        operation, records, retain=lambda record: record["DeletionPolicy"] == "Retain" and not everything
    )
    with operation.engine.store.transaction():
        outputs.publish(operation.stacks, operation.stack_id, [], set())
        if not failed:
            forget_retired(operation)
        if failed:
            reason = f"The following resource(s) failed to delete: [{', '.join(failed)}]. "
            operation.stacks.set_status(
                operation.stack_id, "ROLLBACK_FAILED", reason, expected="ROLLBACK_IN_PROGRESS"
            )
        else:
            operation.stacks.set_status(
                operation.stack_id, "ROLLBACK_COMPLETE", expected="ROLLBACK_IN_PROGRESS"
            )


def of_update(operation: Operation) -> None:
    """UPDATE_ROLLBACK_IN_PROGRESS: every touched resource goes back to what it was."""
    stacks = operation.stacks
    stack = operation.stack
    target = stack["Target"]
    skipped = set(stack.get("Skip") or [])
    records = {
        name: record
        for name, record in stacks.resources_of(operation.stack_id).items()
        if resource.touched(record, target) and name not in skipped
    }
    for name in skipped:
        record = stacks.resource(operation.stack_id, name)
        if record is not None:
            stacks.set_resource_status(stack, record, "UPDATE_COMPLETE", "Resource skipped during rollback")
    edges = {name: (record.get("Before") or record)["DependsOn"] or [] for name, record in records.items()}
    failed = run_in_order(edges, lambda name: resource.restore(operation, target, name), stop=operation.stop)
    if failed:
        reason = f"The following resource(s) failed to update: [{', '.join(failed)}]. "
        stacks.set_status(
            operation.stack_id, "UPDATE_ROLLBACK_FAILED", reason, expected="UPDATE_ROLLBACK_IN_PROGRESS"
        )
        return
    with operation.engine.store.transaction():
        _restore_outputs(operation)
        stacks.set_status(
            operation.stack_id,
            "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
            expected="UPDATE_ROLLBACK_IN_PROGRESS",
            Skip=None,
        )


def _restore_outputs(operation: Operation) -> None:
    """Exports are as the last outputs that were published say; imports as the current template's."""
    stack = operation.stack
    current: Outline = operation.outline(stack["Current"])
    outputs.publish(operation.stacks, operation.stack_id, stack.get("Outputs", []), current.imports())


def cleanup(operation: Operation) -> None:
    """After a successful update: deletes what it replaced and what the template no longer has."""
    current = operation.stack["Current"]
    outline = operation.outline(current)
    stacks = operation.stacks
    removed = {
        name: record
        for name, record in stacks.resources_of(operation.stack_id).items()
        if name not in outline.active
        and record["ResourceStatus"] not in ("DELETE_COMPLETE", "DELETE_SKIPPED")
    }
    _delete_old(operation, removed)
    for name in stacks.resources_of(operation.stack_id):
        if name not in outline.active:
            stacks.resources.delete(f"{operation.stack_id}|{name}")
    stacks.set_status(operation.stack_id, "UPDATE_COMPLETE", expected="UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")


def cleanup_after_rollback(operation: Operation) -> None:
    """After a rolled back update: deletes what the update had made."""
    stacks = operation.stacks
    target = operation.stack["Target"]
    made = {
        name: record
        for name, record in stacks.resources_of(operation.stack_id).items()
        if resource.touched(record, target) and record.get("Before") is None
    }
    for record in made.values():
        # RetainExceptOnCreate: the operation that made the resource is the one rolled back.
        if record["DeletionPolicy"] == "RetainExceptOnCreate" or target.get("RetainExceptOnCreate"):
            record["DeletionPolicy"] = "Delete"
    _delete_old(operation, made)
    for name in made:
        stacks.resources.delete(f"{operation.stack_id}|{name}")
    stacks.set_status(
        operation.stack_id,
        "UPDATE_ROLLBACK_COMPLETE",
        expected="UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        Target=None,
    )


def _delete_old(operation: Operation, records: dict[str, Record]) -> None:
    """Deletes resources and retired predecessors, dependents first. What fails stays behind, as on AWS."""
    retired = operation.stacks.retired.list(f"{operation.stack_id}|")
    nodes: dict[str, tuple[Record, bool]] = {}
    for record in retired:
        keep = record["Why"] == "Replaced" and record["UpdateReplacePolicy"] == "Retain"
        nodes[f"{record['LogicalResourceId']}|{record['PhysicalResourceId']}"] = (record, keep)
    for name, record in records.items():
        keep = record["DeletionPolicy"] in ("Retain", "RetainExceptOnCreate")
        nodes[f"{name}|"] = (record, keep)
    edges = {
        key: [
            other
            for other in nodes
            if other != key and other.split("|", 1)[0] in (record.get("DependsOn") or [])
        ]
        for key, (record, _) in nodes.items()
    }

    def remove(key: str) -> bool:
        record, keep = nodes[key]
        done = resource.delete(operation, record, keep)
        logical_id, physical_id = key.split("|", 1)
        if physical_id:
            operation.stacks.retired.delete(f"{operation.stack_id}|{logical_id}|{physical_id}")
        elif done:
            operation.stacks.put_resource(operation.stack_id, record)
        return True

    run_in_order(reversed_edges(edges), remove, keep_going=True)
