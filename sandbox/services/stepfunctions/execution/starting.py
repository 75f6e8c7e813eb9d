"""The first records of an execution."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.services.stepfunctions.definition.machine import machine as read
from sandbox.services.stepfunctions.execution import arns, endings
from sandbox.services.stepfunctions.execution.children import new_branch
from sandbox.services.stepfunctions.execution.run import ROOT, Run
from sandbox.services.stepfunctions.language.scope import dumps

EXPRESS_LIMIT = 300.0


@dataclass(frozen=True)
class Start:
    """`version`: the machine or the version of it that is run. `extra`: what executions of a map run add."""

    machine: dict[str, Any]
    version: dict[str, Any]
    name: str
    input: Any
    version_arn: str | None = None
    alias_arn: str | None = None
    trace: str | None = None
    sync: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


def begin(run: Run, start: Start) -> None:
    """Writes the execution and wakes it. To be called in a transaction."""
    now = run.engine.clock.now()
    express = start.machine["type"] == "EXPRESS"
    machine = read(start.version["definition"])
    timeout = machine.timeout
    if express:
        timeout = min(timeout or EXPRESS_LIMIT, EXPRESS_LIMIT)
    arn = arns.execution(run.account, run.region, run.key, express=express)
    details = {
        "definition": start.version["definition"],
        "roleArn": start.version["roleArn"],
        "logging": start.version["logging"],
        "tracing": start.version["tracing"],
        "revision": start.version["revision"],
        "updated": start.machine["updated"],
        "input": start.input,
        "name": start.name,
        "machineName": start.machine["name"],
        "machineArn": start.machine["arn"],
        "baseArn": start.machine["arn"],
        "versionArn": start.version_arn,
        "aliasArn": start.alias_arn,
        "contextArn": arn,
        "type": start.machine["type"],
        "started": now,
        "timeout": timeout,
        "trace": start.trace,
        "sync": start.sync,
    } | start.extra
    run.records("start").put(run.key, details)
    listed = ("name", "machineArn", "versionArn", "aliasArn", "started", "mapRunArn", "itemCount")
    record = {name: details.get(name) for name in listed}
    run.records("execution").put(run.key, record | {"status": "RUNNING", "redrives": 0})
    last = run.append(
        "ExecutionStarted",
        0,
        "executionStartedEventDetails",
        {
            "input": dumps(start.input),
            "inputDetails": {"truncated": False},
            "roleArn": details["roleArn"],
            "stateMachineAliasArn": start.alias_arn,
            "stateMachineVersionArn": start.version_arn,
        },
    )
    branch = new_branch(run, ROOT, details.get("scope", []), start.input, last)
    run.records("branch").put(f"{run.key}|{ROOT}", branch)
    endings.publish(run)
    run.wake(ROOT)
