"""Leaving a state: for the next one, or for the end of the branch."""

from __future__ import annotations

from typing import Any

from sandbox.services.stepfunctions.execution import endings
from sandbox.services.stepfunctions.execution.run import Branch, Run
from sandbox.services.stepfunctions.language.scope import dumps


def leave(run: Run, branch: Branch, output: Any, assigned: dict[str, Any], following: str | None) -> None:
    """Writes the exit and where the branch goes on. To be called while writing the branch."""
    kind = run.state(branch)["Type"]
    run.event(
        branch,
        f"{kind}StateExited",
        "stateExitedEventDetails",
        name=branch["state"],
        output=dumps(output),
        outputDetails={"truncated": False},
        assignedVariables={name: dumps(value) for name, value in assigned.items()} or None,
        assignedVariablesDetails={"truncated": False} if assigned else None,
    )
    branch["variables"] = branch.get("variables", {}) | assigned
    if following is None:
        endings.succeed_branch(run, branch, output)
    else:
        branch |= {"state": following, "input": output, "phase": "enter"}


def finish(run: Run, branch: Branch, output: Any, assigned: dict[str, Any]) -> bool:
    """Leaves for the state's `Next`, or the end. True: there is more to do."""
    following = run.state(branch).get("Next")
    with run.writing(branch):
        leave(run, branch, output, assigned, following)
    return following is not None
