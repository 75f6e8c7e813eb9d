"""Drift detection: stacks and resources held against what their services tell of them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/detect-drift-stack.html
"""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.engine.tasks import task
from sandbox.services.cloudformation.deploy.operation import SERVICE_PRINCIPAL, expected_failures
from sandbox.services.cloudformation.operations.stacks import living, stacks_of
from sandbox.services.cloudformation.resources.handler import Request
from sandbox.services.cloudformation.stack import drift
from sandbox.services.cloudformation.stack.records import Record, Stacks
from sandbox.services.cloudformation.template.errors import TemplateError

if TYPE_CHECKING:
    from sandbox.engine.clients import Session
    from sandbox.engine.engine import Engine

_RESTING = (
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_FAILED",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
)
_DRIFTED = ("MODIFIED", "DELETED")
_PRESENT = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_FAILED", "IMPORT_COMPLETE")


def _checkable(stack: Record) -> None:
    if stack["StackStatus"] not in _RESTING:
        raise TemplateError(
            f"Stack [{stack['StackName']}] is in {stack['StackStatus']} status, which does not support "
            "drift detection"
        )


@operation("cloudformation", "DetectStackDrift")
def detect_stack_drift(
    call: Call, StackName: str, LogicalResourceIds: list[str] | None = None
) -> dict[str, Any]:
    stacks = stacks_of(call)
    stack = living(stacks, StackName)
    _checkable(stack)
    lost = [name for name in LogicalResourceIds or [] if stacks.resource(stack["StackId"], name) is None]
    if lost:
        raise TemplateError(f"Resource [{', '.join(lost)}] does not exist for stack {stack['StackName']}")
    identifier = str(uuid.uuid4())
    record = {
        "StackId": stack["StackId"],
        "StackDriftDetectionId": identifier,
        "DetectionStatus": "DETECTION_IN_PROGRESS",
        "Timestamp": call.engine.clock.now(),
    }
    place = {"account": call.account, "region": call.region, "resources": LogicalResourceIds}
    caller = {"access_key": call.principal.access_key, "via": list(call.principal.via)}
    with call.engine.store.transaction():
        call.records("drift-detection").put(identifier, record)
        call.engine.tasks.submit("cloudformation.drift", identifier, place | caller)
    return {"StackDriftDetectionId": identifier}


@task("cloudformation.drift")
def detect(engine: Engine, key: str, payload: dict[str, Any]) -> None:
    """Reads every resource of a stack as the one who asked, and writes down how it differs."""
    stacks = Stacks(engine, payload["account"], payload["region"])
    detections = engine.records(payload["account"], payload["region"], "cloudformation", "drift-detection")
    record = detections.get(key)
    if record is None or record["DetectionStatus"] != "DETECTION_IN_PROGRESS":
        return
    stack = stacks.get(record["StackId"])
    session = engine.clients.of_access_key(
        payload["access_key"], payload["region"], via=SERVICE_PRINCIPAL, chain=tuple(payload["via"])
    )
    wanted, failed = payload["resources"], ""
    for name in stacks.resources_of(stack["StackId"]):
        if wanted and name not in wanted:
            continue
        try:
            checked(stacks, stack, name, session)
        except expected_failures() as error:
            failed = f"Failed to detect drift on resource [{name}]: {getattr(error, 'message', error)}"
    with engine.store.transaction():
        found = [item.get("Drift") for item in stacks.resources_of(stack["StackId"]).values()]
        drifted = sum(1 for item in found if item and item["StackResourceDriftStatus"] in _DRIFTED)
        status = "DRIFTED" if drifted else "IN_SYNC"
        stack = stacks.get(record["StackId"])
        stack["Drift"] = {"StackDriftStatus": status, "LastCheckTimestamp": record["Timestamp"]}
        stacks.put(stack)
        ended = {"DetectionStatus": "DETECTION_COMPLETE", "StackDriftStatus": status}
        if failed:
            ended |= {"DetectionStatus": "DETECTION_FAILED", "DetectionStatusReason": failed}
        detections.put(key, record | ended | {"DriftedStackResourceCount": drifted})


def checked(stacks: Stacks, stack: Record, name: str, session: Session) -> Record:
    """Compares one resource and notes the outcome with it."""
    record = stacks.resource(stack["StackId"], name)
    assert record is not None
    outcome = _outcome(stacks, stack, record, session)
    with stacks.engine.store.transaction():
        current = stacks.resource(stack["StackId"], name) or record
        stacks.put_resource(stack["StackId"], current | {"Drift": outcome})
    return outcome


def _outcome(stacks: Stacks, stack: Record, record: Record, session: Session) -> Record:
    from sandbox.services.cloudformation.resources import live

    now = stacks.engine.clock.now()
    properties, hidden = record.get("Properties") or {}, record.get("Shown")
    unchecked = {"StackResourceDriftStatus": "NOT_CHECKED", "Timestamp": now, "PropertyDifferences": []}
    reader = live.LIVE.get(record["ResourceType"])
    if reader is None or record["ResourceStatus"] not in _PRESENT:
        return unchecked
    expected = {
        key: item
        for key, item in properties.items()
        if key in reader.covers and (hidden is None or hidden.get(key) == item)
    }
    found = live.read(request_of(stacks, stack, record, session))
    outcome = unchecked | {"ExpectedProperties": drift.shown(expected)}
    if found is None:
        return outcome | {"StackResourceDriftStatus": "DELETED"}
    differing = drift.differences(expected, found)
    return outcome | {
        "ActualProperties": drift.shown(drift.told(expected, found)),
        "PropertyDifferences": differing,
        "StackResourceDriftStatus": "MODIFIED" if differing else "IN_SYNC",
    }


def request_of(stacks: Stacks, stack: Record, record: Record, session: Session) -> Request:
    """A request that only reads."""
    return Request(
        engine=stacks.engine,
        session=session,
        place=stacks.place(stack),
        type=record["ResourceType"],
        logical_id=record["LogicalResourceId"],
        token=record["Token"],
        stop=threading.Event(),
        properties=record.get("Properties") or {},
        physical_id=record["PhysicalResourceId"],
        attributes=record.get("Attributes") or {},
    )


@operation("cloudformation", "DescribeStackDriftDetectionStatus")
def describe_stack_drift_detection_status(call: Call, StackDriftDetectionId: str) -> dict[str, Any]:
    record = call.records("drift-detection").get(StackDriftDetectionId)
    if record is None:
        raise AwsError(
            "ValidationError", f"Drift detection [{StackDriftDetectionId}] does not exist", status=400
        )
    return record


def _drift(stack: Record, record: Record) -> dict[str, Any]:
    return {
        "StackId": stack["StackId"],
        "LogicalResourceId": record["LogicalResourceId"],
        "PhysicalResourceId": record["PhysicalResourceId"],
        "ResourceType": record["ResourceType"],
        **record["Drift"],
    }


@operation("cloudformation", "DetectStackResourceDrift")
def detect_stack_resource_drift(call: Call, StackName: str, LogicalResourceId: str) -> dict[str, Any]:
    stacks = stacks_of(call)
    stack = living(stacks, StackName)
    _checkable(stack)
    record = stacks.resource(stack["StackId"], LogicalResourceId)
    if record is None:
        raise TemplateError(f"Resource {LogicalResourceId} does not exist for stack {stack['StackName']}")
    outcome = checked(stacks, stack, LogicalResourceId, call.session(SERVICE_PRINCIPAL))
    return {"StackResourceDrift": _drift(stack, record | {"Drift": outcome})}


@operation("cloudformation", "DescribeStackResourceDrifts")
def describe_stack_resource_drifts(
    call: Call,
    StackName: str,
    StackResourceDriftStatusFilters: list[str] | None = None,
    NextToken: str | None = None,
    MaxResults: int | None = None,
) -> dict[str, Any]:
    stacks = stacks_of(call)
    stack = living(stacks, StackName)
    found = [
        _drift(stack, record)
        for record in stacks.resources_of(stack["StackId"]).values()
        if record.get("Drift")
        and (
            not StackResourceDriftStatusFilters
            or record["Drift"]["StackResourceDriftStatus"] in StackResourceDriftStatusFilters
        )
    ]
    items, token = page(found, NextToken, MaxResults, error="ValidationError")
    return {"StackResourceDrifts": items, "NextToken": token}
