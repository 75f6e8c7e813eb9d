"""Members of a request that AWS implements and the sandbox does not: refused by name, never ignored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.engine.operations import AwsError


def refuse(operation: str, request: dict[str, Any], paths: tuple[str, ...]) -> None:
    """AwsError naming the first of `paths` that has a value.

    A path is members joined by dots, `[]` for every element; `=value` at the end refuses that value only.
    """
    for path in paths:
        way, _, unwanted = path.partition("=")
        for value in _values(request, way.split(".")):
            if (str(value) == unwanted) if unwanted else bool(value):
                raise AwsError(
                    "ValidationException", f"{path} of {operation} is not implemented by the sandbox."
                )


def _values(value: Any, way: list[str]) -> Iterator[Any]:
    if not way:
        yield value
        return
    name, rest = way[0], way[1:]
    found = value.get(name.removesuffix("[]"))
    if found is None:
        return
    if name.endswith("[]"):
        for element in found:
            yield from _values(element, rest)
    else:
        yield from _values(found, rest)
