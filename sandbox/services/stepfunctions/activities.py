"""Activities: workers ask for tasks and answer by token.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-activities.html
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.stepfunctions.execution import arns, waiting
from sandbox.services.stepfunctions.execution.run import ADVANCE, SERVICE
from sandbox.services.stepfunctions.language.scope import dumps
from sandbox.services.stepfunctions.names import check_name

POLL = 60.0
"""Seconds for which GetActivityTask waits for a task, on the sandbox's clock."""


@operation(SERVICE, "CreateActivity")
def create_activity(
    call: Call, name: str, tags: list[dict[str, str]] | None = None, **members: Any
) -> dict[str, Any]:
    """Repeated it is the same activity; tags do not count."""
    check_name(name)
    encryption = members.get("encryptionConfiguration")
    if encryption and encryption["type"] != "AWS_OWNED_KEY":
        raise AwsError(
            "InvalidEncryptionConfiguration", "Customer managed keys are not implemented in the sandbox"
        )
    with call.engine.store.transaction():
        record = call.records("activity").get(name) or {
            "name": name,
            "arn": call.arn(f"activity:{name}"),
            "created": call.engine.clock.now(),
            "tags": {tag["key"]: tag.get("value", "") for tag in tags or []},
        }
        call.records("activity").put(name, record)
    return {"activityArn": record["arn"], "creationDate": record["created"]}


def _activity(call: Call, arn: str) -> dict[str, Any]:
    record = call.records("activity").get(arns.parse(arn, "activity").rest)
    if record is None:
        raise AwsError("ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'")
    return record


@operation(SERVICE, "DescribeActivity")
def describe_activity(call: Call, activityArn: str) -> dict[str, Any]:
    record = _activity(call, activityArn)
    return {
        "activityArn": record["arn"],
        "name": record["name"],
        "creationDate": record["created"],
        "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
    }


@operation(SERVICE, "ListActivities")
def list_activities(
    call: Call, maxResults: int | None = None, nextToken: str | None = None
) -> dict[str, Any]:
    records = sorted(call.records("activity").list(), key=lambda item: item["name"])
    chosen, token = page(records, nextToken, maxResults, error="InvalidToken")
    shown = [
        {"activityArn": item["arn"], "name": item["name"], "creationDate": item["created"]} for item in chosen
    ]
    return {"activities": shown} | ({"nextToken": token} if token else {})


@operation(SERVICE, "DeleteActivity")
def delete_activity(call: Call, activityArn: str) -> dict[str, Any]:
    call.records("activity").delete(arns.parse(activityArn, "activity").rest)
    return {}


@operation(SERVICE, "GetActivityTask")
def get_activity_task(call: Call, activityArn: str, workerName: str = "") -> dict[str, Any]:
    """Waits for a task; an answer without a token says that there was none."""
    _activity(call, activityArn)
    found = waiting.until(
        lambda: _take(call, activityArn, workerName), max(1.0, call.engine.clock.scaled(POLL))
    )
    return found or {}


def _take(call: Call, activity: str, worker: str) -> dict[str, Any] | None:
    """The oldest task that nobody has."""
    with call.engine.store.transaction():
        queue = call.records("queue")
        for key in queue.keys(f"{activity}|"):
            token = key.rpartition("|")[2]
            record = call.records("token").get(token)
            queue.delete(key)
            if record is None or record["status"] != "OPEN":
                continue
            record |= {"worker": worker, "beat": call.engine.clock.now()}
            call.records("token").put(token, record)
            call.engine.tasks.submit(ADVANCE, record["task"])
            return {"taskToken": token, "input": dumps(record["input"])}
    return None
