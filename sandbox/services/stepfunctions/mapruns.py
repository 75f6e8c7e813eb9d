"""Operations on map runs."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.stepfunctions.execution import arns
from sandbox.services.stepfunctions.execution.distributed_map import tally_of
from sandbox.services.stepfunctions.execution.run import SERVICE, Run, run_of
from sandbox.services.stepfunctions.names import run_of as execution_of


def _map_run(call: Call, arn: str) -> tuple[str, dict[str, Any]]:
    key = arns.parse(arn, "mapRun").rest
    record = call.records("maprun").get(key)
    if record is None:
        raise AwsError(
            "ResourceNotFound",
            f"Request references a resource that doesn't exist. Resource not found: {arn}",
            resourceName=arn,
        )
    return key, record


@operation(SERVICE, "DescribeMapRun")
def describe_map_run(call: Call, mapRunArn: str) -> dict[str, Any]:
    key, record = _map_run(call, mapRunArn)
    run = Run(call.engine, call.account, call.region, record["execution"])
    tally = tally_of(run, key)
    items = dict.fromkeys(tally, 0)
    open_items = 0
    for item, count in zip(run.records("mapitem").list(f"{key}|"), record["counts"], strict=True):
        if item["status"] is None:
            open_items += count
        else:
            items[item["status"]] += count
    begun = record["begun"] - sum(tally.values())
    return {
        "mapRunArn": record["arn"],
        "executionArn": arns.execution(call.account, call.region, record["execution"], express=False),
        "status": record["status"],
        "startDate": record["started"],
        "stopDate": record.get("stopped"),
        "maxConcurrency": record["maxConcurrency"],
        "toleratedFailurePercentage": record["toleratedFailurePercentage"],
        "toleratedFailureCount": record["toleratedFailureCount"],
        "executionCounts": _counts(tally, begun, len(record["counts"]) - record["begun"], record["written"]),
        "itemCounts": _counts(items, begun, max(0, open_items - begun), record["written"]),
        "redriveCount": record["redrives"],
    }


def _counts(ended: dict[str, int], running: int, pending: int, written: int) -> dict[str, int]:
    return {
        "pending": pending,
        "running": running,
        "succeeded": ended["SUCCEEDED"],
        "failed": ended["FAILED"],
        "timedOut": ended["TIMED_OUT"],
        "aborted": ended["ABORTED"],
        "total": sum(ended.values()) + running + pending,
        "resultsWritten": written,
        "failuresNotRedrivable": 0,
        "pendingRedrive": 0,
    }


@operation(SERVICE, "ListMapRuns")
def list_map_runs(
    call: Call, executionArn: str, maxResults: int | None = None, nextToken: str | None = None
) -> dict[str, Any]:
    run = execution_of(call, executionArn)
    machine = run.details()["machineName"]
    records = [item for item in call.records("maprun").list(f"{machine}/") if item["execution"] == run.key]
    chosen, token = page(records, nextToken, maxResults, error="InvalidToken")
    shown = [
        {
            "executionArn": executionArn,
            "mapRunArn": item["arn"],
            "stateMachineArn": run.details()["machineArn"],
            "startDate": item["started"],
            "stopDate": item.get("stopped"),
        }
        for item in chosen
    ]
    return {"mapRuns": shown} | ({"nextToken": token} if token else {})


@operation(SERVICE, "UpdateMapRun")
def update_map_run(call: Call, mapRunArn: str, **limits: Any) -> dict[str, Any]:
    if not limits:
        raise AwsError(
            "ValidationException",
            "One of maxConcurrency, toleratedFailureCount and toleratedFailurePercentage is required",
            reason="MISSING_REQUIRED_PARAMETER",
        )
    with call.engine.store.transaction():
        key, record = _map_run(call, mapRunArn)
        if record["status"] != "RUNNING":
            raise AwsError(
                "ValidationException",
                "The map run has completed and cannot be updated",
                reason="CANNOT_UPDATE_COMPLETED_MAP_RUN",
            )
        call.records("maprun").put(key, record | limits)
        run, identifier = run_of(call.engine, record["task"])
        run.wake(identifier)
    return {}
