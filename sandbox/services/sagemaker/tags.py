"""AddTags, ListTags, DeleteTags: one trio for every SageMaker resource, and what services use to keep tags.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AddTags.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import AwsError, operation
from sandbox.engine.pagination import page
from sandbox.services.sagemaker import resource_tags

if TYPE_CHECKING:
    from sandbox.engine.operations import Call

DEFAULT_PAGE = 50

put = resource_tags.attach
"""`put(call, arn, tags)`: adds or replaces tags (a list of Key, Value) of a resource."""

forget = resource_tags.detach
"""`forget(call, arn)`: with the resource go its tags."""

of = resource_tags.tags_of
"""`of(call, arn)`: the tags as a list of Key, Value."""


@operation("sagemaker", "AddTags")
def add_tags(call: Call, ResourceArn: str, Tags: list[dict[str, str]]) -> dict[str, Any]:
    _check(call, ResourceArn)
    with call.engine.store.transaction():
        put(call, ResourceArn, Tags)
    return {"Tags": Tags}


@operation("sagemaker", "ListTags")
def list_tags(
    call: Call, ResourceArn: str, NextToken: str | None = None, MaxResults: int | None = None
) -> dict[str, Any]:
    _check(call, ResourceArn)
    items, token = page(of(call, ResourceArn), NextToken, MaxResults, default=DEFAULT_PAGE)
    return {"Tags": items} | ({"NextToken": token} if token else {})


@operation("sagemaker", "DeleteTags")
def delete_tags(call: Call, ResourceArn: str, TagKeys: list[str]) -> dict[str, Any]:
    _check(call, ResourceArn)
    records = call.records(resource_tags.KIND)
    with call.engine.store.transaction():
        record = records.get(ResourceArn)
        if record:
            kept = {key: value for key, value in record["Tags"].items() if key not in TagKeys}
            records.put(ResourceArn, {"Tags": kept})
    return {}


def _check(call: Call, arn: str) -> None:
    parts = arn.split(":", 5)
    own = ["sagemaker", call.region, call.account]
    if len(parts) < 6 or parts[0] != "arn" or parts[2:5] != own or "/" not in parts[5]:
        raise AwsError("ValidationException", f"Invalid ARN: {arn}")
