"""Tags of alarms.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_TagResource.html
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation

KIND = "tag"


def put(call: Call, arn: str, tags: list[dict[str, str]] | None) -> None:
    """Adds or replaces tags of a resource."""
    if tags:
        record = call.records(KIND).get(arn) or {}
        call.records(KIND).put(arn, record | {tag["Key"]: tag["Value"] for tag in tags})


def forget(call: Call, arn: str) -> None:
    call.records(KIND).delete(arn)


def _check(call: Call, arn: str) -> None:
    name = arn.rpartition(":alarm:")[2]
    if call.arn(f"alarm:{name}") != arn or call.records("alarm").get(name) is None:
        raise AwsError("ResourceNotFoundException", f"Resource not found: {arn}", ResourceId=arn)


@operation("cloudwatch", "ListTagsForResource")
def list_tags_for_resource(call: Call, ResourceARN: str) -> dict[str, Any]:
    _check(call, ResourceARN)
    record = call.records(KIND).get(ResourceARN) or {}
    return {"Tags": [{"Key": key, "Value": value} for key, value in record.items()]}


@operation("cloudwatch", "TagResource")
def tag_resource(call: Call, ResourceARN: str, Tags: list[dict[str, str]]) -> dict[str, Any]:
    _check(call, ResourceARN)
    with call.engine.store.transaction():
        put(call, ResourceARN, Tags)
    return {}


@operation("cloudwatch", "UntagResource")
def untag_resource(call: Call, ResourceARN: str, TagKeys: list[str]) -> dict[str, Any]:
    _check(call, ResourceARN)
    with call.engine.store.transaction():
        record = call.records(KIND).get(ResourceARN) or {}
        kept = {key: value for key, value in record.items() if key not in TagKeys}
        call.records(KIND).put(ResourceARN, kept)
    return {}
