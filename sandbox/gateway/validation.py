"""Requests and answers held against the service's own model.

Requests: required members, types, lengths, ranges, patterns and enums, refused in AWS's words. Answers: a
member that the output shape does not know is a fault of the sandbox and must not reach a client.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import Any

import regex

from sandbox.engine.operations import AwsError

QUERY_PROTOCOLS = ("query", "ec2", "rest-xml")


def validate(parameters: dict[str, Any], shape: Any, protocol: str, *, code: str | None = None) -> None:
    """Raises the service's validation error naming every member that breaks a constraint."""
    if shape is None:
        return
    faults: list[str] = []
    _check(parameters, shape, "", faults)
    if not faults:
        return
    count = f"{len(faults)} validation error{'s' if len(faults) > 1 else ''} detected: "
    error = code or ("ValidationError" if protocol in QUERY_PROTOCOLS else "ValidationException")
    raise AwsError(error, count + "; ".join(faults), status=400)


def _check(value: Any, shape: Any, path: str, faults: list[str]) -> None:
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            faults.append(_fault(value, path, "Member must be a structure"))
            return
        missing = [name for name in shape.required_members if value.get(name) is None]
        faults.extend(_fault(None, _join(path, name), "Member must not be null") for name in missing)
        for name, member in shape.members.items():
            if value.get(name) is not None:
                _check(value[name], member, _join(path, name), faults)
        unknown = value.keys() - shape.members.keys()
        if unknown and not getattr(shape, "is_document_type", False):
            faults.extend(
                _fault(value[name], _join(path, name), "Member is not known") for name in sorted(unknown)
            )
    elif kind == "list":
        _length(value, shape, path, faults)
        for index, item in enumerate(value):
            _check(item, shape.member, f"{path}.{index + 1}.member", faults)
    elif kind == "map":
        _length(value, shape, path, faults)
        for key, item in value.items():
            _check(key, shape.key, f"{path}.key", faults)
            _check(item, shape.value, f"{path}.{key}.member", faults)
    elif kind == "string":
        _string(value, shape, path, faults)
    elif kind in ("integer", "long", "float", "double"):
        _range(value, shape, path, faults)
    elif kind == "boolean" and not isinstance(value, bool):
        faults.append(_fault(value, path, "Member must be a boolean"))


def _string(value: Any, shape: Any, path: str, faults: list[str]) -> None:
    if not isinstance(value, str):
        faults.append(_fault(value, path, "Member must be a string"))
        return
    _length(value, shape, path, faults)
    if shape.enum and value not in shape.enum:
        faults.append(_fault(value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"))
    pattern = shape.metadata.get("pattern")
    if pattern and not _pattern(pattern).fullmatch(value):
        faults.append(_fault(value, path, f"Member must satisfy regular expression pattern: {pattern}"))


_ASTRAL = "\U00010000-\U0010ffff"
"""What the models write as a range of surrogate pairs: every character beyond the basic plane."""
_SURROGATES = {0xD800: r"\uD800", 0xDC00: r"\uDC00", 0xDBFF: r"\uDBFF", 0xDFFF: r"\uDFFF"}


@functools.lru_cache(2048)
def _pattern(text: str) -> Any:
    return regex.compile(text.translate(_SURROGATES).replace(r"\uD800\uDC00-\uDBFF\uDFFF", _ASTRAL))


def _length(value: Any, shape: Any, path: str, faults: list[str]) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and len(value) < low:
        faults.append(_fault(value, path, f"Member must have length greater than or equal to {low}"))
    if high is not None and len(value) > high:
        faults.append(_fault(value, path, f"Member must have length less than or equal to {high}"))


def _range(value: Any, shape: Any, path: str, faults: list[str]) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        faults.append(_fault(value, path, "Member must be a number"))
        return
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and value < low:
        faults.append(_fault(value, path, f"Member must have value greater than or equal to {low}"))
    if high is not None and value > high:
        faults.append(_fault(value, path, f"Member must have value less than or equal to {high}"))


def _join(path: str, name: str) -> str:
    lowered = name[:1].lower() + name[1:]
    return f"{path}.{lowered}" if path else lowered


def _fault(value: Any, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


def conform(value: Any, shape: Any, path: str = "") -> Any:
    """The answer as the serializer wants it: epoch seconds made datetimes, None members left out.

    TypeError for a member that the output shape does not have.
    """
    if shape is None or value is None:
        return value
    kind = shape.type_name
    if kind == "structure":
        unknown = value.keys() - shape.members.keys()
        if unknown:
            raise TypeError(f"{shape.name}{path} has no member {', '.join(sorted(unknown))}")
        return {
            name: conform(item, shape.members[name], f"{path}.{name}")
            for name, item in value.items()
            if item is not None
        }
    if kind == "list":
        return [conform(item, shape.member, f"{path}[]") for item in value]
    if kind == "map":
        return {key: conform(item, shape.value, f"{path}.{key}") for key, item in value.items()}
    if kind == "timestamp" and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return value
