"""Arguments of a step against the input shape of the API operation that the step calls.

Expressions stand for values of a known type: a parameter's, a property's by its shape, a string for a join.
What only the values themselves can break (patterns, lengths, enums) is found when the step makes its call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.services.sagemaker.pipelines.expressions import is_expression
from sandbox.services.sagemaker.pipelines.paths import NAMED_BY, Key, Path, PathError

TypeOf = Callable[[Any], str]
"""The type of an expression: string, integer, float, boolean, list, structure, map, or any."""

_LITERALS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (str, int, float),
    "blob": (str,),
    "list": (list,),
    "map": (dict,),
    "structure": (dict,),
}
_FAMILY = {"long": "integer", "double": "float", "timestamp": "string", "blob": "string", "map": "structure"}


def check(value: Any, shape: Any, type_of: TypeOf, at: str, given: tuple[str, ...] = ()) -> Iterator[str]:
    """What in `value` does not fit `shape`. `given`: required members that Pipelines fills in itself."""
    kind: str = shape.type_name
    allowed: Any = _LITERALS[kind]
    if is_expression(value):
        found = type_of(value)
        if not _fits(found, kind):
            yield f"{at} must be of type {kind}, but {json.dumps(value)} is of type {found}"
    elif not isinstance(value, allowed) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{at} must be of type {kind}, not {json.dumps(value)[:100]}"
    elif kind == "structure":
        yield from _check_structure(value, shape, type_of, at, given)
    elif kind == "list":
        for index, element in enumerate(value):
            yield from check(element, shape.member, type_of, f"{at}[{index}]")
    elif kind == "map":
        for key, element in value.items():
            yield from check(element, shape.value, type_of, f"{at}['{key}']")


def _check_structure(
    value: dict[str, Any], shape: Any, type_of: TypeOf, at: str, given: tuple[str, ...]
) -> Iterator[str]:
    present = {name: element for name, element in value.items() if element is not None}
    for name in sorted(set(present) - set(shape.members)):
        yield f"{at} has no member '{name}'"
    for name in shape.required_members:
        if name not in present and name not in given:
            yield f"{at} needs the member '{name}'"
    for name, element in present.items():
        if name in shape.members:
            yield from check(element, shape.members[name], type_of, f"{at}.{name}")


def type_at(shape: Any, path: Path) -> str:
    """The type of the value at `path` below an output shape. PathError where the shape has no such member."""
    parent = ""
    for token in path:
        if shape.type_name == "structure" and not isinstance(token, int):
            name = token.name if isinstance(token, Key) else token
            if name not in shape.members:
                raise PathError(f"{shape.name} has no property '{name}'")
            shape = shape.members[name]
        elif shape.type_name == "map" and not isinstance(token, int):
            shape = shape.value
        elif shape.type_name == "list" and (isinstance(token, int) or parent in NAMED_BY):
            shape = shape.member
        else:
            raise PathError(f"'{token}' cannot be looked up in a {shape.type_name}")
        parent = token if isinstance(token, str) else ""
    return _FAMILY.get(shape.type_name, shape.type_name)


def _fits(found: str, kind: str) -> bool:
    wanted = _FAMILY.get(kind, kind)
    return found in ("any", wanted) or (found, wanted) == ("integer", "float")
