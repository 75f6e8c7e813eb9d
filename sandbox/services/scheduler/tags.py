"""Tags of schedule groups; conditions see them on the group's schedules too."""

from __future__ import annotations

from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.operations import TAGS, Call, operation
from sandbox.services.scheduler.groups import SERVICE, get_group, group_of


def _group(call: Call, arn: str) -> dict[str, Any]:
    return get_group(call, arn.rpartition("/")[2])


@operation(SERVICE, "TagResource")
def tag_resource(call: Call, ResourceArn: str, Tags: list[dict[str, str]]) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = _group(call, ResourceArn)
        record["tags"] |= {tag["Key"]: tag["Value"] for tag in Tags}
        call.records("group").put(record["Name"], record)
    return {}


@operation(SERVICE, "UntagResource")
def untag_resource(call: Call, ResourceArn: str, TagKeys: list[str]) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = _group(call, ResourceArn)
        record["tags"] = {name: value for name, value in record["tags"].items() if name not in TagKeys}
        call.records("group").put(record["Name"], record)
    return {}


@operation(SERVICE, "ListTagsForResource")
def list_tags_for_resource(call: Call, ResourceArn: str) -> dict[str, Any]:
    tags = _group(call, ResourceArn)["tags"]
    return {"Tags": [{"Key": name, "Value": value} for name, value in tags.items()]}


def _tags(engine: Engine, account: str, region: str, arn: str) -> dict[str, str]:
    resource = arn.split(":", 5)[5]
    record = group_of(engine, account, region, resource.split("/")[1]) if "/" in resource else None
    return dict(record["tags"]) if record else {}


TAGS[SERVICE] = _tags
