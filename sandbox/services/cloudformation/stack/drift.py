"""How a resource as it is differs from what its stack asked for.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sandbox.services.cloudformation.template.parameters import text_of

Difference = dict[str, str]


def differences(expected: dict[str, Any], live: dict[str, Any]) -> list[Difference]:
    """One a property that was set explicitly and is otherwise now: only those count as drift."""
    return list(_members(expected, live, ""))


def _members(expected: dict[str, Any], live: dict[str, Any], path: str) -> Iterator[Difference]:
    folded = {name.lower(): item for name, item in live.items()}
    for name, item in expected.items():
        yield from _compared(item, folded.get(name.lower()), f"{path}/{name}")


def _compared(expected: Any, live: Any, path: str) -> Iterator[Difference]:
    if isinstance(live, str) and isinstance(expected, dict | list):
        live = _parsed(live)
    elif isinstance(expected, str) and isinstance(live, dict | list):
        expected = _parsed(expected)
    if live is None:
        if expected not in ("", [], {}, False):
            yield _difference(path, expected, None, "REMOVE")
    elif isinstance(expected, dict) and isinstance(live, dict):
        yield from _members(expected, live, path)
    elif isinstance(expected, list) and isinstance(live, list):
        yield from _items(expected, live, path)
    elif not _same(expected, live):
        yield _difference(path, expected, live, "NOT_EQUAL")


def _items(expected: list[Any], live: list[Any], path: str) -> Iterator[Difference]:
    """Lists are compared whatever their order; what is left over is paired by position."""
    matched = _matching(expected, live)
    missing = [(index, item) for index, item in enumerate(expected) if index not in matched.values()]
    left = [item for index, item in enumerate(live) if index not in matched]
    for (index, item), other in zip(missing, left, strict=False):
        yield from _compared(item, other, f"{path}/{index}")
    for index, item in missing[len(left) :]:
        yield _difference(f"{path}/{index}", item, None, "REMOVE")
    for offset, other in enumerate(left[len(missing) :]):
        yield _difference(f"{path}/{len(expected) + offset}", None, other, "ADD")


def _matching(expected: list[Any], live: list[Any]) -> dict[int, int]:
    """Live index → expected index, as many as fit each other: an item may fit several (augmenting paths)."""
    matched: dict[int, int] = {}

    def place(index: int, tried: set[int]) -> bool:
        for other, item in enumerate(live):
            if other in tried or any(_compared(expected[index], item, "")):
                continue
            tried.add(other)
            if other not in matched or place(matched[other], tried):
                matched[other] = index
                return True
        return False

    for index in range(len(expected)):
        place(index, set())
    return matched


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _same(expected: Any, live: Any) -> bool:
    if isinstance(expected, dict | list) or isinstance(live, dict | list):
        return bool(expected == live)
    left, right = text_of(expected), text_of(live)
    if left == right:
        return True
    try:
        return float(left) == float(right)
    except ValueError:
        return False


def _difference(path: str, expected: Any, live: Any, kind: str) -> Difference:
    return {
        "PropertyPath": path,
        "ExpectedValue": shown(expected),
        "ActualValue": shown(live),
        "DifferenceType": kind,
    }


def shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, default=str, sort_keys=True)
    return "null" if value is None else text_of(value)


def told(properties: dict[str, Any], live: dict[str, Any]) -> dict[str, Any]:
    """The live values of these properties, under their names."""
    folded = {name.lower(): item for name, item in live.items()}
    return {name: folded[name.lower()] for name in properties if folded.get(name.lower()) is not None}
