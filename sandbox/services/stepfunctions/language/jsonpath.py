"""JSONPath in Jayway's dialect, which the Amazon States Language uses.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html
Compiled once a path. A path that names one node is definite; any other gives a list, which may be empty.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

_NAME = re.compile(r"[^\s.\[\](),'\"@?:=<>!&|*$]+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_INDEX = re.compile(r"-?\d+")
_FUNCTION = re.compile(r"\.(length|min|max|avg|sum|stddev|keys|first|last)\(\)")
_OPERATORS = ("==", "!=", "<=", ">=", "=~", "<", ">", " in ", " nin ")


class PathSyntaxError(ValueError):
    """The text is no path."""


class NotFound(LookupError):
    """A definite path leads nowhere."""


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
    position = _space(text, position)
    if text.startswith("*", position):
        return Step(_children), _expect(text, position + 1, "]")
    if text.startswith("?", position):
        position = _expect(text, _space(text, position + 1), "(")
        test, position = _or(text, position)
        position = _expect(text, _space(text, position), ")")
        return Step(_filter(test)), _expect(text, _space(text, position), "]")
    steps: list[Step] = []
    while True:
        position = _space(text, position)
        if text[position : position + 1] in ("'", '"'):
            name, position = read_string(text, position)
            steps.append(_member(name))
        else:
            step, position = _index_or_slice(text, position)
            steps.append(step)
        position = _space(text, position)
        if not text.startswith(",", position):
            break
        position += 1
    position = _expect(text, position, "]")
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


def read_string(text: str, start: int) -> tuple[str, int]:
    """A quoted string, and where it ends; a backslash takes the next character as it is."""
    quote, position = text[start], start + 1
    letters: list[str] = []
    while position < len(text):
        letter = text[position]
        if letter == quote:
            return "".join(letters), position + 1
        if letter == "\\" and position + 1 < len(text):
            position += 1
            letter = text[position]
        letters.append(letter)
        position += 1
    raise PathSyntaxError(f"a string does not end: {text[start:]}")


def _space(text: str, position: int) -> int:
    while position < len(text) and text[position] == " ":
        position += 1
    return position


def _expect(text: str, position: int, wanted: str) -> int:
    if not text.startswith(wanted, position):
        raise PathSyntaxError(f"'{wanted}' is missing at {position} in {text}")
    return position + len(wanted)


Test = Callable[[Any, Any], bool]


def _filter(test: Test) -> Select:
    def select(value: Any, root: Any) -> Iterator[Any]:
        if isinstance(value, dict):
            if test(value, root):
                yield value
            return
        if isinstance(value, list):
            yield from (item for item in value if test(item, root))

    return select


def _or(text: str, position: int) -> tuple[Test, int]:
    left, position = _and(text, position)
    while text.startswith("||", _space(text, position)):
        right, position = _and(text, _space(text, position) + 2)
        left = _either(left, right)
    return left, position


def _and(text: str, position: int) -> tuple[Test, int]:
    left, position = _unary(text, position)
    while text.startswith("&&", _space(text, position)):
        right, position = _unary(text, _space(text, position) + 2)
        left = _both(left, right)
    return left, position


def _either(left: Test, right: Test) -> Test:
    return lambda value, root: left(value, root) or right(value, root)


def _both(left: Test, right: Test) -> Test:
    return lambda value, root: left(value, root) and right(value, root)


def _unary(text: str, position: int) -> tuple[Test, int]:
    position = _space(text, position)
    if text.startswith("!", position):
        inner, position = _unary(text, position + 1)
        return (lambda value, root: not inner(value, root)), position
    if text.startswith("(", position):
        inner, position = _or(text, position + 1)
        return inner, _expect(text, _space(text, position), ")")
    return _comparison(text, position)


_MISSING = object()
Operand = Callable[[Any, Any], Any]


def _comparison(text: str, position: int) -> tuple[Test, int]:
    left, position, is_path = _operand(text, position)
    at = position if text.startswith((" in ", " nin "), position) else _space(text, position)
    operator = next((item for item in _OPERATORS if text.startswith(item, at)), None)
    if operator is None:
        if not is_path:
            raise PathSyntaxError(f"a comparison is missing at {position} in {text}")
        return (lambda value, root: left(value, root) is not _MISSING), position
    position = _space(text, at + len(operator))
    if operator == "=~":
        pattern, position = _pattern(text, position)
        return (lambda value, root: _text_matches(pattern, left(value, root))), position
    right, position, _ = _operand(text, position)
    compare = _COMPARE[operator.strip()]
    return (lambda value, root: compare(left(value, root), right(value, root))), position


def _pattern(text: str, position: int) -> tuple[re.Pattern[str], int]:
    match = re.compile(r"/((?:[^/\\]|\\.)*)/(i?)").match(text, position)
    if not match:
        raise PathSyntaxError(f"a pattern is missing at {position} in {text}")
    try:
        return re.compile(match[1], re.IGNORECASE if match[2] else 0), match.end()
    except re.error as error:
        raise PathSyntaxError(f"{match[1]}: {error}") from error


def _text_matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _operand(text: str, position: int) -> tuple[Operand, int, bool]:
    first = text[position : position + 1]
    if first in ("@", "$"):
        path, end = read_path(text, position)
        return _path_operand(path, first == "$"), end, True
    value, end = _literal(text, position)
    return (lambda _, __: value), end, False


def _path_operand(path: Path, from_root: bool) -> Operand:
    def operand(value: Any, root: Any) -> Any:
        try:
            found = path.find(root if from_root else value, root)
        except NotFound:
            return _MISSING
        return _MISSING if not path.definite and not found else found

    return operand


def _literal(text: str, position: int) -> tuple[Any, int]:
    if text[position : position + 1] in ("'", '"'):
        return read_string(text, position)
    if text.startswith("[", position):
        items: list[Any] = []
        position = _space(text, position + 1)
        while not text.startswith("]", position):
            item, position = _literal(text, position)
            items.append(item)
            position = _space(text, position)
            if text.startswith(",", position):
                position = _space(text, position + 1)
        return items, position + 1
    for word, value in (("true", True), ("false", False), ("null", None)):
        if text.startswith(word, position):
            return value, position + len(word)
    match = _NUMBER.match(text, position)
    if not match:
        raise PathSyntaxError(f"a value is missing at {position} in {text}")
    return json.loads(match[0]), match.end()


def same(left: Any, right: Any) -> bool:
    """Equality of JSON values: true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def test(left: Any, right: Any) -> bool:
        for kind in (str, (int, float)):
            if isinstance(left, kind) and isinstance(right, kind):
                return not isinstance(left, bool) and not isinstance(right, bool) and compare(left, right)
        return False

    return test


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda left, right: left is not _MISSING and right is not _MISSING and same(left, right),
    "!=": lambda left, right: left is _MISSING or right is _MISSING or not same(left, right),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
    "in": lambda left, right: isinstance(right, list) and any(same(left, item) for item in right),
    "nin": lambda left, right: isinstance(right, list) and not any(same(left, item) for item in right),
}


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
