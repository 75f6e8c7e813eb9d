"""Operations on rules and their tags."""

from __future__ import annotations

from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.operations import TAGS, AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.events.bus import bus_name, bus_not_found
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
    bus_name(call, bus)
    rule = call.records("rule").get(name)
    if rule is None:
        raise AwsError("ResourceNotFoundException", f"Rule {name} does not exist on EventBus default.")
    return rule


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
    if EventPattern:
        compile_pattern(EventPattern)
    now = call.engine.clock.now()
    if ScheduleExpression:
        next_time(ScheduleExpression, now)
    tags = {tag["Key"]: tag["Value"] for tag in members.pop("Tags", [])}
    arn = call.arn(f"rule/{Name}")
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
        before = records.get(Name)
        if before is None and len(records.keys()) >= RULES:
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
        records.put(Name, rule)
        if not goes_on:  # planned again, a schedule that is touched more often than it is due would never be
            plan(call.engine, call.account, call.region, rule)
    return {"RuleArn": arn}


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
    bus_name(call, EventBusName)
    rules = sorted(call.records("rule").list(NamePrefix), key=lambda rule: rule["Name"])
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
        call.records("rule").put(name, rule)
        plan(call.engine, call.account, call.region, rule)
    return {}


@operation(SERVICE, "DeleteRule")
def delete_rule(
    call: Call, Name: str, EventBusName: str | None = None, Force: bool = False
) -> dict[str, Any]:
    """Deleting a rule that does not exist succeeds, as on AWS."""
    bus_name(call, EventBusName)
    with call.engine.store.transaction():
        if call.records("target").keys(f"{Name}/"):
            raise AwsError("ValidationException", "Rule can't be deleted since it has targets.")
        call.records("rule").delete(Name)
        call.engine.tasks.cancel("events.schedule", f"{call.account}/{call.region}/{Name}")
    return {}


@operation(SERVICE, "TagResource")
def tag_resource(call: Call, ResourceARN: str, Tags: list[dict[str, str]]) -> dict[str, Any]:
    with call.engine.store.transaction():
        rule = _rule_of_arn(call, ResourceARN)
        rule["tags"] |= {tag["Key"]: tag["Value"] for tag in Tags}
        call.records("rule").put(rule["Name"], rule)
    return {}


@operation(SERVICE, "UntagResource")
def untag_resource(call: Call, ResourceARN: str, TagKeys: list[str]) -> dict[str, Any]:
    with call.engine.store.transaction():
        rule = _rule_of_arn(call, ResourceARN)
        rule["tags"] = {name: value for name, value in rule["tags"].items() if name not in TagKeys}
        call.records("rule").put(rule["Name"], rule)
    return {}


@operation(SERVICE, "ListTagsForResource")
def list_tags_for_resource(call: Call, ResourceARN: str) -> dict[str, Any]:
    tags = _rule_of_arn(call, ResourceARN)["tags"]
    return {"Tags": [{"Key": name, "Value": value} for name, value in tags.items()]}


def _rule_of_arn(call: Call, arn: str) -> dict[str, Any]:
    prefix = call.arn("rule/")
    if not arn.startswith(prefix):
        raise bus_not_found(arn)
    return get_rule(call, arn[len(prefix) :].removeprefix("default/"))


def _tags(engine: Engine, account: str, region: str, arn: str) -> dict[str, str]:
    name = arn.partition(":rule/")[2].removeprefix("default/")
    rule = engine.records(account, region, SERVICE, "rule").get(name)
    return dict(rule["tags"]) if rule else {}


TAGS[SERVICE] = _tags
