"""Choice rules of JSONPath states.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sandbox.services.stepfunctions.language import timestamps
from sandbox.services.stepfunctions.language.errors import StateError, runtime

Lookup = Callable[[str], Any]


def matches(rule: dict[str, Any], lookup: Lookup) -> bool:
    """Whether a rule holds; `lookup` gives the value of a path, StateError where there is none."""
    if "And" in rule:
        return all(matches(item, lookup) for item in rule["And"])
    if "Or" in rule:
        return any(matches(item, lookup) for item in rule["Or"])
    if "Not" in rule:
        return not matches(rule["Not"], lookup)
    operator = operator_of(rule)
    wanted = rule[operator]
    if operator == "IsPresent":
        return _present(rule["Variable"], lookup) is wanted
    value = _found(rule["Variable"], lookup)
    if operator in _KINDS:
        return _KINDS[operator](value) is wanted
    if operator.endswith("Path"):
        wanted = _found(wanted, lookup)
        operator = operator.removesuffix("Path")
    return OPERATORS[operator](value, wanted)


def operator_of(rule: dict[str, Any]) -> str:
    """The one comparison operator of a rule; KeyError for a rule without one."""
    for name in rule:
        if name in KNOWN:
            return name
    raise KeyError("no comparison operator")


def _present(path: str, lookup: Lookup) -> bool:
    try:
        found = lookup(path)
    except StateError:
        return False
    return not (found == [] and _may_be_many(path))


def _may_be_many(path: str) -> bool:
    return any(mark in path for mark in ("..", "*", "?(", ":", ","))


def _found(path: str, lookup: Lookup) -> Any:
    try:
        return lookup(path)
    except StateError as error:
        raise runtime(
            f"Invalid path '{path}': The choice state's condition path references an invalid value."
        ) from error


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _boolean(left: Any, right: Any) -> bool:
    return isinstance(left, bool) and isinstance(right, bool) and left is right


def _numeric(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: is_number(left) and is_number(right) and compare(left, right)


def _string(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: isinstance(left, str) and isinstance(right, str) and compare(left, right)


def _moment(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def test(left: Any, right: Any) -> bool:
        first, second = timestamps.parse(left), timestamps.parse(right)
        return first is not None and second is not None and compare(first, second)

    return test


def string_matches(value: Any, pattern: Any) -> bool:
    """`*` stands for any text; a backslash takes it, or a backslash, as it is."""
    if not isinstance(value, str) or not isinstance(pattern, str):
        return False
    pieces = re.findall(r"\\([*\\])|(\*)|(\\|[^*\\]+)", pattern)
    expression = "".join(".*" if star else re.escape(escaped or plain) for escaped, star, plain in pieces)
    return re.fullmatch(expression, value, re.DOTALL) is not None


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": lambda left, right: left == right,
    "LessThan": lambda left, right: left < right,
    "GreaterThan": lambda left, right: left > right,
    "LessThanEquals": lambda left, right: left <= right,
    "GreaterThanEquals": lambda left, right: left >= right,
}

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "BooleanEquals": _boolean,
    "StringMatches": string_matches,
    **{f"Numeric{name}": _numeric(compare) for name, compare in _ORDER.items()},
    **{f"String{name}": _string(compare) for name, compare in _ORDER.items()},
    **{f"Timestamp{name}": _moment(compare) for name, compare in _ORDER.items()},
}

_KINDS: dict[str, Callable[[Any], bool]] = {
    "IsNull": lambda value: value is None,
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsNumeric": is_number,
    "IsString": lambda value: isinstance(value, str),
    "IsTimestamp": lambda value: timestamps.parse(value) is not None,
}

KNOWN = frozenset(
    {
        "IsPresent",
        *_KINDS,
        *OPERATORS,
        *(f"{name}Path" for name in OPERATORS if name != "StringMatches"),
    }
)
"""Every comparison operator."""
