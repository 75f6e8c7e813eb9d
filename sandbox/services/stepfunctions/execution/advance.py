"""The task that moves a branch on, until it has to wait or has ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.tasks import Again, task
from sandbox.services.stepfunctions.execution import failure, parallel, states, tasks
from sandbox.services.stepfunctions.execution.run import ADVANCE, Branch, Over, Run, run_of
from sandbox.services.stepfunctions.execution.timing import left, out_of_time
from sandbox.services.stepfunctions.language.errors import StateError

__all__ = ["advance"]

EVENTS = 25_000
"""Events of one execution's history."""
MOST_EVENTS = EVENTS - 10
"""Events after which no further state is entered."""

Move = Callable[[Run, Branch], "Again | bool"]
"""Does the next thing of a branch: True to go on at once, False to rest until woken, Again for a time."""


@task(ADVANCE)
def advance(engine: Engine, key: str, payload: dict[str, Any]) -> Again | None:
    run, identifier = run_of(engine, key)
    while True:
        branch = run.branch(identifier)
        if branch is None:
            return None
        try:
            outcome = _move(run, branch)
        except Over:
            return None
        if isinstance(outcome, Again):
            return outcome
        if not outcome:
            return _until_out_of_time(run, identifier)


def _until_out_of_time(run: Run, identifier: str) -> Again | None:
    """Rests until it is woken, or the execution's TimeoutSeconds have passed."""
    branch = run.branch(identifier)
    remaining = left(run, branch) if branch else None
    return None if remaining is None else Again(max(0.0, remaining))


def _move(run: Run, branch: Branch) -> Again | bool:
    if out_of_time(run, branch):
        failure.time_out_execution(run, branch)
        return False
    try:
        return PHASES[branch["phase"]](run, branch)
    except StateError as error:
        return failure.handle(run, branch, error)


def _enter(run: Run, branch: Branch) -> bool:
    """Writes that the state was entered; what it does comes next."""
    kind = run.state(branch)["Type"]
    if run.details()["type"] == "STANDARD" and run.events() >= MOST_EVENTS:
        failure.end(run, branch, f"The execution reached the maximum number of history events ({EVENTS}).")
        return False
    with run.writing(branch):
        branch["enteredAt"] = run.engine.clock.now()
        branch["entered"] = run.event(
            branch,
            f"{kind}StateEntered",
            "stateEnteredEventDetails",
            name=branch["state"],
            input=json.dumps(branch["input"], separators=(",", ":"), ensure_ascii=False),
            inputDetails={"truncated": False},
        )
        branch |= {"phase": "execute", "retries": {}}
        for name in (
            "token",
            "job",
            "call",
            "due",
            "attempt",
            "items",
            "outputs",
            "started",
            "limit",
            "failure",
            "mapRun",
        ):
            branch.pop(name, None)
    return True


def _execute(run: Run, branch: Branch) -> Again | bool:
    return states.EXECUTE[run.state(branch)["Type"]](run, branch)


def _backoff(run: Run, branch: Branch) -> Again | bool:
    """The pause before a retry."""
    left = branch["due"] - run.engine.clock.now()
    if left > 0:
        return Again(left)
    with run.writing(branch):
        branch["phase"] = "execute"
        branch.pop("due")
    return True


PHASES: dict[str, Move] = {
    "enter": _enter,
    "execute": _execute,
    "backoff": _backoff,
    "wait": states.wait_over,
    "children": states.children_over,
    "joined": parallel.join,
    "call": tasks.call,
    "sync": tasks.look_at_job,
    "token": tasks.look_at_token,
    "result": tasks.use_result,
    "failed": tasks.raise_failure,
}
