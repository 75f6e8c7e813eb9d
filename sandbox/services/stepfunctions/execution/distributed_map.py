"""Distributed Map: a map run, whose items are executions of their own.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""

from __future__ import annotations

import uuid
from typing import Any

from sandbox.engine.errors import AwsError
from sandbox.services.stepfunctions.definition.machine import State, processor_name
from sandbox.services.stepfunctions.execution import endings, item_reader, maps, requests, result_writer
from sandbox.services.stepfunctions.execution.run import ROOT, Branch, Run, run_of
from sandbox.services.stepfunctions.execution.starting import Start
from sandbox.services.stepfunctions.execution.starting import begin as begin_execution
from sandbox.services.stepfunctions.language.errors import PERMISSIONS, TOLERANCE, StateError

AT_ONCE = 1000
_STARTED_TOGETHER = 50
_NAMESPACE = uuid.UUID("7a0f6f4e-54a4-4a9c-9c60-0d4b6f6f1b55")
STATUSES = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


def begin(run: Run, branch: Branch) -> bool:
    """Reads the items and writes the map run; its executions start next."""
    state = run.state(branch)
    _may_start(run, branch)
    inputs, counts = item_reader.inputs_of(run, branch, state)
    label = state.get("Label") or str(uuid.uuid5(_NAMESPACE, branch["state"]))
    key = f"{run.details()['machineName']}/{label}:{uuid.uuid4()}"
    arn = f"arn:aws:states:{run.region}:{run.account}:mapRun:{key}"
    limits = {
        "maxConcurrency": maps.at_once(run, branch, state),
        "toleratedFailureCount": int(maps.number(run, branch, state, "ToleratedFailureCount", 0)),
        "toleratedFailurePercentage": maps.number(run, branch, state, "ToleratedFailurePercentage", 0),
    }
    with run.writing(branch):
        branch["attempt"] = branch["last"]
        run.event(branch, "MapStateStarted", "mapStateStartedEventDetails", length=len(inputs))
        run.event(branch, "MapRunStarted", "mapRunStartedEventDetails", mapRunArn=arn)
        record = {
            "arn": arn,
            "execution": run.key,
            "task": run.task_key(branch["id"]),
            "status": "RUNNING",
            "started": run.engine.clock.now(),
            "counts": counts,
            "begun": 0,
            "redrives": 0,
            "written": 0,
            **limits,
        }
        run.records("maprun").put(key, record)
        for index, value in enumerate(inputs):
            run.records("mapitem").put(f"{key}|{index:08d}", {"input": value, "status": None})
        branch |= {"phase": "children", "mapRun": key, "label": label}
    return True


def _may_start(run: Run, branch: Branch) -> None:
    """The machine's role starts the executions."""
    try:
        requests.session(run, branch).authorize("states:StartExecution", run.details()["baseArn"])
    except AwsError as error:
        raise StateError(PERMISSIONS, error.message) from error


def look(run: Run, branch: Branch) -> bool:
    """Starts executions as room comes free; ends with the last of them, or with too many failures."""
    state = run.state(branch)
    key = branch["mapRun"]
    record = run.records("maprun").get(key)
    assert record is not None
    tally = tally_of(run, key)
    ended = sum(tally.values())
    total = len(record["counts"])
    if _too_many(record, tally, total):
        return _fail(run, branch, key)
    if ended == total:
        return _join(run, branch, state, key)
    limit = min(record["maxConcurrency"] or AT_ONCE, AT_ONCE)
    room = min(limit - (record["begun"] - ended), total - record["begun"], _STARTED_TOGETHER)
    if room <= 0:
        return False
    with run.writing(branch):
        for index in range(record["begun"], record["begun"] + room):
            _start(run, branch, state, key, record, index)
        record = run.records("maprun").get(key) or record
        run.records("maprun").put(key, record | {"begun": record["begun"] + room})
    return True


def tally_of(run: Run, key: str) -> dict[str, int]:
    """How many executions of a map run ended, by their status."""
    return run.records("maptally").get(key) or dict.fromkeys(STATUSES, 0)


def _too_many(record: dict[str, Any], tally: dict[str, int], total: int) -> bool:
    failed = tally["FAILED"] + tally["TIMED_OUT"] + tally["ABORTED"]
    if not failed:
        return False
    count, share = record["toleratedFailureCount"], record["toleratedFailurePercentage"]
    if count and share:
        return bool(failed > count or failed * 100 > share * total)
    if share:
        return bool(failed * 100 > share * total)
    return bool(failed > count)


def child_of(run: Run, key: str, index: int, *, express: bool) -> Run:
    name = uuid.uuid5(_NAMESPACE, f"{key} {index}")
    tail = f":{uuid.uuid5(_NAMESPACE, f'{key} {index} run')}" if express else ""
    return Run(run.engine, run.account, run.region, f"{key.partition(':')[0]}:{name}{tail}")


def _express(state: State) -> bool:
    config = state[processor_name(state)].get("ProcessorConfig", {})
    return bool(config.get("ExecutionType") == "EXPRESS")


def _start(run: Run, branch: Branch, state: State, key: str, record: dict[str, Any], index: int) -> None:
    details = run.details()
    express = _express(state)
    child = child_of(run, key, index, express=express)
    item = run.records("mapitem").get(f"{key}|{index:08d}")
    assert item is not None
    machine = {
        "name": f"{details['machineName']}/{branch['label']}",
        "arn": f"{details['baseArn']}/{branch['label']}",
        "type": "EXPRESS" if express else "STANDARD",
        "updated": details["updated"],
    }
    extra = {
        "scope": [*branch["scope"], "States", branch["state"], processor_name(state)],
        "mapRunArn": record["arn"],
        "label": branch["label"],
        "itemCount": record["counts"][index],
        "baseArn": details["baseArn"],
        "mapRun": key,
        "index": index,
        "timeout": None if not express else 300.0,
    }
    name = child.key.partition(":")[2].partition(":")[0]
    begin_execution(child, Start(machine, details, name, item["input"], extra=extra))


def ended(child: Run, status: str) -> None:
    """A child execution has ended: it is counted, and its Map state looks. To be called in a transaction."""
    details = child.details()
    key = details.get("mapRun")
    if key is None:
        return
    tally = tally_of(child, key)
    tally[status] += 1
    child.records("maptally").put(key, tally)
    item = child.records("mapitem").get(f"{key}|{details['index']:08d}")
    if item is not None:
        child.records("mapitem").put(
            f"{key}|{details['index']:08d}", item | {"status": status, "execution": child.key}
        )
    record = child.records("maprun").get(key)
    if record is not None and record["status"] == "RUNNING":
        parent, identifier = run_of(child.engine, record["task"])
        parent.wake(identifier)


def _fail(run: Run, branch: Branch, key: str) -> bool:
    cause = "The specified tolerated failure threshold was exceeded"
    with run.writing(branch):
        _close(run, key, "FAILED")
        run.event(branch, "MapRunFailed", "mapRunFailedEventDetails", error=TOLERANCE, cause=cause)
        run.event(branch, "MapStateFailed")
        branch["failure"] = {"error": TOLERANCE, "cause": cause, "located": False}
        branch["phase"] = "failed"
    return True


def _close(run: Run, key: str, status: str) -> None:
    """Ends a map run, and the executions of it that still run."""
    record = run.records("maprun").get(key)
    if record is None or record["status"] != "RUNNING":
        return
    run.records("maprun").put(key, record | {"status": status, "stopped": run.engine.clock.now()})
    for child in running(run, key):
        branch = child.branch(ROOT)
        endings.end_execution(child, "ABORTED", branch["last"] if branch else 0)


def running(run: Run, key: str) -> list[Run]:
    executions = run.records("execution")
    prefix = f"{key.partition(':')[0]}:"
    found = []
    for name in executions.keys(prefix):
        record = executions.get(name)
        if record and record["status"] == "RUNNING" and str(record.get("mapRunArn")).endswith(f":{key}"):
            found.append(Run(run.engine, run.account, run.region, name))
    return found


def abort(run: Run, branch: Branch) -> None:
    """The Map state is given up with its execution. To be called in a transaction."""
    key = branch["mapRun"]
    record = run.records("maprun").get(key)
    if record is not None and record["status"] == "RUNNING":
        _close(run, key, "ABORTED")
        run.event(branch, "MapRunAborted")


def _join(run: Run, branch: Branch, state: State, key: str) -> bool:
    """The results, in order, or where they were written."""
    items = run.records("mapitem").list(f"{key}|")
    done = [item for item in items if item["status"] == "SUCCEEDED"]
    result: Any
    if "ResultWriter" in state:
        result = result_writer.write(run, branch, state, key, items)
    else:
        result = [result_writer.output_of(run, item) for item in done]
    with run.writing(branch):
        record = run.records("maprun").get(key)
        assert record is not None
        record |= {"status": "SUCCEEDED", "stopped": run.engine.clock.now(), "written": len(items)}
        run.records("maprun").put(key, record)
        branch["outputs"] = result
        run.event(branch, "MapRunSucceeded")
        run.event(branch, "MapStateSucceeded")
        branch["phase"] = "joined"
        branch.pop("mapRun")
    return True
