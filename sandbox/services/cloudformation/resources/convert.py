"""CloudFormation properties to API parameters, guided by botocore's input shapes.

The two differ in letter case and sometimes in a name; whatever has no counterpart raises Unmapped, so that
no property is ever dropped silently.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore import xform_name

from sandbox.services.cloudformation.resources.handler import ResourceFailed
from sandbox.services.cloudformation.template.parameters import text_of

Names = Mapping[str, str]
"""Member names that differ in more than letter case: property path (`A/B`, without list indices) → member."""


class Unmapped(ResourceFailed):
    """A property that the API operation has no member for."""


def parameters(
    client: Any, operation: str, properties: dict[str, Any], names: Names | None = None
) -> dict[str, Any]:
    """The parameters of an API operation (`CreateProject`) for these properties."""
    shape = client.meta.service_model.operation_model(operation).input_shape
    return _structure(shape, properties, "", names or {})


def call(client: Any, operation: str, given: dict[str, Any]) -> dict[str, Any]:
    """Calls the API operation of that name (`CreateModel`)."""
    return getattr(client, xform_name(operation))(**given)


def member_shape(client: Any, operation: str, *path: str) -> Any:
    """The shape of a member of an operation's input."""
    shape = client.meta.service_model.operation_model(operation).input_shape
    for name in path:
        shape = shape.members[name]
    return shape


def value(shape: Any, item: Any, names: Names | None = None) -> Any:
    """One value in a shape's form."""
    return _value(shape, item, "", names or {})


def tags(shape: Any, items: Mapping[str, str]) -> Any:
    """Tags in the form of a shape: a map, or a list of key and value structures."""
    if shape.type_name == "map":
        return dict(items)
    members = list(shape.member.members)
    key = next(name for name in members if name.lower().endswith("key"))
    val = next(name for name in members if name.lower().endswith("value"))
    return [{key: name, val: text} for name, text in items.items()]


def _structure(shape: Any, items: dict[str, Any], path: str, names: Names) -> dict[str, Any]:
    by_folded = {name.lower(): name for name in shape.members}
    result: dict[str, Any] = {}
    for name, item in items.items():
        here = f"{path}/{name}" if path else name
        member = names.get(here) or by_folded.get(name.lower())
        if member is None or member not in shape.members:
            raise Unmapped(
                f"property {here} is not implemented by the sandbox: {shape.name} has no such member"
            )
        result[member] = _value(shape.members[member], item, here, names)
    return result


def _value(shape: Any, item: Any, path: str, names: Names) -> Any:
    match shape.type_name:
        case "structure":
            if not isinstance(item, dict):
                raise Unmapped(f"property {path} must be an object")
            return _structure(shape, item, path, names)
        case "list":
            items = item if isinstance(item, list) else [item]
            return [_value(shape.member, each, path, names) for each in items]
        case "map":
            return {key: _value(shape.value, each, f"{path}/{key}", names) for key, each in item.items()}
        case "string":
            return json.dumps(item) if isinstance(item, dict | list) else text_of(item)
        case "boolean":
            return item if isinstance(item, bool) else text_of(item).lower() == "true"
        case "integer" | "long":
            return int(item)
        case "float" | "double":
            return float(item)
        case "blob":
            return item.encode() if isinstance(item, str) else item
    return item
