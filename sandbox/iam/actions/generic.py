"""Resources of an action from the ARN templates of the Service Authorization Reference.

A template's variables are filled from the request's members: by the names listed for the resource type in
SOURCES, else by the variable's own name. A member that holds an ARN is taken as it is.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

from sandbox.iam.actions import catalogue
from sandbox.iam.actions.check import Asked, Unmapped
from sandbox.iam.actions.sources import EVERY, EXTRA, IGNORED, SOURCES

_VARIABLE = re.compile(r"\$\{([^}]+)\}")


def resources(asked: Asked, prefix: str, action: str) -> tuple[str, ...]:
    """ARNs that the action is about; `*` for an action without resource types. Unmapped where one is
    lacking."""
    wanted = types_of(prefix, action)
    if not wanted:
        return ("*",)
    found: list[str] = []
    lacking: list[str] = []
    for kind, required in wanted:
        arns = _of_type(asked, prefix, kind)
        found += [arn for arn in arns if arn not in found]
        if not arns and required:
            lacking.append(kind)
    if found:
        return tuple(found)
    for kind in lacking:
        every = EVERY.get((prefix, action)) or EVERY.get((prefix, kind))
        if every is None:
            raise Unmapped(f"{prefix}:{action}", f"the request names no {kind}")
        return (asked.arn(prefix, every),)
    return ("*",)


@functools.cache
def types_of(prefix: str, action: str) -> tuple[tuple[str, bool], ...]:
    """(resource type, required) of an action. Unmapped for an action that nobody lists."""
    if (prefix, action) in EXTRA:
        return tuple((kind, True) for kind in EXTRA[prefix, action])
    details = catalogue.actions(prefix).get(action.lower())
    if details is None:
        raise Unmapped(f"{prefix}:{action}", "the action is not known")
    ignored = IGNORED.get(prefix, frozenset())
    return tuple(
        (item["name"], item["required"]) for item in details["resourceTypes"] if item["name"] not in ignored
    )


def _of_type(asked: Asked, prefix: str, kind: str) -> list[str]:
    template = catalogue.resource_types(prefix).get(kind)
    if template is None:
        return []
    arns = [value for value in _arn_members(asked) if _shape(template)(value)]
    if arns:
        return arns
    names = [name for name in _VARIABLE.findall(template) if name not in ("Partition", "Region", "Account")]
    if not names:
        return [_filled(asked, template, {})]
    paths = SOURCES.get(prefix, {}).get(kind)
    filled: dict[str, str] = {}
    for name in names[:-1]:
        value = asked.first(*_candidates(name, kind))
        if value is None or value.startswith("arn:"):
            return []
        filled[name] = value
    found = []
    for path in paths or _candidates(names[-1], kind):
        for value in asked.get(path):
            if value.startswith("arn:"):
                found += [value] if _shape(template)(value) else []
            else:
                found.append(_filled(asked, template, filled | {names[-1]: value}))
        if found:
            return found
    return []


def _arn_members(asked: Asked) -> list[str]:
    """Members that say which resource the request is about by ARN."""
    found = []
    for name, value in asked.params.items():
        if isinstance(value, str) and value.startswith("arn:") and _tells_resource(name):
            found.append(value)
        elif isinstance(value, list) and name.lower().endswith(("arns", "identifiers", "arnlist")):
            found += [item for item in value if isinstance(item, str) and item.startswith("arn:")]
    return found


@functools.cache
def _tells_resource(name: str) -> bool:
    return not any(word in name.lower() for word in ("role", "kms", "topic", "client"))


@functools.cache
def _candidates(variable: str, kind: str) -> tuple[str, ...]:
    """Members that may hold a variable's value, most telling first."""
    plain = kind.replace("-", "")
    stems = [variable, f"{plain}name", f"{plain}id", f"{plain}identifier", f"{plain}arn", plain]
    return tuple(dict.fromkeys([*stems, variable.removesuffix("Name"), variable.removesuffix("Id"), "name"]))


def stem(prefix: str, kind: str) -> str:
    """The fixed words of a resource type in its ARN: `model-package`, `pipeline`."""
    return catalogue.resource_types(prefix)[kind].split(":", 5)[5].split("/", 1)[0]


@functools.cache
def _shape(template: str) -> Callable[[str], re.Match[str] | None]:
    pieces = _VARIABLE.split(template)
    return re.compile(
        "".join(
            re.escape(piece) if index % 2 == 0 else _variable_shape(piece)
            for index, piece in enumerate(pieces)
        )
    ).fullmatch


def _variable_shape(name: str) -> str:
    if name in ("Partition", "Region", "Account"):
        return "[^:]*"
    return (
        ".+"
        if name.endswith(("WithPath", "LeadingSlash"))
        else "[^/]+(?:/[0-9*]+)?"
        if name == "ModelPackageName"
        else "[^/]+"
    )


def _filled(asked: Asked, template: str, values: dict[str, str]) -> str:
    scope = {"Partition": "aws", "Region": asked.region, "Account": asked.account}
    return _VARIABLE.sub(lambda match: scope.get(match[1]) or values[match[1]], template)
