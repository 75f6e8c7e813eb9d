"""Operations on executions."""

from __future__ import annotations

import uuid
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.stepfunctions.execution import arns, endings, waiting
from sandbox.services.stepfunctions.execution.run import ROOT, SERVICE, Run
from sandbox.services.stepfunctions.execution.starting import Start, begin
from sandbox.services.stepfunctions.language.scope import dumps
from sandbox.services.stepfunctions.names import check_name, input_of, machine_of, run_of
from sandbox.services.stepfunctions.versioning import Chosen, resolve

EXPRESS_LIMIT = 300.0
"""Seconds that an express execution may take."""


@operation(SERVICE, "StartExecution")
def start_execution(
    call: Call,
    stateMachineArn: str,
    name: str | None = None,
    input: str | None = None,
    traceHeader: str | None = None,
) -> dict[str, Any]:
    machine, qualifier = machine_of(call, stateMachineArn)
    chosen = resolve(call, machine, qualifier, stateMachineArn)
    if name is not None:
        check_name(name)
    body = input_of(input)
    express = machine["type"] == "EXPRESS"
    name = name or str(uuid.uuid4())
    key = f"{machine['name']}:{name}" + (f":{uuid.uuid4()}" if express else "")
    run = Run(call.engine, call.account, call.region, key)
    arn = arns.execution(call.account, call.region, key, express=express)
    with call.engine.store.transaction():
        before = run.records("execution").get(key)
        if before is not None:
            same = before["status"] == "RUNNING" and dumps(run.details()["input"]) == dumps(body)
            if not same:
                raise AwsError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
            return {"executionArn": arn, "startDate": before["started"]}
        begin(run, _start(machine, chosen, name, body, traceHeader))
    return {"executionArn": arn, "startDate": run.execution()["started"]}


def _start(
    machine: dict[str, Any], chosen: Chosen, name: str, body: Any, trace: str | None, sync: bool = False
) -> Start:
    return Start(
        machine=machine,
        version=chosen.record,
        name=name,
        input=body,
        version_arn=chosen.version_arn,
        alias_arn=chosen.alias_arn,
        trace=trace,
        sync=sync,
    )


@operation(SERVICE, "StartSyncExecution")
def start_sync_execution(
    call: Call,
    stateMachineArn: str,
    name: str | None = None,
    input: str | None = None,
    traceHeader: str | None = None,
    includedData: str = "ALL_DATA",
) -> dict[str, Any]:
    machine, qualifier = machine_of(call, stateMachineArn)
    if machine["type"] != "EXPRESS":
        raise AwsError(
            "StateMachineTypeNotSupported", "This operation is not supported by this type of state machine"
        )
    chosen = resolve(call, machine, qualifier, stateMachineArn)
    if name is not None:
        check_name(name)
    body = input_of(input)
    name = name or str(uuid.uuid4())
    run = Run(call.engine, call.account, call.region, f"{machine['name']}:{name}:{uuid.uuid4()}")
    with call.engine.store.transaction():
        begin(run, _start(machine, chosen, name, body, traceHeader, sync=True))
    while not waiting.until_ended(run, EXPRESS_LIMIT):
        pass  # its own time-out ends it
    execution = run.execution()
    shown = _described(run, execution, express=True)
    for member in ("redriveCount", "redriveDate", "redriveStatus", "redriveStatusReason", "mapRunArn"):
        shown.pop(member, None)
    for member in ("stateMachineVersionArn", "stateMachineAliasArn"):
        shown.pop(member, None)
    if includedData == "METADATA_ONLY":
        shown = _without_data(shown)
    taken = max(1, round((execution["stopped"] - execution["started"]) * 1000))
    billed = -(-taken // 100) * 100
    return shown | {"billingDetails": {"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": billed}}


@operation(SERVICE, "StopExecution")
def stop_execution(
    call: Call, executionArn: str, error: str | None = None, cause: str | None = None
) -> dict[str, Any]:
    run = run_of(call, executionArn)
    with call.engine.store.transaction():
        branch = run.branch(ROOT)
        endings.end_execution(run, "ABORTED", branch["last"] if branch else 0, error=error, cause=cause)
        return {"stopDate": run.execution()["stopped"]}


@operation(SERVICE, "DescribeExecution")
def describe_execution(call: Call, executionArn: str, includedData: str = "ALL_DATA") -> dict[str, Any]:
    run = run_of(call, executionArn)
    shown = _described(run, run.execution(), express=False)
    return _without_data(shown) if includedData == "METADATA_ONLY" else shown


def _without_data(shown: dict[str, Any]) -> dict[str, Any]:
    hidden = {name: item for name, item in shown.items() if name not in ("input", "output", "error", "cause")}
    for name in ("inputDetails", "outputDetails"):
        if name in hidden and hidden[name]:
            hidden[name] = {"included": False}
    return hidden


def _described(run: Run, execution: dict[str, Any], *, express: bool) -> dict[str, Any]:
    details = run.details()
    shown = {
        "executionArn": arns.execution(run.account, run.region, run.key, express=express),
        "stateMachineArn": details["machineArn"],
        "name": details["name"],
        "status": execution["status"],
        "startDate": execution["started"],
        "stopDate": execution.get("stopped"),
        "input": dumps(details["input"]),
        "inputDetails": {"included": True},
        "output": execution.get("output"),
        "outputDetails": {"included": True} if "output" in execution else None,
        "error": execution.get("error"),
        "cause": execution.get("cause"),
        "traceHeader": details.get("trace"),
        "mapRunArn": details.get("mapRunArn"),
        "stateMachineVersionArn": details.get("versionArn"),
        "stateMachineAliasArn": details.get("aliasArn"),
        "redriveCount": execution.get("redrives", 0),
        "redriveDate": execution.get("redriven"),
    }
    return shown | _redrive_status(execution, details)


def _redrive_status(execution: dict[str, Any], details: dict[str, Any]) -> dict[str, Any]:
    if details.get("mapRunArn") and execution["status"] in ("FAILED", "TIMED_OUT", "ABORTED"):
        return {"redriveStatus": "REDRIVABLE_BY_MAP_RUN"}
    if execution["status"] in ("FAILED", "TIMED_OUT", "ABORTED"):
        return {"redriveStatus": "REDRIVABLE"}
    reason = "Execution is RUNNING" if execution["status"] == "RUNNING" else "Execution is SUCCEEDED"
    return {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": f"{reason} and cannot be redriven"}


@operation(SERVICE, "DescribeStateMachineForExecution")
def describe_state_machine_for_execution(
    call: Call, executionArn: str, includedData: str = "ALL_DATA"
) -> dict[str, Any]:
    run = run_of(call, executionArn)
    details = run.details()
    return {
        "stateMachineArn": details["machineArn"],
        "name": details["machineName"],
        "definition": details["definition"] if includedData == "ALL_DATA" else "",
        "roleArn": details["roleArn"],
        "updateDate": details["updated"],
        "loggingConfiguration": details["logging"],
        "tracingConfiguration": details["tracing"],
        "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
        "revisionId": details.get("revision"),
        "mapRunArn": details.get("mapRunArn"),
        "label": details.get("label"),
    }


@operation(SERVICE, "ListExecutions")
def list_executions(
    call: Call,
    stateMachineArn: str | None = None,
    mapRunArn: str | None = None,
    statusFilter: str | None = None,
    redriveFilter: str | None = None,
    maxResults: int | None = None,
    nextToken: str | None = None,
) -> dict[str, Any]:
    if (stateMachineArn is None) == (mapRunArn is None):
        raise AwsError(
            "ValidationException", "Exactly one of stateMachineArn and mapRunArn must be specified"
        )
    if redriveFilter and mapRunArn:
        raise AwsError("ValidationException", "redriveFilter cannot be used with mapRunArn")
    shown = [
        item
        for item in _executions(call, stateMachineArn, mapRunArn)
        if statusFilter in (None, item["status"])
        and (redriveFilter is None or (redriveFilter == "REDRIVEN") == bool(item["redriveCount"]))
    ]
    chosen, token = page(shown, nextToken, maxResults, error="InvalidToken")
    return {"executions": chosen} | ({"nextToken": token} if token else {})


def _executions(call: Call, machine_arn: str | None, map_run_arn: str | None) -> list[dict[str, Any]]:
    """Newest first."""
    qualifier = None
    if machine_arn is not None:
        machine, qualifier = machine_of(call, machine_arn)
        if machine["type"] == "EXPRESS":
            raise AwsError(
                "StateMachineTypeNotSupported",
                "This operation is not supported by this type of state machine",
            )
        if qualifier:
            resolve(call, machine, qualifier, machine_arn)
        prefix = f"{machine['name']}:"
    else:
        prefix = f"{arns.parse(str(map_run_arn), 'mapRun').rest.partition(':')[0]}:"
    records = call.records("execution")
    found = []
    for key in records.keys(prefix):
        record = records.get(key)
        if record is None or (map_run_arn and record.get("mapRunArn") != map_run_arn):
            continue
        if qualifier and machine_arn not in (record.get("versionArn"), record.get("aliasArn")):
            continue
        found.append(_listed(call, key, record))
    return sorted(found, key=lambda item: item["startDate"], reverse=True)


def _listed(call: Call, key: str, record: dict[str, Any]) -> dict[str, Any]:
    return {
        "executionArn": arns.execution(call.account, call.region, key, express=False),
        "stateMachineArn": record["machineArn"],
        "name": record["name"],
        "status": record["status"],
        "startDate": record["started"],
        "stopDate": record.get("stopped"),
        "mapRunArn": record.get("mapRunArn"),
        "itemCount": record.get("itemCount"),
        "stateMachineVersionArn": record.get("versionArn"),
        "stateMachineAliasArn": record.get("aliasArn"),
        "redriveCount": record.get("redrives", 0),
        "redriveDate": record.get("redriven"),
    }
