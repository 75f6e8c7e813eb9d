"""SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat: what callbacks and activity workers answer."""

from __future__ import annotations

import json
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.stepfunctions.execution.run import ADVANCE, SERVICE
from sandbox.services.stepfunctions.language.errors import LIMIT


def _open(call: Call, token: str) -> dict[str, Any]:
    """InvalidToken for what is no token of ours, TaskTimedOut for a task that is over."""
    record = call.records("token").get(token)
    if record is None:
        raise AwsError("InvalidToken", "Invalid Token: 'Invalid token'")
    if record["status"] != "OPEN":
        raise AwsError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
    return record


def _answer(call: Call, token: str, **changes: Any) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = _open(call, token)
        call.records("token").put(token, record | changes)
        call.engine.tasks.submit(ADVANCE, record["task"])
    return {}


@operation(SERVICE, "SendTaskSuccess")
def send_task_success(call: Call, taskToken: str, output: str) -> dict[str, Any]:
    try:
        json.loads(output)
    except ValueError as error:
        raise AwsError("InvalidOutput", f"Invalid Output: '{error}'") from error
    if len(output.encode()) > LIMIT:
        raise AwsError("InvalidOutput", "Invalid Output: 'Output exceeds the maximum size of 262144 bytes'")
    return _answer(call, taskToken, status="SUCCEEDED", output=output)


@operation(SERVICE, "SendTaskFailure")
def send_task_failure(
    call: Call, taskToken: str, error: str | None = None, cause: str | None = None
) -> dict[str, Any]:
    return _answer(call, taskToken, status="FAILED", error=error, cause=cause)


@operation(SERVICE, "SendTaskHeartbeat")
def send_task_heartbeat(call: Call, taskToken: str) -> dict[str, Any]:
    return _answer(call, taskToken, beat=call.engine.clock.now())
