"""The task of a stack: whatever phase its status says, until none is left."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sandbox.engine.tasks import task
from sandbox.services.cloudformation.deploy import delete, forward, imports, notify, rollback
from sandbox.services.cloudformation.deploy.operation import Operation, expected_failures, stop_phase
from sandbox.services.cloudformation.stack.records import Stacks

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine

log = logging.getLogger(__name__)

__all__ = ["notify", "run", "submit", "time_out"]

TASK = "cloudformation.stack"
TIMEOUT = "cloudformation.timeout"

_PHASES = {
    "CREATE_IN_PROGRESS": forward.create,
    "ROLLBACK_IN_PROGRESS": rollback.of_create,
    "UPDATE_IN_PROGRESS": forward.update,
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": rollback.cleanup,
    "UPDATE_ROLLBACK_IN_PROGRESS": rollback.of_update,
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": rollback.cleanup_after_rollback,
    "DELETE_IN_PROGRESS": delete.delete_stack,
    "IMPORT_IN_PROGRESS": imports.run,
    "IMPORT_ROLLBACK_IN_PROGRESS": imports.roll_back,
}
_FAILED = {
    "CREATE_IN_PROGRESS": "ROLLBACK_IN_PROGRESS",
    "UPDATE_IN_PROGRESS": "UPDATE_FAILED",
    "ROLLBACK_IN_PROGRESS": "ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_IN_PROGRESS": "UPDATE_ROLLBACK_FAILED",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_ROLLBACK_COMPLETE",
    "DELETE_IN_PROGRESS": "DELETE_FAILED",
    "IMPORT_IN_PROGRESS": "IMPORT_ROLLBACK_IN_PROGRESS",
    "IMPORT_ROLLBACK_IN_PROGRESS": "IMPORT_ROLLBACK_FAILED",
}


def submit(stacks: Stacks, stack_id: str) -> None:
    """Starts (or lets go on) the operation that the stack's record describes."""
    stacks.engine.tasks.submit(TASK, stack_id, {"account": stacks.account, "region": stacks.region})


@task(TASK)
def run(engine: Engine, key: str, payload: dict[str, Any]) -> None:
    """Advances a stack until it rests. Idempotent: what is done is recorded resource by resource."""
    stacks = Stacks(engine, payload["account"], payload["region"])
    operation = Operation(engine, stacks, key)
    try:
        while (status := operation.next_phase()) is not None:
            phase = _PHASES.get(status)
            if phase is None:
                return
            try:
                phase(operation)
            except expected_failures() as error:
                # The principal is gone, or what the template refers to outside of the stack is.
                text = getattr(error, "message", str(error))
                stacks.set_status(key, _FAILED[status], text, expected=status)
            except Exception as error:
                log.exception("stack %s in %s", key, status)
                stacks.set_status(key, _FAILED[status], f"Internal failure: {error!r}", expected=status)
    finally:
        operation.close()


@task(TIMEOUT)
def time_out(engine: Engine, key: str, payload: dict[str, Any]) -> None:
    """Ends a creation that is still running after its TimeoutInMinutes."""
    stacks = Stacks(engine, payload["account"], payload["region"])
    with engine.store.transaction():
        stack = stacks.stacks.get(key)
        if stack is None or stack["StackStatus"] != "CREATE_IN_PROGRESS":
            return
        if stack["Target"]["Id"] != payload["target"]:
            return
        stack["TimedOut"] = True
        stacks.put(stack)
        stop_phase(engine, key)
