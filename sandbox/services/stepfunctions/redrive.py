"""RedriveExecution."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.stepfunctions.execution.reviving import redrive
from sandbox.services.stepfunctions.execution.run import SERVICE
from sandbox.services.stepfunctions.names import run_of

_PERIOD = 14 * 86400


@operation(SERVICE, "RedriveExecution")
def redrive_execution(call: Call, executionArn: str, clientToken: str | None = None) -> dict[str, Any]:
    run = run_of(call, executionArn)
    with call.engine.store.transaction():
        execution = run.execution()
        if clientToken is not None and execution.get("redriveToken") == clientToken:
            return {"redriveDate": execution["redriven"]}
        reason = _reason(call, execution)
        if reason:
            raise AwsError("ExecutionNotRedrivable", reason)
        redrive(run)
        execution = run.execution() | {"redriveToken": clientToken}
        run.records("execution").put(run.key, execution)
    return {"redriveDate": execution["redriven"]}


def _reason(call: Call, execution: dict[str, Any]) -> str | None:
    """Why an execution cannot be redriven."""
    if execution["status"] in ("RUNNING", "SUCCEEDED"):
        return f"Execution is {execution['status']} and cannot be redriven"
    if execution.get("mapRunArn"):
        return "Execution is part of a Map Run and can only be redriven with it"
    if call.engine.clock.now() - execution["stopped"] > _PERIOD:
        return "Execution has exceeded the redrivable period of 14 days"
    return None
