"""Tags of rules and event buses."""

from __future__ import annotations

from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.operations import TAGS, Call, operation
from sandbox.services.events.bus import DEFAULT, SERVICE, bus_not_found, rule_key


def _place(resource: str) -> tuple[str, str] | None:
    """(kind of record, key) of `rule/…` or `event-bus/…`."""
    kind, _, name = resource.partition("/")
    if kind == "event-bus":
        return "bus", name
    if kind == "rule":
        bus, slash, rule = name.rpartition("/")
        return "rule", rule_key(bus if slash else DEFAULT, rule)
    return None


def _tagged(call: Call, arn: str) -> tuple[str, str, dict[str, Any]]:
    place = _place(arn.removeprefix(call.arn("")))
    record = call.records(place[0]).get(place[1]) if place else None
    if place == ("bus", DEFAULT) and record is None:
        record = {"Name": DEFAULT, "tags": {}, "statements": []}
    if place is None or record is None:
        raise bus_not_found(arn)
    return *place, record


@operation(SERVICE, "TagResource")
def tag_resource(call: Call, ResourceARN: str, Tags: list[dict[str, str]]) -> dict[str, Any]:
    with call.engine.store.transaction():
        kind, key, record = _tagged(call, ResourceARN)
        record["tags"] |= {tag["Key"]: tag["Value"] for tag in Tags}
        call.records(kind).put(key, record)
    return {}


@operation(SERVICE, "UntagResource")
def untag_resource(call: Call, ResourceARN: str, TagKeys: list[str]) -> dict[str, Any]:
    with call.engine.store.transaction():
        kind, key, record = _tagged(call, ResourceARN)
        record["tags"] = {name: value for name, value in record["tags"].items() if name not in TagKeys}
        call.records(kind).put(key, record)
    return {}


@operation(SERVICE, "ListTagsForResource")
def list_tags_for_resource(call: Call, ResourceARN: str) -> dict[str, Any]:
    tags = _tagged(call, ResourceARN)[2]["tags"]
    return {"Tags": [{"Key": name, "Value": value} for name, value in tags.items()]}


def _tags(engine: Engine, account: str, region: str, arn: str) -> dict[str, str]:
    place = _place(arn.split(":", 5)[5])
    record = engine.records(account, region, SERVICE, place[0]).get(place[1]) if place else None
    return dict(record["tags"]) if record else {}


TAGS[SERVICE] = _tags
