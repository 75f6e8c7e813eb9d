"""Parallel states.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html
"""

from __future__ import annotations

from sandbox.services.stepfunctions.execution import children, dataflow, leaving
from sandbox.services.stepfunctions.execution.run import Branch, Run


def begin(run: Run, branch: Branch) -> bool:
    state = run.state(branch)
    value = dataflow.arguments(run, branch, state)
    with run.writing(branch):
        branch["attempt"] = branch["last"]
        run.event(branch, "ParallelStateStarted")
        for index in range(len(state["Branches"])):
            place = [*branch["scope"], "States", branch["state"], "Branches", index]
            children.start(run, branch, index, place, value)
        branch["phase"] = "children"
    return False


def look(run: Run, branch: Branch) -> bool:
    """Fails with its first branch that fails, ends with its last."""
    state = run.state(branch)
    tally = children.tally(run, branch)
    if tally["FAILED"]:
        raise children.fail(run, branch, "ParallelStateFailed")
    if tally["SUCCEEDED"] < len(state["Branches"]):
        return False
    with run.writing(branch):
        branch["outputs"] = children.gather(run, branch)
        run.event(branch, "ParallelStateSucceeded")
        branch["phase"] = "joined"
    return True


def join(run: Run, branch: Branch) -> bool:
    """The outputs of the branches become the state's result."""
    state = run.state(branch)
    output, assigned = dataflow.finish(run, branch, state, branch["outputs"])
    branch.pop("outputs")
    return leaving.finish(run, branch, output, assigned)


__all__ = ["begin", "join", "look"]
