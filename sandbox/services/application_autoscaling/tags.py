"""Tags of scalable targets.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_TagResource.html
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation

KIND = "tag"


def put(call: Call, arn: str, tags: dict[str, str] | None) -> None:
    """Adds or replaces tags of a target."""
    call.records(KIND).put(arn, (call.records(KIND).get(arn) or {}) | (tags or {}))


def forget(call: Call, arn: str) -> None:
    call.records(KIND).delete(arn)


def _tags(call: Call, arn: str) -> dict[str, str]:
    record = call.records(KIND).get(arn)
    if record is None:
        raise AwsError("ResourceNotFoundException", f"The resource does not exist: {arn}", ResourceName=arn)
    return record


@operation("application-autoscaling", "ListTagsForResource")
def list_tags_for_resource(call: Call, ResourceARN: str) -> dict[str, Any]:
    return {"Tags": _tags(call, ResourceARN)}


@operation("application-autoscaling", "TagResource")
def tag_resource(call: Call, ResourceARN: str, Tags: dict[str, str]) -> dict[str, Any]:
    with call.engine.store.transaction():
        _tags(call, ResourceARN)
        put(call, ResourceARN, Tags)
    return {}


@operation("application-autoscaling", "UntagResource")
def untag_resource(call: Call, ResourceARN: str, TagKeys: list[str]) -> dict[str, Any]:
    with call.engine.store.transaction():
        kept = {key: value for key, value in _tags(call, ResourceARN).items() if key not in TagKeys}
        call.records(KIND).put(ResourceARN, kept)
    return {}
