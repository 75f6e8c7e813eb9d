"""Operations on rules and their tags."""

from __future__ import annotations

from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.events.bus import DEFAULT, bus_name, rule_arn, rule_key
from sandbox.services.events.pattern import compile_pattern
from sandbox.services.events.schedule import next_time

SERVICE = "events"
ENABLED = ("ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")
RULES = 300
"""Rules a bus, AWS's default quota."""

_SHOWN = (
    "Name",
    "Arn",
    "EventPattern",
    "State",
    "Description",
    "ScheduleExpression",
    "RoleArn",
    "EventBusName",
)


def get_rule(call: Call, name: str, bus: str | None = None) -> dict[str, Any]:
    """ResourceNotFoundException for a rule or bus that does not exist."""
    found = bus_name(call, bus)
    rule = call.records("rule").get(rule_key(found, name))
    if rule is None:
        raise AwsError("ResourceNotFoundException", f"Rule {name} does not exist on EventBus {found}.")
    return rule


def key_of(rule: dict[str, Any]) -> str:
    return rule_key(rule["EventBusName"], rule["Name"])


@operation(SERVICE, "PutRule")
def put_rule(
    call: Call,
    Name: str,
    ScheduleExpression: str | None = None,
    EventPattern: str | None = None,
    State: str = "ENABLED",
    EventBusName: str | None = None,
    **members: Any,
) -> dict[str, Any]:
    bus = bus_name(call, EventBusName)
    if not ScheduleExpression and not EventPattern:
        raise AwsError(
            "ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified."
        )
    if ScheduleExpression and bus != DEFAULT:
        raise AwsError(
            "ValidationException", "ScheduleExpression is supported only on the default event bus."
        )
    if EventPattern:
        compile_pattern(EventPattern)
    now = call.engine.clock.now()
    if ScheduleExpression:
        next_time(ScheduleExpression, now)
    tags = {tag["Key"]: tag["Value"] for tag in members.pop("Tags", [])}
    arn, key = rule_arn(call, bus, Name), rule_key(bus, Name)
    rule = {
        "Name": Name,
        "Arn": arn,
        "State": State,
        "EventBusName": bus,
        "CreatedBy": call.account,
    } | members
    rule |= {"EventPattern": EventPattern} if EventPattern else {}
    rule |= {"ScheduleExpression": ScheduleExpression} if ScheduleExpression else {}
    with call.engine.store.transaction():
        records = call.records("rule")
        before = records.get(key)
        if before is None and len(_of_bus(call, bus, "")) >= RULES:
            raise AwsError(
                "LimitExceededException", "The requested resource exceeds the maximum number allowed."
            )
        rule |= {"tags": before["tags"], "slot": before["slot"]} if before else {"tags": tags, "slot": now}
        goes_on = (
            before is not None
            and before.get("ScheduleExpression") == ScheduleExpression
            and (before["State"] in ENABLED) == (State in ENABLED)
        )
        if before and not goes_on:
            rule["slot"] = now
        records.put(key, rule)
        if not goes_on:  # planned again, a schedule that is touched more often than it is due would never be
            plan(call.engine, call.account, call.region, rule)
    return {"RuleArn": arn}


def _of_bus(call: Call, bus: str, prefix: str) -> list[dict[str, Any]]:
    return [rule for rule in call.records("rule").list(rule_key(bus, prefix)) if rule["EventBusName"] == bus]


def plan(engine: Engine, account: str, region: str, rule: dict[str, Any]) -> None:
    """Sees to it that a scheduled rule fires when it is due next."""
    key = f"{account}/{region}/{rule['Name']}"
    if rule["State"] not in ENABLED or not rule.get("ScheduleExpression"):
        engine.tasks.cancel("events.schedule", key)
        return
    due = next_time(rule["ScheduleExpression"], rule["slot"])
    if due is not None:
        engine.tasks.submit("events.schedule", key, after=engine.clock.scaled(due - rule["slot"]))


@operation(SERVICE, "DescribeRule")
def describe_rule(call: Call, Name: str, EventBusName: str | None = None) -> dict[str, Any]:
    rule = get_rule(call, Name, EventBusName)
    return {member: rule[member] for member in (*_SHOWN, "CreatedBy") if member in rule}


@operation(SERVICE, "ListRules")
def list_rules(
    call: Call,
    NamePrefix: str = "",
    EventBusName: str | None = None,
    NextToken: str | None = None,
    Limit: int | None = None,
) -> dict[str, Any]:
    bus = bus_name(call, EventBusName)
    rules = sorted(_of_bus(call, bus, NamePrefix), key=lambda rule: rule["Name"])
    chosen, token = page(rules, NextToken, Limit)
    shown = [{member: rule[member] for member in _SHOWN if member in rule} for rule in chosen]
    return {"Rules": shown} | ({"NextToken": token} if token else {})


@operation(SERVICE, "EnableRule")
def enable_rule(call: Call, Name: str, EventBusName: str | None = None) -> dict[str, Any]:
    return _set_state(call, Name, EventBusName, "ENABLED")


@operation(SERVICE, "DisableRule")
def disable_rule(call: Call, Name: str, EventBusName: str | None = None) -> dict[str, Any]:
    return _set_state(call, Name, EventBusName, "DISABLED")


def _set_state(call: Call, name: str, bus: str | None, state: str) -> dict[str, Any]:
    with call.engine.store.transaction():
        rule = get_rule(call, name, bus)
        if (state in ENABLED) == (rule["State"] in ENABLED):
            return {}
        rule |= {"State": state, "slot": call.engine.clock.now()}
        call.records("rule").put(key_of(rule), rule)
        plan(call.engine, call.account, call.region, rule)
    return {}


@operation(SERVICE, "DeleteRule")
def delete_rule(
    call: Call, Name: str, EventBusName: str | None = None, Force: bool = False
) -> dict[str, Any]:
    """Deleting a rule that does not exist succeeds, as on AWS."""
    key = rule_key(bus_name(call, EventBusName), Name)
    with call.engine.store.transaction():
        if call.records("target").keys(f"{key}/"):
            raise AwsError("ValidationException", "Rule can't be deleted since it has targets.")
        call.records("rule").delete(key)
        call.engine.tasks.cancel("events.schedule", f"{call.account}/{call.region}/{Name}")
    return {}
