"""TestState: one state, run without a machine.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html
What the state would write stays in memory; what a Task calls is called, unless its result is given (`mock`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.store import Records, Store
from sandbox.services.stepfunctions.definition.machine import JSONATA, JSONPATH, State
from sandbox.services.stepfunctions.execution import dataflow, failure, requests, states
from sandbox.services.stepfunctions.execution.children import new_branch
from sandbox.services.stepfunctions.execution.run import ROOT, SERVICE, Branch, Run
from sandbox.services.stepfunctions.integrations import resource as resources
from sandbox.services.stepfunctions.language.errors import StateError
from sandbox.services.stepfunctions.language.scope import dumps
from sandbox.services.stepfunctions.names import input_of

_NAME = "TestState"


@dataclass(frozen=True)
class _Trial(Run):
    """A run whose records are in memory and which wakes nobody."""

    memory: Store

    def records(self, kind: str) -> Records:
        return Records(self.memory, kind)

    def wake(self, identifier: str, after: float = 0.0) -> None:
        return None


@operation(SERVICE, "TestState")
def test_state(
    call: Call,
    definition: str,
    roleArn: str | None = None,
    input: str | None = None,
    inspectionLevel: str = "INFO",
    variables: str | None = None,
    stateName: str | None = None,
    mock: dict[str, Any] | None = None,
    context: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    if more:
        raise AwsError("ValidationException", f"{', '.join(sorted(more))} is not implemented in the sandbox")
    state, name, language = _state(definition, stateName)
    kind = state["Type"]
    waits = kind == "Task" and _waits(state)
    if mock is None and (kind in ("Map", "Parallel") or waits):
        raise AwsError(
            "ValidationException", f"A state of type {kind} that waits can only be tested with a mock"
        )
    if mock is None and kind == "Task" and roleArn is None:
        raise AwsError("ValidationException", "roleArn is required to test a Task state without a mock")
    trial = _trial(call, state, name, language, roleArn, input_of(input), _json(context))
    try:
        branch = trial.branch(ROOT)
        assert branch is not None
        branch |= {"variables": _json(variables), "entered": 2}
        return _tried(trial, branch, state, mock, inspectionLevel)
    finally:
        trial.memory.close()


def _json(text: str | None) -> dict[str, Any]:
    try:
        return dict(json.loads(text)) if text else {}
    except (ValueError, TypeError) as error:
        raise AwsError("ValidationException", f"Invalid JSON: {error}") from error


def _state(definition: str, name: str | None) -> tuple[State, str, str]:
    """The state to test, alone or by its name in a machine. InvalidDefinition."""
    from sandbox.services.stepfunctions.definition.diagnostics import Report
    from sandbox.services.stepfunctions.definition.states import Checker

    report = Report()
    try:
        body = json.loads(definition)
    except ValueError as error:
        raise AwsError("InvalidDefinition", f"Invalid State Machine Definition: '{error}'") from error
    language = body.get("QueryLanguage", JSONPATH) if isinstance(body, dict) else JSONPATH
    place = "/"
    if isinstance(body, dict) and "States" in body:
        place = f"/States/{name}"
        body = body["States"].get(name)
        if body is None:
            raise AwsError("ValidationException", f"State {name} does not exist in the definition")
    Checker(report, language if language == JSONATA else JSONPATH, "STANDARD", lambda *_: None).state(
        body, place
    )
    if report.errors:
        text = ", ".join(item.text() for item in report.errors)
        raise AwsError("InvalidDefinition", f"Invalid State Machine Definition: '{text}'")
    return body, name or _NAME, language


def _waits(state: State) -> bool:
    resource = resources.parse(state["Resource"])
    return resource.kind == "activity" or bool(resource.pattern)


def _trial(
    call: Call, state: State, name: str, language: str, role: str | None, value: Any, context: dict[str, Any]
) -> _Trial:
    body = {"StartAt": name, "States": {name: state}, "QueryLanguage": language}
    now = call.engine.clock.now()
    machine_arn = call.arn(f"stateMachine:{_NAME}")
    trial = _Trial(call.engine, call.account, call.region, f"{_NAME}:{call.request_id}", Store(":memory:"))
    details = {
        "definition": json.dumps(body),
        "roleArn": role or "",
        "logging": {"level": "OFF"},
        "input": value,
        "name": call.request_id,
        "machineName": _NAME,
        "machineArn": machine_arn,
        "baseArn": machine_arn,
        "contextArn": call.arn(f"express:{_NAME}:{call.request_id}:{call.request_id}"),
        "type": "EXPRESS",
        "started": now,
        "timeout": None,
        "context": context,
    }
    trial.records("start").put(trial.key, details)
    trial.records("execution").put(trial.key, {"status": "RUNNING", "started": now})
    trial.records("branch").put(f"{trial.key}|{ROOT}", new_branch(trial, ROOT, [], value, 0))
    return trial


def _tried(
    trial: _Trial, branch: Branch, state: State, mock: dict[str, Any] | None, level: str
) -> dict[str, Any]:
    seen: dict[str, Any] = {"input": dumps(branch["input"])}
    try:
        output, assigned, following = _outcome(trial, branch, state, mock, seen)
    except StateError as error:
        answer = _failed(trial, branch, state, error)
    else:
        answer = {"output": dumps(output), "nextState": following, "status": "SUCCEEDED"}
        if assigned or branch["variables"]:
            seen["variables"] = dumps(branch["variables"] | assigned)
    return answer | ({"inspectionData": seen} if level != "INFO" else {})


def _outcome(
    trial: _Trial, branch: Branch, state: State, mock: dict[str, Any] | None, seen: dict[str, Any]
) -> tuple[Any, dict[str, Any], str | None]:
    """Output, variables and the next state."""
    kind = state["Type"]
    jsonata = dataflow.in_jsonata(trial, state)
    if not jsonata:
        seen["afterInputPath"] = dumps(dataflow.effective_input(trial, branch, state))
    if kind in ("Choice", "Fail"):
        states.EXECUTE[kind](trial, branch)
        after = trial.records("branch").get(f"{trial.key}|{ROOT}") or {}
        return after["input"], {}, after["state"]
    if kind in ("Succeed", "Wait") or (kind == "Pass" and jsonata):
        output, assigned = dataflow.pass_on(trial, branch, state)
        return output, assigned, state.get("Next")
    result = _result(trial, branch, state, mock, seen)
    seen["result"] = dumps(result)
    output, assigned = dataflow.finish(trial, branch, state, result)
    if not jsonata:
        if "ResultSelector" in state:
            scope = trial.scope(branch).on(result)
            result = scope.template(state["ResultSelector"])
            seen["afterResultSelector"] = dumps(result)
        seen["afterResultPath"] = dumps(dataflow.placed(state, trial.scope(branch), result))
    return output, assigned, state.get("Next")


def _result(
    trial: _Trial, branch: Branch, state: State, mock: dict[str, Any] | None, seen: dict[str, Any]
) -> Any:
    kind = state["Type"]
    if kind == "Pass" and "Result" in state:
        return state["Result"]
    if kind != "Map":
        given = dataflow.arguments(trial, branch, state)
        seen["afterArguments" if dataflow.in_jsonata(trial, state) else "afterParameters"] = dumps(given)
    if mock is not None and "errorOutput" in mock:
        raise StateError(mock["errorOutput"].get("error"), mock["errorOutput"].get("cause"))
    if mock is not None:
        return json.loads(mock.get("result", "{}"))
    if kind == "Pass":
        return given
    branch["call"] = {
        "given": given,
        "scheduled": trial.engine.clock.now(),
        "credentials": None,
        "token": trial.key.rpartition(":")[2],
    }
    return requests.perform(trial, branch, resources.parse(state["Resource"]), False).result


def _failed(trial: _Trial, branch: Branch, state: State, error: StateError) -> dict[str, Any]:
    answer: dict[str, Any] = {"error": error.error, "cause": error.cause, "status": "FAILED"}
    if failure.retrier(state, error.error, {}) is not None:
        return answer | {"status": "RETRIABLE"}
    for catcher in state.get("Catch", []):
        if failure.matches(catcher["ErrorEquals"], error.error):
            told = {"Error": error.error or "", "Cause": error.cause or ""}
            output, _ = failure.caught(trial, branch, state, catcher, told)
            return answer | {
                "status": "CAUGHT_ERROR",
                "output": dumps(output),
                "nextState": catcher["Next"],
            }
    return answer
