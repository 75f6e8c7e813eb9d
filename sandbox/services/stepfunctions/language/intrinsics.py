"""Intrinsic functions of JSONPath states: `States.Format('{}', $.name)`.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.services.stepfunctions.language.intrinsic_functions import FUNCTIONS, failure
from sandbox.services.stepfunctions.language.jsonpath import PathSyntaxError, read_path

_CALL = re.compile(r"\s*(States\.[A-Za-z0-9]+)\s*\(")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORD = re.compile(r"true|false|null")
VARIABLE = re.compile(r"\$[A-Za-z_]\w*")


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
    low, high, body = FUNCTIONS[function.name]
    if not low <= len(arguments) <= (high if high is not None else len(arguments)):
        raise failure(f"Invalid number of arguments for {function.name}")
    return body(*arguments)


def _read_call(text: str, start: int) -> tuple[Function, int]:
    match = _CALL.match(text, start)
    if not match or match[1] not in FUNCTIONS:
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
    variable = VARIABLE.match(text, start)
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


def _space(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position
