"""Event buses: the default one and those of one's own, their policies and tags.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus.html and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.operations import POLICIES, AwsError, Call, operation
from sandbox.engine.pagination import page

SERVICE = "events"
DEFAULT = "default"
_NAME = re.compile(r"[.\-_A-Za-z0-9]{1,256}")
_REFUSED = ("EventSourceName", "DeadLetterConfig", "KmsKeyIdentifier", "LogConfig")


def bus_not_found(name: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"Event bus {name} does not exist.")


def bus_name(call: Call, name: str | None) -> str:
    """The name of a bus that a name or an ARN stands for; ResourceNotFoundException."""
    given = (name or DEFAULT).removeprefix(call.arn("event-bus/"))
    if given != DEFAULT and call.records("bus").get(given) is None:
        raise bus_not_found(str(name))
    return given


def rule_key(bus: str, name: str) -> str:
    """A rule's key among the records: names are unique in their bus only."""
    return name if bus == DEFAULT else f"{bus}|{name}"


def rule_arn(call: Call, bus: str, name: str) -> str:
    return call.arn(f"rule/{name}" if bus == DEFAULT else f"rule/{bus}/{name}")


def _record(call: Call, name: str) -> dict[str, Any]:
    return call.records("bus").get(name) or {"Name": name, "tags": {}, "statements": []}


@operation(SERVICE, "CreateEventBus")
def create_event_bus(
    call: Call, Name: str, Tags: list[dict[str, str]] | None = None, **members: Any
) -> dict[str, Any]:
    for member in _REFUSED:
        if members.get(member):
            raise AwsError("ValidationException", f"{member} is not implemented in the sandbox")
    if not _NAME.fullmatch(Name):
        raise AwsError("ValidationException", f"Event bus name {Name} is not valid.")
    now = call.engine.clock.now()
    record = {"Name": Name, "statements": [], "created": now, "modified": now}
    record |= {"tags": {tag["Key"]: tag["Value"] for tag in Tags or []}}
    record |= {"Description": members["Description"]} if members.get("Description") else {}
    with call.engine.store.transaction():
        if Name == DEFAULT or call.records("bus").get(Name):
            raise AwsError("ResourceAlreadyExistsException", f"Event bus {Name} already exists.")
        call.records("bus").put(Name, record)
    answer = {"EventBusArn": call.arn(f"event-bus/{Name}")}
    return answer | ({"Description": record["Description"]} if "Description" in record else {})


@operation(SERVICE, "UpdateEventBus")
def update_event_bus(call: Call, Name: str | None = None, **members: Any) -> dict[str, Any]:
    for member in _REFUSED:
        if members.get(member):
            raise AwsError("ValidationException", f"{member} is not implemented in the sandbox")
    with call.engine.store.transaction():
        name = bus_name(call, Name)
        record = _record(call, name) | {"modified": call.engine.clock.now()}
        if members.get("Description") is not None:
            record["Description"] = members["Description"]
        call.records("bus").put(name, record)
    answer = {"Name": name, "Arn": call.arn(f"event-bus/{name}")}
    return answer | ({"Description": record["Description"]} if record.get("Description") else {})


@operation(SERVICE, "DeleteEventBus")
def delete_event_bus(call: Call, Name: str) -> dict[str, Any]:
    """Deleting a bus that does not exist succeeds, as on AWS."""
    name = Name.removeprefix(call.arn("event-bus/"))
    if name == DEFAULT:
        raise AwsError("ValidationException", "Cannot delete event bus default.")
    with call.engine.store.transaction():
        if call.records("rule").keys(rule_key(name, "")):
            raise AwsError("ValidationException", f"Event bus {name} can't be deleted since it has rules.")
        call.records("bus").delete(name)
    return {}


def _shown(call: Call, name: str) -> dict[str, Any]:
    record = _record(call, name)
    answer: dict[str, Any] = {"Name": name, "Arn": call.arn(f"event-bus/{name}")}
    if record.get("Description"):
        answer["Description"] = record["Description"]
    if record["statements"]:
        answer["Policy"] = _text(record["statements"])
    for member, stored in (("CreationTime", "created"), ("LastModifiedTime", "modified")):
        if stored in record:
            answer[member] = record[stored]
    return answer


@operation(SERVICE, "DescribeEventBus")
def describe_event_bus(call: Call, Name: str | None = None) -> dict[str, Any]:
    return _shown(call, bus_name(call, Name))


@operation(SERVICE, "ListEventBuses")
def list_event_buses(
    call: Call, NamePrefix: str = "", NextToken: str | None = None, Limit: int | None = None
) -> dict[str, Any]:
    names = sorted({DEFAULT, *call.records("bus").keys()})
    chosen, token = page([name for name in names if name.startswith(NamePrefix)], NextToken, Limit)
    buses = [_shown(call, name) for name in chosen]
    return {"EventBuses": buses} | ({"NextToken": token} if token else {})


def _text(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))


@operation(SERVICE, "PutPermission")
def put_permission(
    call: Call,
    EventBusName: str | None = None,
    Action: str | None = None,
    Principal: str | None = None,
    StatementId: str | None = None,
    Condition: dict[str, str] | None = None,
    Policy: str | None = None,
) -> dict[str, Any]:
    with call.engine.store.transaction():
        name = bus_name(call, EventBusName)
        record = _record(call, name)
        if Policy:
            record["statements"] = _statements(Policy)
        else:
            if not (Action and Principal and StatementId):
                raise AwsError(
                    "ValidationException", "Parameter(s) StatementId, Action, Principal must be specified."
                )
            statement: dict[str, Any] = {
                "Sid": StatementId,
                "Effect": "Allow",
                "Principal": "*" if Principal == "*" else {"AWS": f"arn:aws:iam::{Principal}:root"},
                "Action": Action,
                "Resource": call.arn(f"event-bus/{name}"),
            }
            if Condition:
                statement["Condition"] = {Condition["Type"]: {Condition["Key"]: Condition["Value"]}}
            others = [one for one in record["statements"] if one.get("Sid") != StatementId]
            record["statements"] = [*others, statement]
        call.records("bus").put(name, record | {"modified": call.engine.clock.now()})
    return {}


def _statements(policy: str) -> list[dict[str, Any]]:
    from sandbox.iam.documents import parse

    try:
        parse(policy, "event bus policy")
        found = json.loads(policy)["Statement"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AwsError("ValidationException", "This policy contains invalid Json") from error
    return [found] if isinstance(found, dict) else list(found)


@operation(SERVICE, "RemovePermission")
def remove_permission(
    call: Call,
    StatementId: str | None = None,
    RemoveAllPermissions: bool = False,
    EventBusName: str | None = None,
) -> dict[str, Any]:
    with call.engine.store.transaction():
        name = bus_name(call, EventBusName)
        record = _record(call, name)
        kept = [one for one in record["statements"] if one.get("Sid") != StatementId]
        if not RemoveAllPermissions and len(kept) == len(record["statements"]):
            raise AwsError("ResourceNotFoundException", "Statement with the provided id does not exist.")
        record["statements"] = [] if RemoveAllPermissions else kept
        call.records("bus").put(name, record)
    return {}


def _policy(engine: Engine, account: str, region: str, arn: str) -> str | None:
    resource = arn.split(":", 5)[5]
    if not resource.startswith("event-bus/"):
        return None
    record = engine.records(account, region, SERVICE, "bus").get(resource.removeprefix("event-bus/"))
    return _text(record["statements"]) if record and record["statements"] else None


POLICIES[SERVICE] = _policy
