"""Task states of a definition: what they call, and with which parameters."""

from __future__ import annotations

from typing import Any

from sandbox.engine import sdk_names as naming
from sandbox.engine.sdk_operations import operation_of
from sandbox.services.stepfunctions.definition.diagnostics import Report
from sandbox.services.stepfunctions.definition.machine import JSONATA
from sandbox.services.stepfunctions.integrations import resource as resources
from sandbox.services.stepfunctions.integrations.optimised import ELSEWHERE, SERVICES
from sandbox.services.stepfunctions.integrations.resource import SYNC, SYNC2, TOKEN, Resource
from sandbox.services.stepfunctions.language import jsonata


def check(state: dict[str, Any], language: str, machine_type: str, place: str, report: Report) -> None:
    text = state.get("Resource")
    if text is None:
        return
    here = f"{place}/Resource"
    if not isinstance(text, str):
        report.schema("Expected value of type String", here)
        return
    try:
        resource = resources.parse(text)
    except resources.InvalidResource:
        report.schema("Value is not a valid resource ARN", here)
        return
    _express(resource, machine_type, here, report)
    operation = _operation(resource, here, report)
    if "HeartbeatSeconds" in state and isinstance(state.get("TimeoutSeconds"), int):
        heartbeat = state["HeartbeatSeconds"]
        if isinstance(heartbeat, int) and heartbeat >= state["TimeoutSeconds"]:
            report.schema("HeartbeatSeconds must be smaller than TimeoutSeconds", place)
    member = "Arguments" if language == JSONATA else "Parameters"
    given = state.get(member)
    if resource.kind in ("lambda", "activity") or operation is None:
        return
    if isinstance(given, dict):
        _members(operation, given, f"{place}/{member}", report)
    if resource.pattern == TOKEN and not _mentions_token(given):
        report.schema(
            "The field 'Parameters' must contain the task token: \"$$.Task.Token\""
            if member == "Parameters"
            else "The field 'Arguments' must contain the task token: $states.context.Task.Token",
            place,
        )


def _express(resource: Resource, machine_type: str, place: str, report: Report) -> None:
    if machine_type != "EXPRESS":
        return
    if resource.kind == "activity":
        report.schema("Express state machine does not support activity ARN", place)
    elif resource.pattern in (SYNC, SYNC2, TOKEN):
        report.schema(
            f"Express state machine does not support '{resource.pattern}' service integration", place
        )


def _operation(resource: Resource, place: str, report: Report) -> Any:
    """The operation that is called, where the definition is accepted as it is."""
    if resource.kind in ("lambda", "activity"):
        return None
    invalid = (
        f"The resource provided {resource.text} is not recognized. The value is not a valid resource ARN, "
    )
    invalid += "or the resource is not available in this region."
    if resource.kind == "sdk":
        service = naming.botocore_service(resource.service)
        found = operation_of(service, resource.action) if service else None
        if found is None or resource.pattern in (SYNC, SYNC2):
            report.schema(invalid, place)
            return None
        return found
    if resource.service in ELSEWHERE:
        report.schema(f"The integration {resource.text} is not implemented in the sandbox", place)
        return None
    known = SERVICES.get(resource.service)
    patterns = known.actions.get(resource.action) if known else None
    if known is None or patterns is None or resource.pattern not in patterns:
        report.schema(invalid, place)
        return None
    if resource.pattern in (SYNC, SYNC2) and resource.action not in known.jobs:
        report.schema(f"The integration {resource.text} is not implemented in the sandbox", place)
        return None
    return operation_of(known.botocore, resource.action)


def _members(operation: Any, given: dict[str, Any], place: str, report: Report) -> None:
    """Members that the request has not; what is required is told when the task runs."""
    shape = operation.input
    known = {name.lower() for name in shape.members} if shape is not None else set()
    for name in given:
        if name.removesuffix(".$").lower() not in known:
            report.schema(f'The field "{name.removesuffix(".$")}" is not supported by Step Functions', place)


def _mentions_token(given: Any) -> bool:
    if isinstance(given, dict):
        return any(_mentions_token(item) for item in given.values())
    if isinstance(given, list):
        return any(_mentions_token(item) for item in given)
    if not isinstance(given, str):
        return False
    if given.startswith("$$") or "$$." in given:
        return given in ("$$", "$$.Task") or "Task.Token" in given
    return jsonata.is_expression(given) and "$states.context" in given
