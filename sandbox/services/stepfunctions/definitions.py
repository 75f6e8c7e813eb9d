"""ValidateStateMachineDefinition."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import Call, operation
from sandbox.services.stepfunctions.execution.run import SERVICE

_MOST = 100


@operation(SERVICE, "ValidateStateMachineDefinition")
def validate_state_machine_definition(
    call: Call,
    definition: str,
    type: str = "STANDARD",
    severity: str = "ERROR",
    maxResults: int = 0,
) -> dict[str, Any]:
    from sandbox.services.stepfunctions.definition.validate import diagnose

    found = diagnose(definition, type)
    failed = any(item.severity == "ERROR" for item in found)
    shown = [item.shown() for item in found if severity == "WARNING" or item.severity == "ERROR"]
    limit = maxResults or _MOST
    return {
        "result": "FAIL" if failed else "OK",
        "diagnostics": shown[:limit],
        "truncated": len(shown) > limit,
    }
