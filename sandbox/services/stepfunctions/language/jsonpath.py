"""JSONPath in Jayway's dialect, which the Amazon States Language uses.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html
Compiled once a path. A path that names one node is definite; any other gives a list, which may be empty.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.services.stepfunctions.language.jsonpath_filters import filtering, read_test, same
from sandbox.services.stepfunctions.language.jsonpath_reading import (
    NotFound,
    PathSyntaxError,
    expect,
    read_string,
    space,
)

__all__ = ["NotFound", "Path", "PathSyntaxError", "compile_path", "find", "put", "read_path", "same"]

_NAME = re.compile(r"[^\s.\[\](),'\"@?:=<>!&|*$]+")
_INDEX = re.compile(r"-?\d+")
_FUNCTION = re.compile(r"\.(length|min|max|avg|sum|stddev|keys|first|last)\(\)")


Select = Callable[[Any, Any], Iterator[Any]]


@dataclass(frozen=True)
class Step:
    """`select(value, root)` yields the matches; `key`: the one name or index of a definite step."""

    select: Select
    definite: bool = False
    key: str | int | None = None


@dataclass(frozen=True)
class Path:
    """A compiled path from `$` (or `@` in a filter). `function`: what is applied to the match in the end."""

    text: str
    steps: tuple[Step, ...]
    function: str | None = None

    @property
    def definite(self) -> bool:
        return all(step.definite for step in self.steps)

    @property
    def reference(self) -> bool:
        """A reference path: one node, told by names and indices only."""
        return self.definite and self.function is None

    def find(self, value: Any, root: Any = None) -> Any:
        """The value at a definite path (NotFound where there is none), else the list of all matches."""
        matches = list(self.matches(value, value if root is None else root))
        if not self.definite:
            found: Any = matches
        elif matches:
            found = matches[0]
        else:
            raise NotFound(self.text)
        return _apply(self.function, found, self.text) if self.function else found

    def matches(self, value: Any, root: Any) -> Iterator[Any]:
        current: Iterator[Any] = iter((value,))
        for step in self.steps:
            current = _each(step, current, root)
        return current


def _each(step: Step, values: Iterator[Any], root: Any) -> Iterator[Any]:
    for value in values:
        yield from step.select(value, root)


@functools.lru_cache(2048)
def compile_path(text: str) -> Path:
    """PathSyntaxError for a text that is no path from `$`."""
    path, end = read_path(text, 0)
    if end != len(text):
        raise PathSyntaxError(f"unexpected '{text[end:]}' in {text}")
    return path


def find(text: str, value: Any) -> Any:
    return compile_path(text).find(value)


def read_path(text: str, start: int) -> tuple[Path, int]:
    """The path that begins at `start`, and where it ends."""
    if text[start : start + 1] not in ("$", "@"):
        raise PathSyntaxError(f"a path begins with $: {text}")
    position = start + 1
    steps: list[Step] = []
    function = None
    while position < len(text):
        named = _FUNCTION.match(text, position)
        if named:
            function, position = named[1], named.end()
            break
        if text.startswith("..", position):
            position += 2
            steps.append(Step(_descendants))
            if not text.startswith("[", position):
                step, position = _name_step(text, position)
                steps.append(step)
        elif text[position] == ".":
            step, position = _name_step(text, position + 1)
            steps.append(step)
        elif text[position] == "[":
            step, position = _bracket(text, position + 1)
            steps.append(step)
        else:
            break
    return Path(text[start:position], tuple(steps), function), position


def _name_step(text: str, position: int) -> tuple[Step, int]:
    if text.startswith("*", position):
        return Step(_children), position + 1
    match = _NAME.match(text, position)
    if not match:
        raise PathSyntaxError(f"a name is missing at {position} in {text}")
    return _member(match[0]), match.end()


def _member(name: str) -> Step:
    def select(value: Any, _: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return Step(select, True, name)


def _element(index: int) -> Step:
    def select(value: Any, _: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            yield value[index]

    return Step(select, True, index)


def _union(steps: list[Step]) -> Step:
    def select(value: Any, root: Any) -> Iterator[Any]:
        for step in steps:
            yield from step.select(value, root)

    return Step(select)


def _children(value: Any, _: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _descendants(value: Any, root: Any) -> Iterator[Any]:
    yield value
    for child in _children(value, root):
        if isinstance(child, dict | list):
            yield from _descendants(child, root)


def _bracket(text: str, position: int) -> tuple[Step, int]:
    position = space(text, position)
    if text.startswith("*", position):
        return Step(_children), expect(text, position + 1, "]")
    if text.startswith("?", position):
        position = expect(text, space(text, position + 1), "(")
        test, position = read_test(text, position, read_path)
        position = expect(text, space(text, position), ")")
        return Step(filtering(test)), expect(text, space(text, position), "]")
    steps: list[Step] = []
    while True:
        position = space(text, position)
        if text[position : position + 1] in ("'", '"'):
            name, position = read_string(text, position)
            steps.append(_member(name))
        else:
            step, position = _index_or_slice(text, position)
            steps.append(step)
        position = space(text, position)
        if not text.startswith(",", position):
            break
        position += 1
    position = expect(text, position, "]")
    return (steps[0] if len(steps) == 1 else _union(steps)), position


def _index_or_slice(text: str, position: int) -> tuple[Step, int]:
    parts: list[int | None] = []
    while len(parts) < 3:
        match = _INDEX.match(text, position)
        parts.append(int(match[0]) if match else None)
        position = match.end() if match else position
        if not text.startswith(":", position):
            break
        position += 1
    if len(parts) == 1:
        if parts[0] is None:
            raise PathSyntaxError(f"an index or name is missing at {position} in {text}")
        return _element(parts[0]), position
    chosen = slice(*parts)
    if chosen.step == 0:
        raise PathSyntaxError(f"a slice's step is not 0: {text}")

    def select(value: Any, _: Any) -> Iterator[Any]:
        if isinstance(value, list):
            yield from value[chosen]

    return Step(select), position


def _apply(function: str, value: Any, text: str) -> Any:
    if function == "length" and isinstance(value, list | dict | str):
        return len(value)
    if function == "keys" and isinstance(value, dict):
        return list(value)
    if function in ("first", "last") and isinstance(value, list) and value:
        return value[0 if function == "first" else -1]
    numbers = [item for item in value if _is_number(item)] if isinstance(value, list) else []
    if not numbers:
        raise NotFound(text)
    mean = sum(numbers) / len(numbers)
    if function == "stddev":
        return math.sqrt(sum((item - mean) ** 2 for item in numbers) / len(numbers))
    if function == "avg":
        return mean
    chosen = _OF_NUMBERS.get(function)
    if chosen is None:
        raise NotFound(text)
    return chosen(numbers)


_OF_NUMBERS: dict[str, Callable[[list[Any]], Any]] = {"min": min, "max": max, "sum": sum}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def put(path: Path, target: Any, value: Any) -> Any:
    """A copy of `target` with `value` at a reference path; objects on the way are made.

    LookupError where the path runs through what is no object (ResultPath's mismatch).
    """
    return _put([step.key for step in path.steps], target, value)


def _put(keys: list[Any], target: Any, value: Any) -> Any:
    if not keys:
        return value
    key, rest = keys[0], keys[1:]
    if isinstance(key, str):
        if not isinstance(target, dict):
            raise LookupError(key)
        return {**target, key: _put(rest, target.get(key, {}), value)}
    if not isinstance(target, list) or not 0 <= key < len(target):
        raise LookupError(str(key))
    return [_put(rest, item, value) if index == key else item for index, item in enumerate(target)]
