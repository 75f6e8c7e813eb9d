"""Schedule groups. `default` is always there."""

from __future__ import annotations

from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page

SERVICE = "scheduler"
DEFAULT = "default"


def group_of(engine: Engine, account: str, region: str, name: str) -> dict[str, Any] | None:
    """A group's record; the default one has none until it is written."""
    record = engine.records(account, region, SERVICE, "group").get(name)
    if record is None and name == DEFAULT:
        return {"Name": DEFAULT, "CreationDate": 0.0, "LastModificationDate": 0.0, "tags": {}}
    return record


def get_group(call: Call, name: str) -> dict[str, Any]:
    """ResourceNotFoundException."""
    record = group_of(call.engine, call.account, call.region, name)
    if record is None:
        raise AwsError("ResourceNotFoundException", f"Schedule group {name} does not exist.")
    return record


def _shown(call: Call, record: dict[str, Any]) -> dict[str, Any]:
    dates = {name: record[name] or None for name in ("CreationDate", "LastModificationDate")}
    return {
        "Arn": call.arn(f"schedule-group/{record['Name']}"),
        "Name": record["Name"],
        "State": "ACTIVE",
        **dates,
    }


@operation(SERVICE, "CreateScheduleGroup")
def create_schedule_group(
    call: Call, Name: str, Tags: list[dict[str, str]] | None = None, ClientToken: str | None = None
) -> dict[str, Any]:
    with call.engine.store.transaction():
        before = call.records("group").get(Name)
        again = before is not None and ClientToken is not None and before.get("token") == ClientToken
        if not again:
            if before is not None or Name == DEFAULT:
                raise AwsError("ConflictException", f"Schedule group {Name} already exists.")
            now = call.engine.clock.now()
            tags = {tag["Key"]: tag["Value"] for tag in Tags or []}
            record = {"Name": Name, "CreationDate": now, "LastModificationDate": now, "tags": tags}
            call.records("group").put(Name, record | {"token": ClientToken})
    return {"ScheduleGroupArn": call.arn(f"schedule-group/{Name}")}


@operation(SERVICE, "GetScheduleGroup")
def get_schedule_group(call: Call, Name: str) -> dict[str, Any]:
    return _shown(call, get_group(call, Name))


@operation(SERVICE, "ListScheduleGroups")
def list_schedule_groups(
    call: Call, NamePrefix: str = "", NextToken: str | None = None, MaxResults: int | None = None
) -> dict[str, Any]:
    names = sorted({DEFAULT, *call.records("group").keys()})
    chosen, token = page([name for name in names if name.startswith(NamePrefix)], NextToken, MaxResults)
    shown = [_shown(call, get_group(call, name)) for name in chosen]
    return {"ScheduleGroups": shown} | ({"NextToken": token} if token else {})


@operation(SERVICE, "DeleteScheduleGroup")
def delete_schedule_group(call: Call, Name: str, ClientToken: str | None = None) -> dict[str, Any]:
    """Deletes its schedules with it."""
    if Name == DEFAULT:
        raise AwsError("ValidationException", "The default schedule group cannot be deleted.")
    with call.engine.store.transaction():
        get_group(call, Name)
        for key in call.records("schedule").keys(f"{Name}/"):
            call.records("schedule").delete(key)
            call.engine.tasks.cancel("scheduler.fire", f"{call.account}/{call.region}/{key}")
        call.records("group").delete(Name)
    return {}
