"""Tags of connections.

https://docs.aws.amazon.com/codeconnections/latest/APIReference/API_TagResource.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import TAGS, AwsError, Call
from sandbox.services.codeconnections.connections import MAXIMUM_TAGS, SERVICES, connections, find, for_both

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine


@for_both("ListTagsForResource")
def list_tags_for_resource(call: Call, ResourceArn: str) -> dict[str, Any]:
    return {"Tags": [{"Key": key, "Value": value} for key, value in find(call, ResourceArn)["Tags"].items()]}


@for_both("TagResource")
def tag_resource(call: Call, ResourceArn: str, Tags: list[dict[str, str]]) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = find(call, ResourceArn)
        record["Tags"] |= {tag["Key"]: tag["Value"] for tag in Tags}
        if len(record["Tags"]) > MAXIMUM_TAGS:
            raise AwsError("LimitExceededException", f"A resource can have at most {MAXIMUM_TAGS} tags.")
        connections(call).put(ResourceArn.rpartition("/")[2], record)
    return {}


@for_both("UntagResource")
def untag_resource(call: Call, ResourceArn: str, TagKeys: list[str]) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = find(call, ResourceArn)
        record["Tags"] = {key: value for key, value in record["Tags"].items() if key not in TagKeys}
        connections(call).put(ResourceArn.rpartition("/")[2], record)
    return {}


def _of_arn(engine: Engine, account: str, region: str, arn: str) -> dict[str, str]:
    record = engine.records(account, region, SERVICES[-1], "connection").get(arn.rpartition("/")[2])
    return record["Tags"] if record else {}


for _service in SERVICES:
    TAGS[_service] = _of_arn
