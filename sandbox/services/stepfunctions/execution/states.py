"""What each type of state does once it was entered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.engine.tasks import Again
from sandbox.services.stepfunctions.definition.machine import State
from sandbox.services.stepfunctions.execution import dataflow, leaving, maps, parallel, tasks
from sandbox.services.stepfunctions.execution.run import Branch, Run
from sandbox.services.stepfunctions.execution.timing import begin_wait
from sandbox.services.stepfunctions.language import choice, timestamps
from sandbox.services.stepfunctions.language.errors import NO_CHOICE, QUERY, StateError, runtime

_LONGEST_WAIT = 99_999_999


def _pass(run: Run, branch: Branch) -> bool:
    state = run.state(branch)
    if dataflow.in_jsonata(run, state):
        return leaving.finish(run, branch, *dataflow.pass_on(run, branch, state))
    result = state["Result"] if "Result" in state else dataflow.arguments(run, branch, state)
    return leaving.finish(run, branch, *dataflow.finish(run, branch, state, result))


def _succeed(run: Run, branch: Branch) -> bool:
    return leaving.finish(run, branch, *dataflow.pass_on(run, branch, run.state(branch)))


def _fail(run: Run, branch: Branch) -> bool:
    """Fails with what the state says; no catcher of its own can take it."""
    state = run.state(branch)
    scope = run.scope(branch)
    if dataflow.in_jsonata(run, state):
        error, cause = (scope.jsonata(state.get(name), name) for name in ("Error", "Cause"))
    else:
        error, cause = (_told(state, scope, name) for name in ("Error", "Cause"))
    for name, value in (("Error", error), ("Cause", cause)):
        if value is not None and not isinstance(value, str):
            raise runtime(f"The field '{name}' of the Fail state must be a string")
    raise StateError(error, cause)


def _told(state: State, scope: Any, name: str) -> Any:
    path = state.get(f"{name}Path")
    return scope.expression(path, f"{name}Path") if path is not None else state.get(name)


def _choose(run: Run, branch: Branch) -> bool:
    state = run.state(branch)
    scope = run.scope(branch)
    jsonata = dataflow.in_jsonata(run, state)
    chosen = scope if jsonata else scope.on(dataflow.filtered(state, scope))
    for index, rule in enumerate(state["Choices"]):
        if jsonata:
            holds = scope.jsonata(rule["Condition"], f"Choices[{index}]/Condition")
            if not isinstance(holds, bool):
                raise StateError(
                    QUERY,
                    f"The JSONata expression '{rule['Condition']}' specified for the field "
                    f"'Choices[{index}]/Condition' returned an unexpected result type. Expected 'boolean', "
                    f"but was '{_type_of(holds)}' for value: {holds}",
                    located=True,
                )
        else:
            holds = choice.matches(rule, chosen.path)
        if holds:
            return _leave_choice(run, branch, state, rule, rule["Next"])
    if "Default" not in state:
        raise StateError(
            NO_CHOICE,
            "Failed to transition out of the state. The state does not point to a next state.",
            located=True,
        )
    return _leave_choice(run, branch, state, state, state["Default"])


def _leave_choice(run: Run, branch: Branch, state: State, fields: State, following: str) -> bool:
    scope = run.scope(branch)
    if dataflow.in_jsonata(run, state):
        merged = {"Output": state["Output"]} if "Output" in state and fields is not state else {}
        output, assigned = dataflow.jsonata_output(merged | fields, scope, scope.value, branch["state"])
    else:
        chosen = dataflow.filtered(state, scope)
        assigned = scope.on(chosen).template(fields.get("Assign", {}))
        output = dataflow.filtered(state, scope.on(chosen), "OutputPath")
    with run.writing(branch):
        leaving.leave(run, branch, output, assigned, following)
    return True


def _type_of(value: Any) -> str:
    names = {str: "string", bool: "boolean", int: "number", float: "number", dict: "object", list: "array"}
    return names.get(type(value), "null")


def _wait(run: Run, branch: Branch) -> Again | bool:
    seconds = _seconds(run, branch)
    with run.writing(branch):
        again = begin_wait(run, branch, seconds)
        branch["phase"] = "wait"
    return again


def _seconds(run: Run, branch: Branch) -> float:
    """How long to wait, in AWS's seconds."""
    state = run.state(branch)
    scope = run.scope(branch)
    if not dataflow.in_jsonata(run, state):
        scope = scope.on(dataflow.filtered(state, scope))
        for name in ("Seconds", "Timestamp"):
            if f"{name}Path" in state:
                state = state | {name: scope.expression(state[f"{name}Path"], f"{name}Path")}
    else:
        state = state | {
            name: scope.jsonata(state[name], name) for name in ("Seconds", "Timestamp") if name in state
        }
    if "Seconds" in state:
        value = state["Seconds"]
        if not choice.is_number(value) or not 0 <= value <= _LONGEST_WAIT or value != int(value):
            raise runtime(f"The Seconds parameter must be an integer from 0 to {_LONGEST_WAIT}: '{value}'")
        return float(value)
    moment = timestamps.parse(state["Timestamp"])
    if moment is None:
        raise runtime(
            "The Timestamp parameter does not reference a valid ISO-8601 extended offset date-time format "
            f"string: '{state['Timestamp']}'"
        )
    return max(0.0, moment - run.engine.clock.now())


def wait_over(run: Run, branch: Branch) -> Again | bool:
    left = branch["due"] - run.engine.clock.now()
    if left > 0:
        return Again(left)
    return leaving.finish(run, branch, *dataflow.pass_on(run, branch, run.state(branch)))


def children_over(run: Run, branch: Branch) -> Again | bool:
    """A Parallel or Map state looks at the branches it has started."""
    if run.state(branch)["Type"] == "Parallel":
        return parallel.look(run, branch)
    return maps.look(run, branch)


EXECUTE: dict[str, Callable[[Run, Branch], Again | bool]] = {
    "Pass": _pass,
    "Succeed": _succeed,
    "Fail": _fail,
    "Choice": _choose,
    "Wait": _wait,
    "Task": tasks.begin,
    "Parallel": parallel.begin,
    "Map": maps.begin,
}

__all__ = ["EXECUTE", "children_over", "wait_over"]
