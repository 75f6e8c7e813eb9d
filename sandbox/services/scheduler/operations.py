"""Operations on schedules."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.engine import schedules
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.scheduler import targets
from sandbox.services.scheduler.firing import plan
from sandbox.services.scheduler.groups import DEFAULT, SERVICE, get_group

PRINCIPAL = "scheduler.amazonaws.com"
_DATES = ("StartDate", "EndDate")
_OPTIONAL = ("Description", "KmsKeyArn", *_DATES)


def _schedule(call: Call, name: str, group: str) -> dict[str, Any]:
    """ResourceNotFoundException."""
    get_group(call, group)
    record = call.records("schedule").get(f"{group}/{name}")
    if record is None:
        raise AwsError("ResourceNotFoundException", f"Schedule {name} does not exist.")
    return record


@operation(SERVICE, "CreateSchedule")
def create_schedule(
    call: Call, Name: str, GroupName: str = DEFAULT, ClientToken: str | None = None, **members: Any
) -> dict[str, Any]:
    get_group(call, GroupName)
    record = _checked(call, Name, GroupName, members)
    with call.engine.store.transaction():
        get_group(call, GroupName)
        before = call.records("schedule").get(f"{GroupName}/{Name}")
        if before is not None:
            if ClientToken is None or before.get("token") != ClientToken:
                raise AwsError("ConflictException", f"Schedule {Name} already exists.")
            return {"ScheduleArn": before["Arn"]}
        _keep(call, record | {"token": ClientToken, "CreationDate": record["LastModificationDate"]})
    return {"ScheduleArn": record["Arn"]}


@operation(SERVICE, "UpdateSchedule")
def update_schedule(
    call: Call, Name: str, GroupName: str = DEFAULT, ClientToken: str | None = None, **members: Any
) -> dict[str, Any]:
    """Replaces the whole schedule: what is not given is the default again, as on AWS."""
    record = _checked(call, Name, GroupName, members)
    with call.engine.store.transaction():
        before = _schedule(call, Name, GroupName)
        kept = {"CreationDate": before["CreationDate"], "token": before.get("token")}
        _keep(call, record | kept, before)
    return {"ScheduleArn": record["Arn"]}


def _keep(call: Call, record: dict[str, Any], before: dict[str, Any] | None = None) -> None:
    """Writes the schedule. One whose times stay the same keeps its place in them."""
    now = call.engine.clock.now()
    timing = ("ScheduleExpression", "ScheduleExpressionTimezone", "State", *_DATES)
    if before is not None and all(before.get(name) == record.get(name) for name in timing):
        record |= {"slot": before["slot"], "last": before["last"], "due": before["due"]}
        call.records("schedule").put(f"{record['GroupName']}/{record['Name']}", record)
        return
    record |= {"last": now, "slot": None, "due": None}
    plan(call.engine, call.account, call.region, record, first=True)


def _checked(call: Call, name: str, group: str, members: dict[str, Any]) -> dict[str, Any]:
    """The record of a schedule. ValidationException for what can never run."""
    expression = members["ScheduleExpression"]
    zone_name = members.get("ScheduleExpressionTimezone", "UTC")
    zone = _zone(zone_name)
    try:
        schedules.next_time(expression, call.engine.clock.now(), zone)
    except schedules.InvalidSchedule as error:
        raise AwsError("ValidationException", f"Invalid Schedule Expression {expression}.") from error
    window = members["FlexibleTimeWindow"]
    if (window["Mode"] == "FLEXIBLE") != ("MaximumWindowInMinutes" in window):
        raise AwsError(
            "ValidationException",
            "MaximumWindowInMinutes must be provided when Flexible Time Window Mode is FLEXIBLE."
            if window["Mode"] == "FLEXIBLE"
            else "MaximumWindowInMinutes must not be provided when Flexible Time Window Mode is OFF.",
        )
    dates = {item: _seconds(members[item]) for item in _DATES if members.get(item) is not None}
    if "StartDate" in dates and "EndDate" in dates and dates["EndDate"] <= dates["StartDate"]:
        raise AwsError("ValidationException", "The EndDate must be after the StartDate.")
    if members.get("KmsKeyArn"):
        raise AwsError("ValidationException", "KmsKeyArn of schedules is not implemented in the sandbox")
    target = members["Target"]
    targets.check(target)
    _check_role(call, group, target)
    optional = {item: members[item] for item in _OPTIONAL if members.get(item) is not None} | dates
    return {
        "Name": name,
        "GroupName": group,
        "Arn": call.arn(f"schedule/{group}/{name}"),
        "ScheduleExpression": expression,
        "ScheduleExpressionTimezone": zone_name,
        "FlexibleTimeWindow": window,
        "State": members.get("State", "ENABLED"),
        "ActionAfterCompletion": members.get("ActionAfterCompletion", "NONE"),
        "Target": target
        | {
            "RetryPolicy": {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
            | target.get("RetryPolicy", {})
        },
        "LastModificationDate": call.engine.clock.now(),
        **optional,
    }


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise AwsError("ValidationException", f"Invalid Schedule Expression Timezone {name}.") from error


def _seconds(value: Any) -> float:
    return float(value.timestamp()) if hasattr(value, "timestamp") else float(value)


def _check_role(call: Call, group: str, target: dict[str, Any]) -> None:
    try:
        call.engine.clients.role(
            target["RoleArn"],
            service=PRINCIPAL,
            session_name="scheduler-validation",
            region=call.region,
            source_arn=call.arn(f"schedule-group/{group}"),
        )
    except AwsError as error:
        raise AwsError(
            "ValidationException",
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
        ) from error


@operation(SERVICE, "GetSchedule")
def get_schedule(call: Call, Name: str, GroupName: str = DEFAULT) -> dict[str, Any]:
    record = _schedule(call, Name, GroupName)
    return {name: value for name, value in record.items() if name[0].isupper()}


@operation(SERVICE, "ListSchedules")
def list_schedules(
    call: Call,
    GroupName: str | None = None,
    NamePrefix: str = "",
    State: str | None = None,
    NextToken: str | None = None,
    MaxResults: int | None = None,
) -> dict[str, Any]:
    if GroupName is not None:
        get_group(call, GroupName)
    prefix = f"{GroupName}/" if GroupName else ""
    records = [
        record
        for record in call.records("schedule").list(prefix)
        if record["Name"].startswith(NamePrefix) and State in (None, record["State"])
    ]
    records.sort(key=lambda record: (record["GroupName"], record["Name"]))
    chosen, token = page(records, NextToken, MaxResults)
    members = ("Arn", "CreationDate", "GroupName", "LastModificationDate", "Name", "State")
    shown = [
        {name: record[name] for name in members} | {"Target": {"Arn": record["Target"]["Arn"]}}
        for record in chosen
    ]
    return {"Schedules": shown} | ({"NextToken": token} if token else {})


@operation(SERVICE, "DeleteSchedule")
def delete_schedule(
    call: Call, Name: str, GroupName: str = DEFAULT, ClientToken: str | None = None
) -> dict[str, Any]:
    with call.engine.store.transaction():
        _schedule(call, Name, GroupName)
        call.records("schedule").delete(f"{GroupName}/{Name}")
        call.engine.tasks.cancel("scheduler.fire", f"{call.account}/{call.region}/{GroupName}/{Name}")
    return {}
