"""GetExecutionHistory."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import Call, operation
from sandbox.engine.pagination import page
from sandbox.services.stepfunctions.execution.run import SERVICE
from sandbox.services.stepfunctions.names import run_of

_DATA = frozenset({"input", "output", "inputDetails", "outputDetails", "parameters", "assignedVariables"})


@operation(SERVICE, "GetExecutionHistory")
def get_execution_history(
    call: Call,
    executionArn: str,
    maxResults: int | None = None,
    reverseOrder: bool = False,
    nextToken: str | None = None,
    includeExecutionData: bool = True,
) -> dict[str, Any]:
    run = run_of(call, executionArn)
    records = run.records("history")
    keys = list(records.keys(f"{run.key}|"))
    if reverseOrder:
        keys.reverse()
    chosen, token = page(keys, nextToken, maxResults, error="InvalidToken", default=100)
    events = [event for key in chosen if (event := records.get(key)) is not None]
    if not includeExecutionData:
        events = [_without_data(event) for event in events]
    return {"events": events} | ({"nextToken": token} if token else {})


def _without_data(event: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {key: value for key, value in item.items() if key not in _DATA or key == "parameters"}
        if isinstance(item, dict)
        else item
        for name, item in event.items()
    }
