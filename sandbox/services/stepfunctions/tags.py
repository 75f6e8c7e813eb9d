"""Tags of state machines and activities."""

from __future__ import annotations

from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.operations import TAGS, AwsError, Call, operation
from sandbox.engine.store import Records
from sandbox.services.stepfunctions.execution import arns
from sandbox.services.stepfunctions.execution.run import SERVICE

_MOST = 50
_KINDS = {"stateMachine": "machine", "activity": "activity"}


def _tagged(call: Call, arn: str) -> tuple[Records, str, dict[str, Any]]:
    parsed = arns.parse(arn, *_KINDS)
    records = call.records(_KINDS[parsed.kind])
    record = records.get(parsed.rest)
    if record is None:
        raise AwsError("ResourceNotFound", f"Resource not found: '{arn}'", resourceName=arn)
    return records, parsed.rest, record


@operation(SERVICE, "TagResource")
def tag_resource(call: Call, resourceArn: str, tags: list[dict[str, str]]) -> dict[str, Any]:
    with call.engine.store.transaction():
        records, key, record = _tagged(call, resourceArn)
        record["tags"] |= {tag["key"]: tag.get("value", "") for tag in tags}
        if len(record["tags"]) > _MOST:
            raise AwsError("TooManyTags", "A resource can have 50 tags at most", resourceName=resourceArn)
        records.put(key, record)
    return {}


@operation(SERVICE, "UntagResource")
def untag_resource(call: Call, resourceArn: str, tagKeys: list[str]) -> dict[str, Any]:
    with call.engine.store.transaction():
        records, key, record = _tagged(call, resourceArn)
        record["tags"] = {name: value for name, value in record["tags"].items() if name not in tagKeys}
        records.put(key, record)
    return {}


@operation(SERVICE, "ListTagsForResource")
def list_tags_for_resource(call: Call, resourceArn: str) -> dict[str, Any]:
    _, _, record = _tagged(call, resourceArn)
    return {"tags": [{"key": name, "value": value} for name, value in record["tags"].items()]}


def _tags(engine: Engine, account: str, region: str, arn: str) -> dict[str, str]:
    """Executions have the tags of their machine, as conditions see them."""
    parts = arn.split(":")
    if len(parts) < 7:
        return {}
    kind = "activity" if parts[5] == "activity" else "machine"
    name = parts[6].partition("/")[0]
    record = engine.records(account, region, SERVICE, kind).get(name)
    return dict(record["tags"]) if record and parts[5] in (*_KINDS,) else {}


TAGS["states"] = _tags
