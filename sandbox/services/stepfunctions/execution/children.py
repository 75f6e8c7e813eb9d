"""Branches below a branch: started, counted, and their results gathered."""

from __future__ import annotations

from typing import Any

from sandbox.services.stepfunctions.execution import endings
from sandbox.services.stepfunctions.execution.run import Branch, Run
from sandbox.services.stepfunctions.language.errors import StateError


def start(
    run: Run, parent: Branch, index: int, scope: list[Any], value: Any, extra: dict[str, Any] | None = None
) -> None:
    """Starts a branch at its scope's first state. To be called while writing the parent."""
    identifier = f"{parent['id']}.{parent['entered']}-{parent['attempt']}-{index}"
    branch = new_branch(run, identifier, scope, value, parent["last"])
    branch |= {
        "parent": parent["id"],
        "index": index,
        "variables": parent.get("variables", {}),
        "elapsed": parent["elapsed"] + run.engine.clock.now() - parent["worked"],
        **(extra or {}),
    }
    if "item" not in branch and parent.get("item"):
        branch["item"] = parent["item"]
    if "iteration" in branch:
        run.event(branch, "MapIterationStarted", "mapIterationStartedEventDetails", **branch["iteration"])
    run.records("branch").put(f"{run.key}|{identifier}", branch)
    run.wake(identifier)


def new_branch(run: Run, identifier: str, scope: list[Any], value: Any, last: int) -> Branch:
    return {
        "id": identifier,
        "scope": scope,
        "state": run.machine().scope(scope)["StartAt"],
        "phase": "enter",
        "input": value,
        "last": last,
        "retries": {},
        "entered": 0,
        "elapsed": 0.0,
        "worked": run.engine.clock.now(),
    }


def tally(run: Run, branch: Branch) -> dict[str, int]:
    return run.records("tally").get(f"{run.key}|{branch['id']}") or {"SUCCEEDED": 0, "FAILED": 0}


def endings_of(run: Run, branch: Branch) -> list[dict[str, Any]]:
    """What ended so far, by index."""
    return sorted(run.records("ended").list(_prefix(run, branch)), key=lambda item: item["index"])


def first_failure(run: Run, branch: Branch) -> dict[str, Any]:
    """How the first branch that failed ended."""
    ended = run.records("ended").list(_prefix(run, branch))
    return next(item for item in ended if item["status"] == "FAILED")


def fail(run: Run, branch: Branch, kind: str) -> StateError:
    """Ends the others, and gives the error to raise. `kind`: of the event that tells it."""
    first = first_failure(run, branch)
    with run.writing(branch):
        endings.abort_children(run, branch["id"])
        branch["last"] = first["last"]
        run.event(branch, kind)
        branch |= {"elapsed": max(branch["elapsed"], first["elapsed"]), "worked": run.engine.clock.now()}
        branch["failure"] = {"error": first["error"], "cause": first["cause"], "located": False}
        branch["phase"] = "failed"
    return StateError(first["error"], first["cause"])


def gather(run: Run, branch: Branch) -> list[Any]:
    """The outputs in order; the records are cleared. To be called while writing the branch."""
    ended = endings_of(run, branch)
    if ended:
        branch["last"] = run.records("ended").list(_prefix(run, branch))[-1]["last"]
    longest = max((item["elapsed"] for item in ended), default=branch["elapsed"])
    branch |= {"elapsed": max(branch["elapsed"], longest), "worked": run.engine.clock.now()}
    endings.abort_children(run, branch["id"])
    endings.clear_shelf(run, branch["id"])
    return [item["output"] for item in ended]


def _prefix(run: Run, branch: Branch) -> str:
    return f"{run.key}|{branch['id']}.{branch['entered']}-{branch['attempt']}-"
