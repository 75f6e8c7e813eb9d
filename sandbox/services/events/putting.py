"""PutEvents and TestEventPattern."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.events.bus import DEFAULT, SERVICE, bus_name
from sandbox.services.events.pattern import compile_pattern

ENTRY_BYTES = 1024 * 1024
"""Bytes of all entries of one PutEvents."""
FORWARDING = "events.amazonaws.com"

_MANDATORY = ("id", "account", "source", "time", "region", "resources", "detail-type")


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
    # A rule whose target is another bus hands on events of AWS's own sources.
    if entry["Source"].startswith("aws.") and call.agent != FORWARDING:
        return {
            "ErrorCode": "NotAuthorizedForSourceException",
            "ErrorMessage": "Not authorized for the source.",
        }
    try:
        detail = json.loads(entry["Detail"])
        bus = bus_name(call, entry.get("EventBusName"))
    except json.JSONDecodeError:
        detail, bus = None, DEFAULT
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
    if bus == DEFAULT and call.agent != FORWARDING:
        call.engine.events.publish(event)
    else:
        # The sandbox's own listeners hear what happens on the default bus, once.
        call.engine.tasks.submit("events.match", f"{bus}/{event['id']}", {"bus": bus, "event": event})
    return {"EventId": str(event["id"])}


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
