"""The default event bus: custom events in, patterns tested. Other buses are not implemented."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.events.pattern import compile_pattern

SERVICE = "events"
ENTRY_BYTES = 1024 * 1024
"""Bytes of all entries of one PutEvents."""

_MANDATORY = ("id", "account", "source", "time", "region", "resources", "detail-type")


def bus_not_found(name: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"Event bus {name} does not exist.")


def bus_name(call: Call, name: str | None) -> str:
    """`default`; ResourceNotFoundException for any other bus."""
    if name in (None, "default", call.arn("event-bus/default")):
        return "default"
    raise bus_not_found(str(name))


@operation(SERVICE, "DescribeEventBus")
def describe_event_bus(call: Call, Name: str | None = None) -> dict[str, Any]:
    bus = bus_name(call, Name)
    return {"Name": bus, "Arn": call.arn(f"event-bus/{bus}")}


@operation(SERVICE, "ListEventBuses")
def list_event_buses(
    call: Call, NamePrefix: str = "", NextToken: str | None = None, Limit: int | None = None
) -> dict[str, Any]:
    buses = [{"Name": "default", "Arn": call.arn("event-bus/default")}]
    return {"EventBuses": buses if "default".startswith(NamePrefix) else []}


@operation(SERVICE, "PutEvents")
def put_events(call: Call, Entries: list[dict[str, Any]], EndpointId: str | None = None) -> dict[str, Any]:
    if EndpointId:
        raise AwsError("ValidationException", "EndpointId is not implemented in the sandbox")
    size = sum(
        len(str(entry.get(m, "")).encode()) for entry in Entries for m in ("Detail", "DetailType", "Source")
    )
    if size > ENTRY_BYTES:
        raise AwsError("ValidationException", "Total size of the entries in the request is over the limit.")
    results = [_put_entry(call, entry) for entry in Entries]
    return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}


def _put_entry(call: Call, entry: dict[str, Any]) -> dict[str, str]:
    for member in ("Source", "DetailType", "Detail"):
        if not entry.get(member):
            reason = f"Parameter {member} is not valid. Reason: {member} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": reason}
    if entry["Source"].startswith("aws."):
        return {
            "ErrorCode": "NotAuthorizedForSourceException",
            "ErrorMessage": "Not authorized for the source.",
        }
    try:
        detail = json.loads(entry["Detail"])
        bus_name(call, entry.get("EventBusName"))
    except json.JSONDecodeError:
        detail = None
    except AwsError as error:
        return {"ErrorCode": error.code, "ErrorMessage": error.message}
    if not isinstance(detail, dict):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    moment = datetime.fromtimestamp(_seconds(entry.get("Time"), call.engine.clock.now()), UTC)
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": call.account,
        "time": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "region": call.region,
        "resources": entry.get("Resources", []),
        "detail": detail,
    }
    call.engine.events.publish(event)
    return {"EventId": event["id"]}


def _seconds(time: Any, now: float) -> float:
    if time is None:
        return now
    return float(time.timestamp()) if isinstance(time, datetime) else float(time)


@operation(SERVICE, "TestEventPattern")
def test_event_pattern(call: Call, EventPattern: str, Event: str) -> dict[str, Any]:
    try:
        event = json.loads(Event)
    except json.JSONDecodeError as error:
        raise AwsError("ValidationException", f"Parameter Event is not valid. Reason: {error}") from error
    missing = [name for name in _MANDATORY if not isinstance(event, dict) or name not in event]
    if missing:
        raise AwsError(
            "ValidationException",
            f"Parameter Event is not valid. Reason: Event is missing mandatory fields: {', '.join(missing)}",
        )
    return {"Result": compile_pattern(EventPattern)(event)}
