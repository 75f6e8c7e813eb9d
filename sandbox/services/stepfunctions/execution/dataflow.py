"""What goes into a state's work and what comes out of the state, in both query languages.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-input-output-filtering.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sandbox.services.stepfunctions.definition.machine import JSONATA, State
from sandbox.services.stepfunctions.execution.run import Branch, Run
from sandbox.services.stepfunctions.language import jsonpath
from sandbox.services.stepfunctions.language.errors import RESULT_PATH, StateError
from sandbox.services.stepfunctions.language.scope import Scope, dumps, limited

Finished = tuple[Any, dict[str, Any]]
"""A state's output and the variables it assigns."""


def in_jsonata(run: Run, state: State) -> bool:
    return run.machine().language_of(state) == JSONATA


def filtered(state: State, scope: Scope, field: str = "InputPath") -> Any:
    """The value that InputPath or OutputPath choose; null chooses an empty object."""
    path = state.get(field, "$")
    return {} if path is None else scope.path(path, field)


def effective_input(run: Run, branch: Branch, state: State) -> Any:
    """The input after InputPath (JSONata states have none)."""
    scope = run.scope(branch)
    return scope.value if in_jsonata(run, state) else filtered(state, scope)


def arguments(run: Run, branch: Branch, state: State) -> Any:
    """What a Task sends, or the branches of a Parallel state receive."""
    scope = run.scope(branch)
    if in_jsonata(run, state):
        return scope.jsonata(state["Arguments"], "Arguments") if "Arguments" in state else scope.value
    chosen = filtered(state, scope)
    if "Parameters" not in state:
        return chosen
    return limited(scope.on(chosen).template(state["Parameters"]), branch["state"])


def finish(run: Run, branch: Branch, state: State, result: Any) -> Finished:
    """Output and variables of a state that has a result (Task, Map, Parallel; Pass in JSONPath)."""
    scope = run.scope(branch)
    if in_jsonata(run, state):
        return jsonata_output(state, replace(scope, result=result), result, branch["state"])
    assigned = scope.on(result).template(state.get("Assign", {}))
    if "ResultSelector" in state:
        result = limited(scope.on(result).template(state["ResultSelector"]), branch["state"])
    output = placed(state, scope, result)
    return limited(filtered(state, scope.on(output), "OutputPath"), branch["state"]), assigned


def pass_on(run: Run, branch: Branch, state: State) -> Finished:
    """Output and variables of a state without a result: its input goes on."""
    scope = run.scope(branch)
    if in_jsonata(run, state):
        return jsonata_output(state, scope, scope.value, branch["state"])
    chosen = filtered(state, scope)
    assigned = scope.on(chosen).template(state.get("Assign", {}))
    return limited(filtered(state, scope.on(chosen), "OutputPath"), branch["state"]), assigned


def jsonata_output(fields: State, scope: Scope, default: Any, state_name: str) -> Finished:
    """`Output` and `Assign` of a state, a choice rule or a catcher: both see the variables of before."""
    assigned = scope.jsonata(fields.get("Assign", {}), "Assign")
    output = scope.jsonata(fields["Output"], "Output") if "Output" in fields else default
    return limited(output, state_name), assigned


def placed(fields: State, scope: Scope, result: Any) -> Any:
    """The result put into the state's input by ResultPath. StateError States.ResultPathMatchFailure."""
    path = fields.get("ResultPath", "$")
    if path is None:
        return scope.value
    try:
        return jsonpath.put(jsonpath.compile_path(path), scope.value, result)
    except LookupError as error:
        raise StateError(
            RESULT_PATH, f"Unable to apply step {error} to input {dumps(scope.value)}", located=True
        ) from error
