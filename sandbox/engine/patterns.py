"""Patterns over JSON: compiled once, strictly, then matched against events (EventBridge) or messages (SNS).

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
An array in an event matches if one of its elements does; conditions below an array of objects hold for one
and the same element.
"""

from __future__ import annotations

import ipaddress
import json
import operator
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

Test = Callable[[Any], bool]
"""Whether a leaf value of an event matches."""
Matcher = Callable[[Any], bool]
"""Whether an object of an event matches."""

_COMPARISONS = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}
_LIMIT = 5e9
_MISSING = object()


class InvalidPattern(ValueError):
    """A pattern that neither service takes; the message says why, in EventBridge's words."""


def invalid(reason: str) -> InvalidPattern:
    return InvalidPattern(reason)


@lru_cache(maxsize=1024)
def compile_pattern(text: str) -> Matcher:
    """Raises InvalidPattern."""
    try:
        pattern = json.loads(text, object_pairs_hook=_no_duplicates)
    except json.JSONDecodeError as error:
        raise invalid(f"{error.msg} at line: {error.lineno}, column: {error.colno}") from error
    if not isinstance(pattern, dict):
        raise invalid("Filter is not an object")
    if not pattern:
        raise invalid("Empty objects are not allowed")
    return _object(pattern)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # EventBridge keeps the last of two equal keys, which no author means: refused.
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise invalid(f'Path "{name}" is given more than once')
    return dict(pairs)


def _object(pattern: dict[str, Any]) -> Matcher:
    parts: list[Matcher] = []
    for name, value in pattern.items():
        if name == "$or" and _is_or(value):
            parts.append(_any([_object(alternative) for alternative in value]))
        else:
            parts.append(_member(name, value))
    return lambda event: all(part(event) for part in parts)


def _is_or(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(isinstance(v, dict) and v for v in value)


def _any(matchers: list[Matcher]) -> Matcher:
    return lambda event: any(matcher(event) for matcher in matchers)


def _member(name: str, value: Any) -> Matcher:
    if isinstance(value, dict):
        if not value:
            raise invalid("Empty objects are not allowed")
        nested = _object(value)
        return lambda event: any(nested(item) for item in _objects(event.get(name, _MISSING)))
    if not isinstance(value, list):
        raise invalid(f'"{name}" must be an object or an array')
    if not value:
        raise invalid("Empty arrays are not allowed")
    tests = [_leaf(one) for one in value]
    absent_matches = any(one == {"exists": False} for one in value)

    def matches(event: Any) -> bool:
        leaves = _leaves(event.get(name, _MISSING))
        if not leaves:
            return absent_matches
        return any(test(leaf) for test in tests for leaf in leaves)

    return matches


def _objects(value: Any) -> list[Any]:
    """The objects that a nested pattern may match: the value or the elements of an array. A missing one is an
    empty object, so that `exists: false` below it can match."""
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list):
        return [item for one in value for item in _objects(one)] or [{}]
    return [{}]


def _leaves(value: Any) -> list[Any]:
    if value is _MISSING or isinstance(value, dict):
        return []
    if isinstance(value, list):
        return [leaf for one in value for leaf in _leaves(one)]
    return [value]


def _leaf(value: Any) -> Test:
    if isinstance(value, dict):
        if len(value) != 1:
            raise invalid("Only one key allowed in match expression")
        [(kind, argument)] = value.items()
        if kind not in _OPERATORS:
            raise invalid(f"Unrecognized match type {kind}")
        return _OPERATORS[kind](argument)
    if isinstance(value, list):
        raise invalid("Match value must be String, number, true, false, or null")
    return _equals(value)


def _equals(expected: Any) -> Test:
    def test(value: Any) -> bool:
        # true is no number, and 1 is 1.0.
        if isinstance(expected, bool) or isinstance(value, bool):
            return value is expected
        return bool(value == expected)

    return test


def _string(kind: str, argument: Any) -> str:
    if not isinstance(argument, str):
        raise invalid(f"{kind} match pattern must be a string")
    return argument


def _affix(kind: str, method: str) -> Callable[[Any], Test]:
    def build(argument: Any) -> Test:
        if isinstance(argument, dict) and list(argument) == ["equals-ignore-case"]:
            affix = _string(kind, argument["equals-ignore-case"]).lower()
            return lambda value: isinstance(value, str) and getattr(value.lower(), method)(affix)
        affix = _string(kind, argument)
        return lambda value: isinstance(value, str) and getattr(value, method)(affix)

    return build


def _ignore_case(argument: Any) -> Test:
    expected = _string("equals-ignore-case", argument).lower()
    return lambda value: isinstance(value, str) and value.lower() == expected


def _wildcard(argument: Any) -> Test:
    text = _string("wildcard", argument)
    if re.search(r"(?<!\\)(?:\\\\)*\*\*", text):
        raise invalid("Consecutive wildcard characters at pos " + str(text.index("**")))
    parts = []
    position = 0
    while position < len(text):
        character = text[position]
        if character == "\\":
            position += 1
            if position == len(text) or text[position] not in "*\\":
                raise invalid(f"Invalid escape character at pos {position - 1}")
            parts.append(re.escape(text[position]))
        else:
            parts.append(".*" if character == "*" else re.escape(character))
        position += 1
    compiled = re.compile("".join(parts), re.DOTALL)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _exists(argument: Any) -> Test:
    if not isinstance(argument, bool):
        raise invalid("exists match pattern must be either true or false.")
    return lambda value: argument


def _numeric(argument: Any) -> Test:
    if not isinstance(argument, list) or not argument:
        raise invalid("Value of numeric must be an array.")
    if len(argument) not in (2, 4):
        raise invalid(
            "Too many terms in numeric range expression" if len(argument) > 4 else "Bad numeric range"
        )
    bounds: list[tuple[Callable[[Any, Any], bool], float]] = []
    for sign, number in zip(argument[::2], argument[1::2], strict=True):
        if sign not in _COMPARISONS:
            raise invalid(f"Unrecognized numeric range operator: {sign}")
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise invalid("Value of numeric match must be numeric")
        if abs(number) > _LIMIT:
            raise invalid("Value must be between -5.0E9 and 5.0E9, inclusive")
        bounds.append((_COMPARISONS[sign], number))
    if len(argument) == 4 and (argument[0] not in (">", ">=") or argument[2] not in ("<", "<=")):
        raise invalid("Bad numeric range operator: " + str(argument[2]))
    if len(argument) == 4 and argument[1] >= argument[3]:
        raise invalid("Bottom must be less than top")

    def test(value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return all(compare(value, bound) for compare, bound in bounds)

    return test


def _cidr(argument: Any) -> Test:
    try:
        network = ipaddress.ip_network(_string("cidr", argument), strict=False)
    except ValueError as error:
        raise invalid(f"Malformed CIDR: {error}") from error

    def test(value: Any) -> bool:
        try:
            return isinstance(value, str) and ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return test


def _anything_but(argument: Any) -> Test:
    if isinstance(argument, dict):
        if len(argument) != 1:
            raise invalid("Only one key allowed in match expression")
        [(kind, values)] = argument.items()
        if kind not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
            raise invalid(f"Unsupported anything-but pattern: {kind}")
        each = values if isinstance(values, list) else [values]
        tests = [_OPERATORS[kind](one) for one in each]
    else:
        each = argument if isinstance(argument, list) else [argument]
        if any(isinstance(one, dict | list | bool) or one is None for one in each):
            raise invalid("Value of anything-but must be an array or single string/number value.")
        if len({isinstance(one, str) for one in each}) > 1:
            raise invalid(
                "Inside anything but list, either all values are number or string, "
                "mixed type is not supported"
            )
        tests = [_equals(one) for one in each]
    if not tests:
        raise invalid("Empty arrays are not allowed")
    return lambda value: not any(test(value) for test in tests)


_OPERATORS: dict[str, Callable[[Any], Test]] = {
    "prefix": _affix("prefix", "startswith"),
    "suffix": _affix("suffix", "endswith"),
    "equals-ignore-case": _ignore_case,
    "wildcard": _wildcard,
    "exists": _exists,
    "numeric": _numeric,
    "cidr": _cidr,
    "anything-but": _anything_but,
}
