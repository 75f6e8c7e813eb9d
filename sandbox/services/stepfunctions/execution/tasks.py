"""Task states: scheduled, sent, and waited for.

What is sent is written down first. After a crash a request that may have been sent is sent again: with the
token or name that makes it the same request, where the service has one.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from sandbox.engine.tasks import Again
from sandbox.services.stepfunctions.definition.machine import State
from sandbox.services.stepfunctions.execution import dataflow, jobs, leaving, requests, tokens
from sandbox.services.stepfunctions.execution.maps import number
from sandbox.services.stepfunctions.execution.run import Branch, Run
from sandbox.services.stepfunctions.execution.taskevents import note
from sandbox.services.stepfunctions.execution.timing import left
from sandbox.services.stepfunctions.integrations import resource as resources
from sandbox.services.stepfunctions.integrations.resource import SYNC, SYNC2, TOKEN, Resource
from sandbox.services.stepfunctions.language.errors import HEARTBEAT_TIMEOUT, TIMEOUT, StateError
from sandbox.services.stepfunctions.language.scope import dumps, limited

_NAMESPACE = uuid.UUID("0c6c1f0a-2a53-4f0e-8a53-8b1f5d1f3b77")


def begin(run: Run, branch: Branch) -> bool:
    """Evaluates what is to be sent and schedules it."""
    state = run.state(branch)
    resource = resources.parse(state["Resource"])
    if resource.kind == "activity" or resource.pattern == TOKEN:
        branch["token"] = tokens.new()
    given = dataflow.arguments(run, branch, state)
    credentials = _credentials(run, branch, state)
    timeout = _seconds(run, branch, state, "TimeoutSeconds")
    heartbeat = _seconds(run, branch, state, "HeartbeatSeconds")
    now = run.engine.clock.now()
    with run.writing(branch):
        branch["attempt"] = branch["last"]
        branch["call"] = {
            "given": given,
            "scheduled": now,
            "deadline": now + timeout if timeout else None,
            "heartbeat": heartbeat,
            "credentials": credentials,
            "token": str(uuid.uuid5(_NAMESPACE, f"{run.key} {branch['id']} {branch['last']}")),
        }
        note(run, branch, resource, "Scheduled", timeout=timeout, heartbeat=heartbeat)
        if branch.get("token"):
            tokens.put(run, branch, resource.text if resource.kind == "activity" else None)
        if resource.kind == "activity":
            branch["phase"] = "token"
        else:
            note(run, branch, resource, "Started")
            branch["phase"] = "call"
    return True


def _credentials(run: Run, branch: Branch, state: State) -> dict[str, Any] | None:
    given = state.get("Credentials")
    if given is None:
        return None
    scope = run.scope(branch)
    if dataflow.in_jsonata(run, state):
        return dict(scope.jsonata(given, "Credentials"))
    return dict(scope.on(dataflow.filtered(state, scope)).template(given))


def _seconds(run: Run, branch: Branch, state: State, name: str) -> float | None:
    if name not in state and f"{name}Path" not in state:
        return None
    return number(run, branch, state, name, 0)


def call(run: Run, branch: Branch) -> Again | bool:
    """Sends the request, once the record tells that it is about to be."""
    resource = resources.parse(run.state(branch)["Resource"])
    resumed = bool(branch["call"].get("sent"))
    if not resumed:
        with run.writing(branch):
            branch["call"]["sent"] = True
    try:
        answer = requests.within(
            _remaining(run, branch), lambda: requests.perform(run, branch, resource, resumed)
        )
    except requests.TooLate:
        if (left(run, branch) or 1) <= 0:
            return True  # it is the execution that ran out of time
        return time_out(run, branch, resource, TIMEOUT)
    except StateError as error:
        kind = "SubmitFailed" if resource.pattern else "Failed"
        return fail(run, branch, resource, error, kind)
    with run.writing(branch):
        if resource.pattern in (SYNC, SYNC2):
            note(run, branch, resource, "Submitted", output=dumps(answer.result))
            jobs.follow(run, branch, answer.job)
            branch["phase"] = "sync"
        elif resource.pattern == TOKEN:
            note(run, branch, resource, "Submitted", output=dumps(answer.result))
            branch["phase"] = "token"
        else:
            succeed(run, branch, resource, answer.result)
    return True


def look_at_job(run: Run, branch: Branch) -> Again | bool:
    """`.sync`: asks how the job is doing; events about it wake the branch."""
    resource = resources.parse(run.state(branch)["Resource"])
    try:
        ended = jobs.look(run, branch, resource)
    except StateError as error:
        return fail(run, branch, resource, error)
    if ended is not None:
        with run.writing(branch):
            jobs.unfollow(run, branch)
            succeed(run, branch, resource, ended)
        return True
    remaining = _remaining(run, branch)
    if remaining is not None and remaining <= 0:
        return time_out(run, branch, resource, TIMEOUT)
    return Again(min(jobs.LOOK_AGAIN, remaining) if remaining is not None else jobs.LOOK_AGAIN)


def look_at_token(run: Run, branch: Branch) -> Again | bool:
    """A callback or an activity: what was sent for its token, or that nothing was sent in time."""
    resource = resources.parse(run.state(branch)["Resource"])
    record = tokens.get(run, branch["token"])
    if record.get("worker") is not None and not branch["call"].get("taken"):
        with run.writing(branch):
            branch["call"]["taken"] = True
            note(run, branch, resource, "Started", worker=record["worker"])
        return True
    if record["status"] == "FAILED":
        return fail(run, branch, resource, StateError(record.get("error"), record.get("cause")))
    if record["status"] == "SUCCEEDED":
        with run.writing(branch):
            succeed(run, branch, resource, json.loads(record["output"]))
        return True
    now = run.engine.clock.now()
    beat = branch["call"]["heartbeat"]
    silent = resource.kind == "activity" and record.get("worker") is None
    heartbeat = record["beat"] + beat - now if beat and not silent else None
    remaining = _remaining(run, branch)
    if remaining is not None and remaining <= 0:
        return time_out(run, branch, resource, TIMEOUT)
    if heartbeat is not None and heartbeat <= 0:
        return time_out(run, branch, resource, HEARTBEAT_TIMEOUT)
    waits = [item for item in (remaining, heartbeat) if item is not None]
    return Again(min(waits)) if waits else False


def _remaining(run: Run, branch: Branch) -> float | None:
    """Real seconds until the task or the execution is out of time; None where neither can be."""
    deadline = branch["call"]["deadline"]
    limits = [deadline - run.engine.clock.now()] if deadline else []
    whole = left(run, branch)
    return min([*limits, whole] if whole is not None else limits, default=None)


def succeed(run: Run, branch: Branch, resource: Resource, result: Any) -> None:
    """To be called while writing the branch; the state's output is made of the result next."""
    limited(result, branch["state"], "state/task")
    note(run, branch, resource, "Succeeded", output=dumps(result))
    _let_go(run, branch)
    branch |= {"result": result, "phase": "result"}


def fail(run: Run, branch: Branch, resource: Resource, error: StateError, kind: str = "Failed") -> bool:
    with run.writing(branch):
        note(run, branch, resource, kind, error=error.error, cause=error.cause)
        jobs.unfollow(run, branch)
        _let_go(run, branch)
        branch["failure"] = {"error": error.error, "cause": error.cause, "located": error.located}
        branch["phase"] = "failed"
    return True


def time_out(run: Run, branch: Branch, resource: Resource, error: str) -> bool:
    """A job that is waited for is stopped, as AWS tries to."""
    with run.writing(branch):
        note(run, branch, resource, "TimedOut", error=error)
        jobs.stop(run, branch)
        _let_go(run, branch)
        branch["failure"] = {"error": error, "cause": None, "located": False}
        branch["phase"] = "failed"
    return True


def _let_go(run: Run, branch: Branch) -> None:
    if branch.get("token"):
        tokens.close(run, branch["token"])
        branch.pop("token")
    branch.pop("call", None)


def use_result(run: Run, branch: Branch) -> bool:
    """The result of the call becomes the output of the state."""
    output, assigned = dataflow.finish(run, branch, run.state(branch), branch["result"])
    branch.pop("result")
    return leaving.finish(run, branch, output, assigned)


def raise_failure(run: Run, branch: Branch) -> bool:
    raise StateError(**branch["failure"])
