"""A redrive: an execution that ended badly goes on from the states that failed.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
"""

from __future__ import annotations

from typing import Any

from sandbox.services.stepfunctions.execution import endings
from sandbox.services.stepfunctions.execution.run import ROOT, Branch, Run

_TRANSIENT = ("failure", "due", "overrun", "token", "job", "call", "result", "gone")


def redrive(run: Run) -> None:
    """To be called in a transaction, for an execution that has ended without success."""
    kept = run.records("redrive").get(run.key)
    assert kept is not None
    execution = run.execution()
    now = run.engine.clock.now()
    count = execution.get("redrives", 0) + 1
    for name in ("stopped", "error", "cause"):
        execution.pop(name, None)
    run.records("execution").put(
        run.key, execution | {"status": "RUNNING", "redrives": count, "redriven": now}
    )
    last = run.append("ExecutionRedriven", 0, "executionRedrivenEventDetails", {"redriveCount": count})
    root = kept["branch"][ROOT]
    root["last"] = last
    _revive(run, root, _children(kept))
    run.records("redrive").delete(run.key)
    endings.publish(run)


def _children(kept: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Every branch below the first: how it was kept, and its record."""
    found = {name: ("branch", record) for name, record in kept["branch"].items() if name != ROOT}
    found |= {name: ("ended", record) for name, record in kept["ended"].items()}
    return found | {name: (item["kind"], item["record"]) for name, item in kept["shelf"].items()}


def _revive(run: Run, branch: Branch, others: dict[str, tuple[str, dict[str, Any]]]) -> None:
    """A state that has branches goes on with those that did not succeed; any other is done again."""
    for name in _TRANSIENT:
        branch.pop(name, None)
    branch |= {"elapsed": 0.0, "worked": run.engine.clock.now(), "retries": {}}
    below = {name: item for name, item in others.items() if _is_child(branch, name)}
    if branch["phase"] == "enter":
        below = {}
    elif branch.get("mapRun") and _redrive_map_run(run, branch):
        branch["phase"] = "children"
    else:
        branch["phase"] = "children" if below else "execute"
    for name, (kind, record) in below.items():
        if kind == "ended" and record["status"] == "SUCCEEDED":
            run.records("ended").put(f"{run.key}|{name}", record)
            endings.count(run, branch["id"], "SUCCEEDED")
        else:
            child = record["branch"] if kind == "ended" else record
            _revive(run, child, {key: item for key, item in others.items() if key.startswith(f"{name}.")})
    run.records("branch").put(f"{run.key}|{branch['id']}", branch)
    run.wake(branch["id"])


def _is_child(branch: Branch, name: str) -> bool:
    prefix = f"{branch['id']}.{branch['entered']}-{branch.get('attempt')}-"
    return name.startswith(prefix) and "." not in name[len(prefix) :]


def _redrive_map_run(run: Run, branch: Branch) -> bool:
    """Runs the executions of a map run again that did not succeed."""
    from sandbox.services.stepfunctions.execution import distributed_map

    key = branch["mapRun"]
    record = run.records("maprun").get(key)
    if record is None:
        return False
    record |= {"status": "RUNNING", "redrives": record["redrives"] + 1}
    record.pop("stopped", None)
    run.records("maprun").put(key, record)
    tally = distributed_map.tally_of(run, key)
    for name in run.records("mapitem").keys(f"{key}|"):
        item = run.records("mapitem").get(name)
        if item is None or item["status"] in (None, "SUCCEEDED"):
            continue
        tally[item["status"]] -= 1
        run.records("mapitem").put(name, item | {"status": None})
        redrive(Run(run.engine, run.account, run.region, item["execution"]))
    run.records("maptally").put(key, tally)
    details = {"mapRunArn": record["arn"], "redriveCount": record["redrives"]}
    run.event(branch, "MapRunRedriven", "mapRunRedrivenEventDetails", **details)
    return True
