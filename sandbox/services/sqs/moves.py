"""Message move tasks: dead letters back to where they came from, or to another queue.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
"""

from __future__ import annotations

import base64
import uuid
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.tasks import Again, task
from sandbox.services.sqs.attributes import SERVICE, redrive
from sandbox.services.sqs.broker import broker
from sandbox.services.sqs.records import mailbox_of, queue_of_arn

FASTEST = 500
"""Messages a second where none is said."""


def _missing() -> AwsError:
    return AwsError(
        "ResourceNotFoundException",
        "The resource that you specified for the SourceArn parameter doesn't exist.",
    )


@operation(SERVICE, "StartMessageMoveTask")
def start_message_move_task(
    call: Call,
    SourceArn: str,
    DestinationArn: str | None = None,
    MaxNumberOfMessagesPerSecond: int | None = None,
) -> dict[str, Any]:
    source = queue_of_arn(call.engine, SourceArn)
    if source is None:
        raise _missing()
    if DestinationArn and queue_of_arn(call.engine, DestinationArn) is None:
        raise AwsError(
            "ResourceNotFoundException",
            "The resource that you specified for the DestinationArn parameter doesn't exist.",
        )
    targets = [redrive(queue) for queue in call.records("queue").list()]
    if SourceArn not in [target[0] for target in targets if target]:
        raise AwsError(
            "InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.", status=400
        )
    now = call.engine.clock.now()
    handle = base64.b64encode(f"{uuid.uuid4()} {SourceArn}".encode()).decode()
    with call.engine.store.transaction():
        if any(other["Status"] == "RUNNING" for other in _of(call, SourceArn)):
            raise AwsError(
                "UnsupportedOperation",
                "There is already a task running. Only one active task is allowed for a source "
                "queue arn at a "
                "given time.",
            )
        record = {
            "TaskHandle": handle,
            "Status": "RUNNING",
            "SourceArn": SourceArn,
            "DestinationArn": DestinationArn,
            "MaxNumberOfMessagesPerSecond": MaxNumberOfMessagesPerSecond,
            "ApproximateNumberOfMessagesMoved": 0,
            "StartedTimestamp": int(now * 1000),
        }
        call.records("move").put(handle, record)
        call.engine.tasks.submit("sqs.move", f"{call.account}/{call.region}/{handle}")
    return {"TaskHandle": handle}


def _of(call: Call, source: str) -> list[dict[str, Any]]:
    """Newest first."""
    return [record for record in reversed(call.records("move").list()) if record["SourceArn"] == source]


@task("sqs.move")
def move(engine: Engine, key: str, payload: dict[str, Any]) -> Again | None:
    """A second's worth of messages; each is in one of the two queues at any time."""
    account, region, handle = key.split("/", 2)
    records = engine.records(account, region, SERVICE, "move")
    record = records.get(handle)
    if record is None or record["Status"] == "COMPLETED" or record["Status"] == "CANCELLED":
        return None
    if record["Status"] == "CANCELLING":
        records.put(handle, record | {"Status": "CANCELLED"})
        return None
    source = queue_of_arn(engine, record["SourceArn"])
    if source is None:
        records.put(
            handle, record | {"Status": "FAILED", "FailureReason": "AWS.SimpleQueueService.NonExistentQueue"}
        )
        return None
    moved, problem = _some(engine, source, record)
    record["ApproximateNumberOfMessagesMoved"] += moved
    limit = record["MaxNumberOfMessagesPerSecond"] or FASTEST
    if problem:
        record |= {"Status": "FAILED", "FailureReason": problem}
    elif moved < limit:
        record["Status"] = "COMPLETED"
    with engine.store.transaction():
        now = records.get(handle)
        if now is not None and now["Status"] == "CANCELLING":
            record["Status"] = "CANCELLED"
        records.put(handle, record)
    return Again(after=engine.clock.scaled(1.0)) if record["Status"] == "RUNNING" else None


def _some(engine: Engine, source: dict[str, Any], record: dict[str, Any]) -> tuple[int, str]:
    """(messages moved, why no further one can be)."""
    moved = 0
    with broker(engine).lock:
        mailbox = mailbox_of(engine, source)
        now = engine.clock.now()
        for key, message in mailbox.receivable(now):
            if moved == (record["MaxNumberOfMessagesPerSecond"] or FASTEST):
                break
            target = queue_of_arn(engine, record["DestinationArn"] or message.get("source") or "")
            if target is None:
                return moved, "CouldNotDetermineMessageSource"
            fresh = message | {"visible": now, "receives": 0, "sent": now}
            for member in ("handle", "taken", "first", "source"):
                fresh.pop(member, None)
            mailbox_of(engine, target).add(fresh)
            mailbox.remove(key)
            moved += 1
    return moved, ""


@operation(SERVICE, "CancelMessageMoveTask")
def cancel_message_move_task(call: Call, TaskHandle: str) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = call.records("move").get(TaskHandle)
        if record is None:
            raise AwsError("ResourceNotFoundException", "Task does not exist.")
        if record["Status"] != "RUNNING":
            raise AwsError("UnsupportedOperation", "Only active tasks can be cancelled.")
        call.records("move").put(TaskHandle, record | {"Status": "CANCELLING"})
    return {"ApproximateNumberOfMessagesMoved": record["ApproximateNumberOfMessagesMoved"]}


@operation(SERVICE, "ListMessageMoveTasks")
def list_message_move_tasks(call: Call, SourceArn: str, MaxResults: int = 1) -> dict[str, Any]:
    if queue_of_arn(call.engine, SourceArn) is None:
        raise _missing()
    results = []
    for record in _of(call, SourceArn)[: min(MaxResults, 10)]:
        shown = {name: value for name, value in record.items() if value is not None}
        if record["Status"] != "RUNNING":
            del shown["TaskHandle"]
        results.append(shown)
    return {"Results": results}
