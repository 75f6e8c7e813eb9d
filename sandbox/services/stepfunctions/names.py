"""Names of state machines, executions and activities, and what a request's ARN stands for."""

from __future__ import annotations

import json
import re
from typing import Any

from sandbox.engine.operations import AwsError, Call
from sandbox.services.stepfunctions.execution import arns
from sandbox.services.stepfunctions.execution.run import Run
from sandbox.services.stepfunctions.language.errors import LIMIT

_BAD = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]")
LONGEST = 80


def check_name(name: str) -> None:
    """InvalidName for a name that has characters which names may not have."""
    if not name or len(name) > LONGEST or _BAD.search(name):
        raise AwsError("InvalidName", f"Invalid Name: '{name}'")


def machine_of(call: Call, text: str) -> tuple[dict[str, Any], str | None]:
    """The machine of an ARN, and the qualifier that the ARN ends in. StateMachineDoesNotExist."""
    arn = arns.parse(text, "stateMachine")
    name, _, qualifier = arn.rest.partition(":")
    record = call.records("machine").get(name) if arn.region == call.region else None
    if record is None or arn.account != call.account:
        raise AwsError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{text}'")
    return record, qualifier or None


def unqualified(call: Call, text: str) -> dict[str, Any]:
    """The machine of an ARN without version or alias. ValidationException for one with."""
    record, qualifier = machine_of(call, text)
    if qualifier:
        raise AwsError(
            "ValidationException", f"Invalid Arn: 'Resource type not valid in this context: {text}'"
        )
    return record


def run_of(call: Call, text: str) -> Run:
    """The execution of an ARN. ExecutionDoesNotExist."""
    arn = arns.parse(text, "execution", "express")
    if arn.kind == "express":
        raise AwsError(
            "InvalidArn", f"Invalid Arn: 'Resource type not valid in this context: {text.split(':')[5]}'"
        )
    run = Run(call.engine, arn.account, arn.region, arn.rest)
    if call.account != arn.account or run.records("execution").get(run.key) is None:
        raise AwsError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{text}'")
    return run


def input_of(text: str | None) -> Any:
    """The input of an execution as JSON. InvalidExecutionInput."""
    body = "{}" if text is None else text
    if len(body.encode()) > LIMIT:
        raise AwsError(
            "InvalidExecutionInput",
            "Invalid State Machine Execution Input: 'Input exceeds the maximum size of 262144 bytes'",
        )
    try:
        return json.loads(body)
    except ValueError as error:
        raise AwsError(
            "InvalidExecutionInput", f"Invalid State Machine Execution Input: '{_problem(error)}'"
        ) from error


def _problem(error: ValueError) -> str:
    return f"{error}"
