"""A state that failed: tried again, caught, or the end of its branch.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from sandbox.engine.tasks import Again
from sandbox.services.stepfunctions.definition.machine import State
from sandbox.services.stepfunctions.execution import dataflow, endings, leaving
from sandbox.services.stepfunctions.execution.run import Branch, Run
from sandbox.services.stepfunctions.execution.timing import begin_wait
from sandbox.services.stepfunctions.language import errors
from sandbox.services.stepfunctions.language.errors import StateError

ATTEMPTS, INTERVAL, RATE = 3, 1, 2.0
"""Defaults of a retrier."""


def handle(run: Run, branch: Branch, error: StateError) -> Again | bool:
    """Retries where a retrier says so, else goes where a catcher points, else fails the branch."""
    state = run.state(branch)
    cause = error.cause
    if error.located:
        cause = (
            f"An error occurred while executing the state '{branch['state']}' "
            f"(entered at the event id #{branch['entered']}). {error.cause}"
        )
    chosen = retrier(state, error.error, branch["retries"])
    if chosen is not None:
        return _retry(run, branch, state["Retry"][chosen], chosen, error, cause)
    catcher = next(
        (item for item in state.get("Catch", []) if matches(item["ErrorEquals"], error.error)), None
    )
    if catcher is None:
        endings.fail_branch(run, branch, error.error, cause, evaluation=error)
        return False
    output: dict[str, Any] = {"Error": error.error or "", "Cause": cause or ""}
    result, assigned = caught(run, branch, state, catcher, output)
    with run.writing(branch):
        note(run, branch, error, cause)
        endings.clear_shelf(run, branch["id"])
        leaving.leave(run, branch, result, assigned, catcher["Next"])
    return True


def note(run: Run, branch: Branch, error: StateError, cause: str | None) -> None:
    """The event of an expression that failed, which has no other."""
    if error.error == errors.QUERY:
        run.event(
            branch,
            "EvaluationFailed",
            "evaluationFailedEventDetails",
            error=error.error,
            cause=cause,
            state=branch["state"],
        )


def caught(run: Run, branch: Branch, state: State, catcher: State, output: Any) -> dataflow.Finished:
    """What a catcher hands to its next state, and the variables it assigns."""
    scope = run.scope(branch)
    if dataflow.in_jsonata(run, state):
        return dataflow.jsonata_output(catcher, replace(scope, error_output=output), output, branch["state"])
    assigned = scope.on(output).template(catcher.get("Assign", {}))
    return dataflow.placed(catcher, scope, output), assigned


def matches(names: list[str], error: str | None) -> bool:
    """Whether a list of error names takes an error in."""
    if error in names:
        return True
    if error in errors.UNCATCHABLE:
        return False
    if errors.ALL in names:
        return True
    if error in (errors.TIMEOUT, errors.HEARTBEAT_TIMEOUT):
        return errors.TIMEOUT in names
    return errors.TASK_FAILED in names


def retrier(state: State, error: str | None, retries: dict[str, int]) -> int | None:
    """The index of the first retrier that matches, if it has an attempt left."""
    if error in errors.UNCATCHABLE:
        return None
    for index, item in enumerate(state.get("Retry", [])):
        if matches(item["ErrorEquals"], error):
            return index if retries.get(str(index), 0) < item.get("MaxAttempts", ATTEMPTS) else None
    return None


def delay(item: State, attempt: int) -> float:
    """AWS's seconds before the retry that follows so many earlier ones, before jitter."""
    seconds = float(item.get("IntervalSeconds", INTERVAL)) * float(item.get("BackoffRate", RATE)) ** attempt
    return min(seconds, float(item.get("MaxDelaySeconds", seconds)))


def _retry(run: Run, branch: Branch, item: State, index: int, error: StateError, cause: str | None) -> Again:
    attempt = branch["retries"].get(str(index), 0)
    seconds = delay(item, attempt)
    if item.get("JitterStrategy") == "FULL":
        seconds = random.uniform(0, seconds)
    with run.writing(branch):
        note(run, branch, error, cause)
        endings.clear_shelf(run, branch["id"])
        branch["retries"][str(index)] = attempt + 1
        again = begin_wait(run, branch, seconds)
        branch["phase"] = "backoff"
        for name in ("token", "job", "call", "attempt"):
            branch.pop(name, None)
    return again


def end(run: Run, branch: Branch, cause: str) -> None:
    """Ends the whole execution with States.Runtime, which nothing catches."""
    endings.end_execution(run, "FAILED", branch["last"], error=errors.RUNTIME, cause=cause)


def time_out_execution(run: Run, branch: Branch) -> None:
    """Ends the whole execution with TIMED_OUT."""
    endings.end_execution(run, "TIMED_OUT", branch["last"], error=errors.TIMEOUT)
