"""Intrinsic functions of JSONPath states: `States.Format('{}', $.name)`.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import json
import random
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.services.stepfunctions.language.errors import INTRINSIC, StateError
from sandbox.services.stepfunctions.language.jsonpath import PathSyntaxError, read_path, same

_CALL = re.compile(r"\s*(States\.[A-Za-z0-9]+)\s*\(")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORD = re.compile(r"true|false|null")
_VARIABLE = re.compile(r"\$[A-Za-z_]\w*")
_PLAIN_LIMIT = 10_000
_ARRAY_LIMIT = 1000
_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


@dataclass(frozen=True)
class Reference:
    """A path among the arguments: `$.a`, `$$.Execution.Id` or `$variable.a`."""

    text: str


@dataclass(frozen=True)
class Literal:
    value: Any


@dataclass(frozen=True)
class Function:
    """One call and its arguments, read but not evaluated."""

    name: str
    arguments: tuple[Reference | Literal | Function, ...]


def is_call(text: str) -> bool:
    return text.lstrip().startswith("States.")


@functools.lru_cache(1024)
def compile_call(text: str) -> Function:
    """PathSyntaxError for what is no call of a known function."""
    function, end = _read_call(text, 0)
    if text[end:].strip():
        raise PathSyntaxError(f"unexpected '{text[end:]}' in {text}")
    return function


def references(function: Function) -> list[str]:
    """The paths that a call reads."""
    found: list[str] = []
    for argument in function.arguments:
        if isinstance(argument, Function):
            found += references(argument)
        elif isinstance(argument, Reference):
            found.append(argument.text)
    return found


def evaluate(function: Function, lookup: Callable[[str], Any]) -> Any:
    """`lookup` gives the value of a path. StateError States.IntrinsicFailure for arguments that do not do."""
    arguments = [
        evaluate(item, lookup)
        if isinstance(item, Function)
        else lookup(item.text)
        if isinstance(item, Reference)
        else item.value
        for item in function.arguments
    ]
    low, high, body = _FUNCTIONS[function.name]
    if not low <= len(arguments) <= (high if high is not None else len(arguments)):
        raise _failure(f"Invalid number of arguments for {function.name}")
    return body(*arguments)


def _read_call(text: str, start: int) -> tuple[Function, int]:
    match = _CALL.match(text, start)
    if not match or match[1] not in _FUNCTIONS:
        raise PathSyntaxError(f"no intrinsic function is called in {text[start:]}")
    position = _space(text, match.end())
    arguments: list[Reference | Literal | Function] = []
    if text.startswith(")", position):
        return Function(match[1], ()), position + 1
    while True:
        argument, position = _read_argument(text, _space(text, position))
        arguments.append(argument)
        position = _space(text, position)
        if text.startswith(")", position):
            return Function(match[1], tuple(arguments)), position + 1
        if not text.startswith(",", position):
            raise PathSyntaxError(f"',' or ')' is missing at {position} in {text}")
        position += 1


def _read_argument(text: str, start: int) -> tuple[Reference | Literal | Function, int]:
    if text.startswith("'", start):
        value, end = _read_string(text, start)
        return Literal(value), end
    if text.startswith("States.", start):
        return _read_call(text, start)
    if text.startswith("$$", start):
        path, end = read_path(text, start + 1)
        return Reference("$" + path.text), end
    variable = _VARIABLE.match(text, start)
    if variable:
        path, end = read_path("$" + text[variable.end() :], 0)
        return Reference(variable[0] + path.text[1:]), variable.end() + end - 1
    if text.startswith("$", start):
        path, end = read_path(text, start)
        return Reference(path.text), end
    for pattern in (_WORD, _NUMBER):
        match = pattern.match(text, start)
        if match:
            return Literal(json.loads(match[0])), match.end()
    raise PathSyntaxError(f"an argument is missing at {start} in {text}")


def _read_string(text: str, start: int) -> tuple[str, int]:
    """Braces keep their backslash: what they mean is for States.Format to say."""
    letters: list[str] = []
    position = start + 1
    while position < len(text):
        letter = text[position]
        if letter == "'":
            return "".join(letters), position + 1
        if letter == "\\" and position + 1 < len(text):
            following = text[position + 1]
            letters.append(letter + following if following in "{}\\" else following)
            position += 2
            continue
        letters.append(letter)
        position += 1
    raise PathSyntaxError(f"a string does not end: {text[start:]}")


def _plain(text: str) -> str:
    return re.sub(r"\\([{}\\])", r"\1", text)


def _space(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _failure(cause: str) -> StateError:
    return StateError(INTRINSIC, cause, located=True)


def _text_of(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _format(template: Any, *values: Any) -> str:
    if not isinstance(template, str):
        raise _failure("Invalid arguments in States.Format: the first one must be a string")
    left = list(values)
    pieces: list[str] = []
    for match in re.finditer(r"\\(.)|(\{\})|(.)", template, re.DOTALL):
        if match[2]:
            if not left:
                raise _failure("Invalid arguments in States.Format: the number of arguments does not match")
            pieces.append(_text_of(left.pop(0)))
        else:
            pieces.append(match[1] or match[3])
    if left:
        raise _failure("Invalid arguments in States.Format: the number of arguments does not match")
    return "".join(pieces)


def _string_to_json(text: Any) -> Any:
    if not isinstance(text, str):
        raise _failure("Invalid arguments in States.StringToJson")
    try:
        return json.loads(text) if text.strip() else None
    except ValueError as error:
        raise _failure(f"Invalid arguments in States.StringToJson: {error}") from error


def _list(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _failure(f"Invalid arguments in {name}: the first one must be an array")
    return value


def _integer(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _failure(f"Invalid arguments in {name}: a number is wanted")
    return round(value)


def _partition(values: Any, size: Any) -> list[list[Any]]:
    items, count = _list("States.ArrayPartition", values), _integer("States.ArrayPartition", size)
    if count < 1:
        raise _failure("Invalid arguments in States.ArrayPartition: the chunk size must be positive")
    return [items[start : start + count] for start in range(0, len(items), count)]


def _range(first: Any, last: Any, step: Any) -> list[int]:
    low, high, by = (_integer("States.ArrayRange", value) for value in (first, last, step))
    if by == 0:
        raise _failure("Invalid arguments in States.ArrayRange: the increment must not be 0")
    values = range(low, high + (1 if by > 0 else -1), by)
    if len(values) > _ARRAY_LIMIT:
        raise _failure("Invalid arguments in States.ArrayRange: the array has more than 1000 elements")
    return list(values)


def _get_item(values: Any, index: Any) -> Any:
    items, at = _list("States.ArrayGetItem", values), _integer("States.ArrayGetItem", index)
    if not 0 <= at < len(items):
        raise _failure("Invalid arguments in States.ArrayGetItem: the index is out of bounds")
    return items[at]


def _unique(values: Any) -> list[Any]:
    seen: list[Any] = []
    for item in _list("States.ArrayUnique", values):
        if not any(same(item, other) for other in seen):
            seen.append(item)
    return seen


def _encode(text: Any) -> str:
    if not isinstance(text, str) or len(text) > _PLAIN_LIMIT:
        raise _failure("Invalid arguments in States.Base64Encode")
    return base64.b64encode(_plain(text).encode()).decode()


def _decode(text: Any) -> str:
    if not isinstance(text, str) or len(text) > _PLAIN_LIMIT:
        raise _failure("Invalid arguments in States.Base64Decode")
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise _failure(f"Invalid arguments in States.Base64Decode: {error}") from error


def hash_of(data: Any, algorithm: Any) -> str:
    """The hex digest of a text, or of a value's JSON. KeyError for an unknown algorithm."""
    name = _HASHES[algorithm]
    return hashlib.new(name, _text_of(data).encode(), usedforsecurity=False).hexdigest()


def _hash(data: Any, algorithm: Any) -> str:
    if algorithm not in _HASHES or len(_text_of(data)) > _PLAIN_LIMIT:
        raise _failure("Invalid arguments in States.Hash")
    return hash_of(_plain(data) if isinstance(data, str) else data, algorithm)


def _merge(left: Any, right: Any, deep: Any) -> dict[str, Any]:
    if not isinstance(left, dict) or not isinstance(right, dict) or deep is not False:
        raise _failure("Invalid arguments in States.JsonMerge: two objects and false are wanted")
    return {**left, **right}


def _random(first: Any, last: Any, seed: Any = None) -> int:
    low, high = _integer("States.MathRandom", first), _integer("States.MathRandom", last)
    if high <= low:
        raise _failure("Invalid arguments in States.MathRandom: the end must be above the start")
    source = random.Random(seed) if seed is not None else random.Random()
    return source.randrange(low, high)


def _add(left: Any, right: Any) -> int:
    return _integer("States.MathAdd", left) + _integer("States.MathAdd", right)


def _split(text: Any, splitter: Any) -> list[str]:
    if not isinstance(text, str) or not isinstance(splitter, str):
        raise _failure("Invalid arguments in States.StringSplit: two strings are wanted")
    if not splitter:
        return [text]
    return [piece for piece in re.split(f"[{re.escape(splitter)}]", text) if piece]


def _contains(values: Any, wanted: Any) -> bool:
    return any(same(item, wanted) for item in _list("States.ArrayContains", values))


_FUNCTIONS: dict[str, tuple[int, int | None, Callable[..., Any]]] = {
    "States.Format": (1, None, _format),
    "States.StringToJson": (1, 1, _string_to_json),
    "States.JsonToString": (1, 1, lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False)),
    "States.Array": (0, None, lambda *values: [_plain(v) if isinstance(v, str) else v for v in values]),
    "States.ArrayPartition": (2, 2, _partition),
    "States.ArrayContains": (2, 2, _contains),
    "States.ArrayRange": (3, 3, _range),
    "States.ArrayGetItem": (2, 2, _get_item),
    "States.ArrayLength": (1, 1, lambda values: len(_list("States.ArrayLength", values))),
    "States.ArrayUnique": (1, 1, _unique),
    "States.Base64Encode": (1, 1, _encode),
    "States.Base64Decode": (1, 1, _decode),
    "States.Hash": (2, 2, _hash),
    "States.JsonMerge": (3, 3, _merge),
    "States.MathRandom": (2, 3, _random),
    "States.MathAdd": (2, 2, _add),
    "States.StringSplit": (2, 2, _split),
    "States.UUID": (0, 0, lambda: str(uuid.uuid4())),
}
"""Name → fewest and most arguments (None: any number), and what it does."""
