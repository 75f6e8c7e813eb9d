"""Requests held against the service's own model: required members, types, lengths, ranges, patterns and
enums, refused in AWS's words.
"""

from __future__ import annotations

import functools
from typing import Any

import regex

from sandbox.engine.operations import AwsError
from sandbox.gateway.refusals import codes_of

QUERY_PROTOCOLS = ("query", "ec2", "rest-xml")


CODES = {
    "cloudwatch": "InvalidParameterValue",
    "codebuild": "InvalidInputException",
    "ecr": "InvalidParameterException",
    "logs": "InvalidParameterException",
    "servicecatalog": "InvalidParametersException",
    "sns": "InvalidParameter",
}
"""Services that refuse a request which breaks a constraint with an error of their own, where an operation has
it."""

GENERAL = {"cloudwatch": "ValidationError", "sagemaker-runtime": "ValidationError"}
"""…and those whose general code is not their protocol's."""


def code_of(service: str, operation: Any, protocol: str) -> str:
    """The code with which an operation (botocore's model of it) refuses what breaks a constraint."""
    code = CODES.get(service)
    if code and any(code in codes_of(shape) for shape in operation.error_shapes):
        return code
    return GENERAL.get(service) or general(protocol)


def general(protocol: str) -> str:
    """The code of a protocol's services that have none of their own."""
    return "ValidationError" if protocol in QUERY_PROTOCOLS else "ValidationException"


def validate(parameters: dict[str, Any], shape: Any, code: str) -> None:
    """Raises the service's validation error `code` naming every member that breaks a constraint."""
    faults: list[str] = []
    if shape is not None:
        _check(parameters, shape, "", faults)
    if not faults:
        return
    count = f"{len(faults)} validation error{'s' if len(faults) > 1 else ''} detected: "
    raise AwsError(code, count + "; ".join(faults), status=400)


NEEDED = {
    "Alarm": ("AlarmName",),
    "Filter": ("Name", "Key"),
    "NewDhcpConfiguration": ("Key",),
    "ListRecordHistorySearchFilter": ("Key",),
    "ProvisioningParameter": ("Key",),
    "Tag": ("Key", "key"),
    "UpdateProvisioningParameter": ("Key",),
}
"""Members by which an item is told from others, where a model leaves open whether they must be there."""


def faults_of(parameters: dict[str, Any], shape: Any) -> list[tuple[str, str]]:
    """(member of the request, what is wrong in it), for a service with words of its own."""
    found = [
        (name, _fault(None, _join("", name), "Member must not be null"))
        for name in shape.required_members
        if parameters.get(name) is None
    ]
    for name, value in parameters.items():
        faults: list[str] = []
        if value is not None and name in shape.members:
            _check(value, shape.members[name], _join("", name), faults)
        found.extend((name, fault) for fault in faults)
    return found


def _check(value: Any, shape: Any, path: str, faults: list[str]) -> None:
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            faults.append(_fault(value, path, "Member must be a structure"))
            return
        needed = (*shape.required_members, *NEEDED.get(shape.name, ()))
        missing = [name for name in needed if name in shape.members and value.get(name) is None]
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
    if pattern and not pattern_of(pattern).fullmatch(value):
        faults.append(_fault(value, path, f"Member must satisfy regular expression pattern: {pattern}"))


_ASTRAL = "\U00010000-\U0010ffff"
"""What the models write as a range of surrogate pairs: every character beyond the basic plane."""
_SURROGATES = {0xD800: r"\uD800", 0xDC00: r"\uDC00", 0xDBFF: r"\uDBFF", 0xDFFF: r"\uDFFF"}


@functools.lru_cache(2048)
def pattern_of(text: str) -> Any:
    """A model's pattern, as it is asked here: the models are written for Java."""
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
