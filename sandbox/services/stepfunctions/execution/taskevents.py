"""The events of a task: named for Lambda functions, activities, and everything else.

Source: HistoryEventType in the API reference of AWS Step Functions.
"""

from __future__ import annotations

from typing import Any

from sandbox.services.stepfunctions.execution.run import Branch, Run
from sandbox.services.stepfunctions.integrations.resource import Resource
from sandbox.services.stepfunctions.language.scope import dumps

_PREFIX = {"lambda": "LambdaFunction", "activity": "Activity"}


def note(run: Run, branch: Branch, resource: Resource, what: str, **details: Any) -> None:
    """Writes `Task<what>` or its like. To be called while writing the branch."""
    prefix = _PREFIX.get(resource.kind, "Task")
    if what == "SubmitFailed" and prefix != "Task":
        what = "Failed"
    member = f"{prefix[0].lower()}{prefix[1:]}{what}EventDetails"
    if prefix == "LambdaFunction" and what == "Started":
        run.event(branch, "LambdaFunctionStarted")
        return
    shown: dict[str, Any] = {}
    if prefix == "Task":
        shown = {"resourceType": resource.type, "resource": resource.call}
    if what == "Scheduled":
        shown |= _scheduled(run, branch, resource, details)
    elif what == "Started" and prefix == "Activity":
        shown["workerName"] = details["worker"]
    elif "output" in details:
        shown |= {"output": details["output"], "outputDetails": {"truncated": False}}
    elif what != "Started":
        shown |= {"error": details.get("error"), "cause": details.get("cause")}
    run.event(branch, f"{prefix}{what}", member, **shown)


def _scheduled(run: Run, branch: Branch, resource: Resource, details: dict[str, Any]) -> dict[str, Any]:
    call = branch["call"]
    timeout, heartbeat = details.get("timeout"), details.get("heartbeat")
    shown: dict[str, Any] = {"timeoutInSeconds": int(timeout) if timeout else None}
    credentials = call.get("credentials")
    shown["taskCredentials"] = {"roleArn": credentials["RoleArn"]} if credentials else None
    if resource.kind in ("lambda", "activity"):
        shown |= {
            "resource": resource.text,
            "input": dumps(call["given"]),
            "inputDetails": {"truncated": False},
        }
    else:
        shown |= {"region": run.region, "parameters": dumps(call["given"])}
    if resource.kind == "activity":
        shown.pop("taskCredentials")
    if resource.kind != "lambda":
        shown["heartbeatInSeconds"] = int(heartbeat) if heartbeat else None
    return shown
