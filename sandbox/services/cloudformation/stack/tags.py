"""The tags a resource gets: the stack's, its own, and CloudFormation's.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
"""

from __future__ import annotations

from typing import Any

from sandbox.services.cloudformation.schema.registry import Schema
from sandbox.services.cloudformation.template.evaluate import Place
from sandbox.services.cloudformation.template.unknown import Unknown


def resource_tags(
    schema: Schema, place: Place, logical_id: str, stack_tags: dict[str, str], properties: dict[str, Any]
) -> dict[str, Any]:
    """Tag values by key; a resource's own tag wins over the stack's. Empty for types without tags."""
    name = schema.tag_property
    if name is None:
        return {}
    tags: dict[str, Any] = {
        key: item for key, item in stack_tags.items() if schema.system_tags or not key.startswith("aws:")
    }
    own = properties.get(name)
    if isinstance(own, Unknown):
        tags["*"] = own
    elif isinstance(own, dict):
        tags.update(own)
    else:
        for tag in own or []:
            if isinstance(tag, dict) and "Key" in tag:
                tags[str(tag["Key"])] = tag.get("Value", "")
    if schema.system_tags:
        tags["aws:cloudformation:stack-name"] = place.stack_name
        tags["aws:cloudformation:stack-id"] = place.stack_id
        tags["aws:cloudformation:logical-id"] = logical_id
    return tags


def check(tags: list[dict[str, Any]] | None, *, by_service: bool = False) -> dict[str, str]:
    """A request's stack tags as a map; TemplateError for keys that are reserved, repeated or too many.

    `by_service`: an AWS service asks, whose own tags begin with `aws:`.
    """
    from sandbox.services.cloudformation.template.errors import TemplateError

    result: dict[str, str] = {}
    for tag in tags or []:
        if tag["Key"].lower().startswith("aws:") and not by_service:
            raise TemplateError("aws: prefixed tag key names are not allowed for external use.")
        if tag["Key"] in result:
            raise TemplateError(f"Duplicate tag keys found: [{tag['Key']}]")
        result[tag["Key"]] = tag["Value"]
    if sum(not key.startswith("aws:") for key in result) > 50:
        raise TemplateError("Number of tags exceeded the limit of 50")
    return result
