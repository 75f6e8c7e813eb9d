"""Filters of a path: `?(@.price < 10 && @.isbn)`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from sandbox.services.stepfunctions.language.jsonpath_reading import (
    NotFound,
    PathSyntaxError,
    expect,
    read_string,
    space,
)

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_OPERATORS = ("==", "!=", "<=", ">=", "=~", "<", ">", " in ", " nin ")


class Findable(Protocol):
    """A path, as a filter uses it."""

    @property
    def definite(self) -> bool: ...

    def find(self, value: Any, root: Any = None) -> Any: ...


ReadPath = Callable[[str, int], tuple[Findable, int]]
Test = Callable[[Any, Any], bool]


def filtering(test: Test) -> Callable[[Any, Any], Iterator[Any]]:
    """The step of a path that keeps what passes a test: the items of an array, or an object itself."""

    def select(value: Any, root: Any) -> Iterator[Any]:
        if isinstance(value, dict):
            if test(value, root):
                yield value
            return
        if isinstance(value, list):
            yield from (item for item in value if test(item, root))

    return select


def read_test(text: str, position: int, read: ReadPath) -> tuple[Test, int]:
    """The condition that begins at `position`, and where it ends. `read` reads the paths in it."""
    left, position = _and(text, position, read)
    while text.startswith("||", space(text, position)):
        right, position = _and(text, space(text, position) + 2, read)
        left = _either(left, right)
    return left, position


def _and(text: str, position: int, read: ReadPath) -> tuple[Test, int]:
    left, position = _unary(text, position, read)
    while text.startswith("&&", space(text, position)):
        right, position = _unary(text, space(text, position) + 2, read)
        left = _both(left, right)
    return left, position


def _either(left: Test, right: Test) -> Test:
    return lambda value, root: left(value, root) or right(value, root)


def _both(left: Test, right: Test) -> Test:
    return lambda value, root: left(value, root) and right(value, root)


def _unary(text: str, position: int, read: ReadPath) -> tuple[Test, int]:
    position = space(text, position)
    if text.startswith("!", position):
        inner, position = _unary(text, position + 1, read)
        return (lambda value, root: not inner(value, root)), position
    if text.startswith("(", position):
        inner, position = read_test(text, position + 1, read)
        return inner, expect(text, space(text, position), ")")
    return _comparison(text, position, read)


_MISSING = object()
Operand = Callable[[Any, Any], Any]


def _comparison(text: str, position: int, read: ReadPath) -> tuple[Test, int]:
    left, position, is_path = _operand(text, position, read)
    at = position if text.startswith((" in ", " nin "), position) else space(text, position)
    operator = next((item for item in _OPERATORS if text.startswith(item, at)), None)
    if operator is None:
        if not is_path:
            raise PathSyntaxError(f"a comparison is missing at {position} in {text}")
        return (lambda value, root: left(value, root) is not _MISSING), position
    position = space(text, at + len(operator))
    if operator == "=~":
        pattern, position = _pattern(text, position)
        return (lambda value, root: _text_matches(pattern, left(value, root))), position
    right, position, _ = _operand(text, position, read)
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


def _operand(text: str, position: int, read: ReadPath) -> tuple[Operand, int, bool]:
    first = text[position : position + 1]
    if first in ("@", "$"):
        path, end = read(text, position)
        return _path_operand(path, first == "$"), end, True
    value, end = _literal(text, position)
    return (lambda _, __: value), end, False


def _path_operand(path: Findable, from_root: bool) -> Operand:
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
        position = space(text, position + 1)
        while not text.startswith("]", position):
            item, position = _literal(text, position)
            items.append(item)
            position = space(text, position)
            if text.startswith(",", position):
                position = space(text, position + 1)
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
