"""Answers held against the service's own model before they leave.

An answer that its output shape does not allow is a fault of the sandbox: a loop that relied on it would be
green here and fail on AWS. So it never leaves; the request fails and names the member.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sandbox.gateway.validation import pattern_of

UNMODELLED_VALUES = {
    # EC2 answers the states of VPC endpoints in lower case, and an attached internet gateway as available.
    "AttachmentStatus": ("available",),
    "State": ("available", "pending", "deleting", "deleted"),
    # A stack's own events carry the stack's status.
    "ResourceStatus": (
        "REVIEW_IN_PROGRESS",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    ),
}
"""By shape: values that AWS answers although its model does not list them."""

UNANSWERED = {
    # A versioned model package has no name.
    ("DescribeModelPackageOutput", "ModelPackageName"),
    # A definition over batch transforms has no endpoint.
    ("MonitoringJobDefinitionSummary", "EndpointName"),
}
"""Members that a model requires and that need not be there."""

NUMBERS = ("integer", "long", "float", "double")


class Malformed(TypeError):
    """An answer is not of its output shape; the message names the member and what is wrong with it."""


def conform(value: Any, shape: Any, path: str = "") -> Any:
    """The answer as the serializer wants it: epoch seconds made datetimes, None members left out.

    Malformed for a member that the shape does not know, one that it requires and that is not there, and a
    value whose type, length, range, enum or pattern is not the model's.
    """
    if shape is None or value is None:
        return value
    kind = shape.type_name
    if kind == "structure":
        return _structure(value, shape, path)
    if kind == "list":
        _of(value, list | tuple, shape, path)
        if value:  # AWS answers an empty list (or map) also where the model asks for one item
            _size(len(value), shape, path)
        return [_item(item, shape.member, f"{path}[{index}]") for index, item in enumerate(value)]
    if kind == "map":
        _of(value, dict, shape, path)
        if value:
            _size(len(value), shape, path)
        return {
            _item(k, shape.key, f"{path}{{}}"): _item(v, shape.value, f"{path}.{k}") for k, v in value.items()
        }
    if kind == "timestamp":
        return _timestamp(value, shape, path)
    if kind == "string":
        _string(value, shape, path)
    elif kind in NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Malformed(f"{path} is {_shown(value)}, no {kind}")
        _size(value, shape, path)
    elif kind == "boolean":
        _of(value, bool, shape, path)
    return value


def _structure(value: Any, shape: Any, path: str) -> dict[str, Any]:
    if shape.is_document_type:
        return value
    _of(value, dict, shape, path)
    members = shape.members
    answer = {}
    for name, item in value.items():
        if item is None:
            continue
        member = members.get(name)
        if member is None:
            raise Malformed(f"{path or shape.name} has no member {name}")
        answer[name] = conform(item, member, f"{path}.{name}" if path else name)
    for name in shape.required_members:
        if name not in answer and (shape.name, name) not in UNANSWERED:
            raise Malformed(f"{path or shape.name} lacks its member {name}")
    if shape.is_tagged_union and len(answer) != 1:
        raise Malformed(f"{path or shape.name} is a union and has the members {sorted(answer)}")
    return answer


def _item(value: Any, shape: Any, path: str) -> Any:
    if value is None:
        raise Malformed(f"{path} is null")
    return conform(value, shape, path)


def _of(value: Any, wanted: Any, shape: Any, path: str) -> None:
    if not isinstance(value, wanted):
        raise Malformed(f"{path or shape.name} is {_shown(value)}, no {shape.type_name}")


def _timestamp(value: Any, shape: Any, path: str) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed(f"{path or shape.name} is {_shown(value)}, no {shape.type_name}")
    return datetime.fromtimestamp(value, UTC)


def _string(value: Any, shape: Any, path: str) -> None:
    _of(value, str, shape, path)
    metadata = shape.metadata
    if not metadata:
        return
    _size(len(value), shape, path)
    if "enum" in metadata and value not in (*shape.enum, *UNMODELLED_VALUES.get(shape.name, ())):
        raise Malformed(f"{path} is {_shown(value)}, none of {', '.join(shape.enum)}")
    if "pattern" in metadata and not pattern_of(metadata["pattern"]).fullmatch(value):
        raise Malformed(f"{path} is {_shown(value)}, which {metadata['pattern']} does not match")


def _size(size: float, shape: Any, path: str) -> None:
    metadata = shape.metadata
    low, high = metadata.get("min"), metadata.get("max")
    if (low is not None and size < low) or (high is not None and size > high):
        raise Malformed(f"{path or shape.name} is or has {size}, not {low} to {high}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 200 else f"{text[:200]}…"
