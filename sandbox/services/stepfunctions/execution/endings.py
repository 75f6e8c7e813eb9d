"""How branches and executions end, and who is told."""

from __future__ import annotations

from typing import Any

from sandbox.services.stepfunctions.execution import arns, tokens, waiting
from sandbox.services.stepfunctions.execution.run import ROOT, Branch, Run
from sandbox.services.stepfunctions.language.errors import StateError
from sandbox.services.stepfunctions.language.scope import dumps

STOP_JOB = "stepfunctions.stop-job"
LOG = "stepfunctions.log"
_EVENTS = {
    "SUCCEEDED": ("ExecutionSucceeded", "executionSucceededEventDetails"),
    "FAILED": ("ExecutionFailed", "executionFailedEventDetails"),
    "TIMED_OUT": ("ExecutionTimedOut", "executionTimedOutEventDetails"),
    "ABORTED": ("ExecutionAborted", "executionAbortedEventDetails"),
}


def succeed_branch(run: Run, branch: Branch, output: Any) -> None:
    """To be called while writing the branch."""
    branch["gone"] = True
    if branch["id"] == ROOT:
        end_execution(run, "SUCCEEDED", branch["last"], output=output)
        return
    _tell_parent(run, branch, {"status": "SUCCEEDED", "output": output})


def fail_branch(
    run: Run, branch: Branch, error: str | None, cause: str | None, *, evaluation: StateError | None = None
) -> None:
    """Ends the branch with an error that nobody in it took."""
    from sandbox.services.stepfunctions.execution import failure

    with run.writing(branch):
        if evaluation is not None:
            failure.note(run, branch, evaluation, cause)
        branch["gone"] = True
        if branch["id"] == ROOT:
            end_execution(run, "FAILED", branch["last"], error=error, cause=cause)
        else:
            _tell_parent(run, branch, {"status": "FAILED", "error": error, "cause": cause})


def _tell_parent(run: Run, branch: Branch, ending: dict[str, Any]) -> None:
    """Leaves the result for the parent, counts it and wakes the parent."""
    if "iteration" in branch:
        kind = "Succeeded" if ending["status"] == "SUCCEEDED" else "Failed"
        run.event(branch, f"MapIteration{kind}", f"mapIteration{kind}EventDetails", **branch["iteration"])
    run.records("branch").delete(f"{run.key}|{branch['id']}")
    record = ending | {"index": branch["index"], "last": branch["last"], "elapsed": branch["elapsed"]}
    if ending["status"] == "FAILED":
        record["branch"] = {name: item for name, item in branch.items() if name != "gone"}
    run.records("ended").put(f"{run.key}|{branch['id']}", record)
    count(run, branch["parent"], ending["status"])
    run.wake(branch["parent"])


def count(run: Run, parent: str, status: str) -> None:
    tallies = run.records("tally")
    tally = tallies.get(f"{run.key}|{parent}") or {"SUCCEEDED": 0, "FAILED": 0}
    tally[status] += 1
    tallies.put(f"{run.key}|{parent}", tally)


def abort_children(run: Run, identifier: str) -> None:
    """Ends every branch below one, with the events that tell it, and forgets their results."""
    prefix = f"{run.key}|{identifier}."
    branches = run.records("branch")
    for key in reversed(branches.keys(prefix)):
        branch = branches.get(key)
        if branch is not None:
            _abort(run, branch)
    for kind in ("branch", "ended", "tally"):
        for key in run.records(kind).keys(prefix):
            record = run.records(kind).get(key)
            if kind != "tally" and record is not None:
                run.records("shelf").put(key, {"kind": kind, "record": record})
            run.records(kind).delete(key)
    run.records("tally").delete(f"{run.key}|{identifier}")


def clear_shelf(run: Run, identifier: str) -> None:
    """Forgets aborted branches: their parent was tried again or caught."""
    for key in run.records("shelf").keys(f"{run.key}|{identifier}."):
        run.records("shelf").delete(key)


def _abort(run: Run, branch: Branch) -> None:
    release(run, branch)
    kind = run.state(branch)["Type"]
    if branch["phase"] != "enter" and kind in ("Task", "Wait", "Parallel", "Map"):
        run.event(branch, f"{kind}StateAborted")
    if "iteration" in branch:
        run.event(branch, "MapIterationAborted", "mapIterationAbortedEventDetails", **branch["iteration"])


def release(run: Run, branch: Branch) -> None:
    """What a branch holds outside of itself is given up: its token, and the job it waits for is stopped."""
    if branch.get("token"):
        tokens.close(run, branch["token"])
    if branch.get("mapRun"):
        from sandbox.services.stepfunctions.execution import distributed_map

        distributed_map.abort(run, branch)
    job = branch.get("job")
    if job:
        waiting.forget(run, branch)
        run.engine.tasks.submit(STOP_JOB, run.task_key(f"{branch['id']}/{branch['last']}"), {"job": job})


def end_execution(
    run: Run,
    status: str,
    previous: int,
    *,
    output: Any = None,
    error: str | None = None,
    cause: str | None = None,
) -> None:
    """Writes the end once: record, history, event on the bus; wakes whoever waits for it."""
    with run.engine.store.transaction():
        execution = run.execution()
        if execution["status"] != "RUNNING":
            return
        if status != "SUCCEEDED":
            _keep_for_redrive(run, status)
        for key in run.records("branch").keys(f"{run.key}|"):
            branch = run.records("branch").get(key)
            if branch is not None and status != "SUCCEEDED":
                _abort_at_end(run, branch, status)
            run.records("branch").delete(key)
        for kind in ("ended", "tally", "shelf"):
            for key in run.records(kind).keys(f"{run.key}|"):
                run.records(kind).delete(key)
        kind, member = _EVENTS[status]
        details: dict[str, Any] = {"error": error, "cause": cause}
        if status == "SUCCEEDED":
            details = {"output": dumps(output), "outputDetails": {"truncated": False}}
        run.append(kind, previous, member, details)
        execution |= {"status": status, "stopped": run.engine.clock.now()}
        execution |= {name: item for name, item in (("error", error), ("cause", cause)) if item is not None}
        if status == "SUCCEEDED":
            execution["output"] = dumps(output)
        run.records("execution").put(run.key, execution)
        publish(run)
        _tell_map_run(run, status)
        waiting.ended(run)
        log(run)


def _abort_at_end(run: Run, branch: Branch, status: str) -> None:
    if status == "FAILED" and branch["id"] == ROOT:
        release(run, branch)
        return
    _abort(run, branch)


def _keep_for_redrive(run: Run, status: str) -> None:
    """Branches as they are when the execution ends badly: a redrive goes on from them."""
    kept = {}
    for kind in ("branch", "ended", "shelf"):
        records = run.records(kind)
        kept[kind] = {key.rpartition("|")[2]: records.get(key) for key in records.keys(f"{run.key}|")}
    run.records("redrive").put(run.key, kept)


def _tell_map_run(run: Run, status: str) -> None:
    if run.details().get("mapRun"):
        from sandbox.services.stepfunctions.execution import distributed_map

        distributed_map.ended(run, status)


def log(run: Run) -> None:
    """Has the history so far written to CloudWatch Logs, where the machine logs."""
    if run.details().get("logging", {}).get("level", "OFF") != "OFF":
        run.engine.tasks.submit(LOG, run.task_key(ROOT))


def publish(run: Run) -> None:
    """`Step Functions Execution Status Change`: of standard executions only, as on AWS."""
    details, execution = run.details(), run.execution()
    if details["type"] == "EXPRESS":
        return
    arn = arns.execution(run.account, run.region, run.key, express=False)
    output = execution.get("output")
    detail: dict[str, Any] = {
        "executionArn": arn,
        "stateMachineArn": details["machineArn"],
        "name": details["name"],
        "status": execution["status"],
        "startDate": int(details["started"] * 1000),
        "stopDate": int(execution["stopped"] * 1000) if execution.get("stopped") else None,
        "input": dumps(details["input"]),
        "output": output,
        "inputDetails": {"included": True},
        "outputDetails": {"included": True} if output is not None else None,
        "stateMachineVersionArn": details.get("versionArn"),
        "stateMachineAliasArn": details.get("aliasArn"),
        "redriveCount": execution.get("redrives", 0),
        "redriveDate": int(execution["redriven"] * 1000) if execution.get("redriven") else None,
        "redriveStatus": "NOT_REDRIVABLE"
        if execution["status"] in ("RUNNING", "SUCCEEDED")
        else "REDRIVABLE",
        "error": execution.get("error"),
        "cause": execution.get("cause"),
    }
    run.engine.events.put(
        run.account,
        run.region,
        source="aws.states",
        detail_type="Step Functions Execution Status Change",
        detail=detail,
        resources=[arn],
    )
