"""Conditions of a Condition step. All conditions of a step must hold for its IfSteps to run."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.services.sagemaker.pipelines.expressions import ExpressionError

Resolve = Callable[[Any], Any]

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
CONDITION_TYPES = (*_COMPARISONS, "In", "Not", "Or")


def evaluate(condition: dict[str, Any], resolve: Resolve) -> bool:
    """Whether one condition holds. ExpressionError where its operands cannot be compared."""
    kind = condition["Type"]
    if kind == "Not":
        return not evaluate(_negated(condition), resolve)
    if kind == "Or":
        return any(evaluate(inner, resolve) for inner in condition["Conditions"])
    if kind == "In":
        wanted = resolve(condition["QueryValue"])
        return any(_compare("Equals", wanted, resolve(value)) for value in condition["Values"])
    return _compare(kind, resolve(condition["LeftValue"]), resolve(condition["RightValue"]))


def check(condition: Any) -> Iterator[str]:
    """What is wrong with the form of a condition."""
    kind = condition.get("Type") if isinstance(condition, dict) else None
    if kind not in CONDITION_TYPES:
        yield f"condition type {kind!r} is not one of {', '.join(CONDITION_TYPES)}"
    elif kind == "Not":
        inner = _negated(condition)
        if inner is None:
            yield "a Not condition needs Condition"
        else:
            yield from check(inner)
    elif kind == "Or":
        inner = condition.get("Conditions")
        if not isinstance(inner, list) or not inner:
            yield "an Or condition needs the list Conditions"
        else:
            for each in inner:
                yield from check(each)
    else:
        needed = ("QueryValue", "Values") if kind == "In" else ("LeftValue", "RightValue")
        yield from (f"a condition of type {kind} needs {name}" for name in needed if name not in condition)
        if kind == "In" and not isinstance(condition.get("Values"), list):
            yield "the Values of an In condition must be a list"


def _negated(condition: dict[str, Any]) -> Any:
    return condition.get("Condition", condition.get("Expression"))


def _compare(kind: str, left: Any, right: Any) -> bool:
    numbers = _is_number(left) and _is_number(right)
    if not numbers and type(left) is not type(right):
        raise ExpressionError(f"{kind} cannot compare {_described(left)} with {_described(right)}")
    if not numbers and not isinstance(left, str | bool):
        raise ExpressionError(f"{kind} compares strings, numbers and booleans, not {_described(left)}")
    if isinstance(left, bool) and kind != "Equals":
        raise ExpressionError(f"{kind} cannot order booleans")
    return _COMPARISONS[kind](left, right)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _described(value: Any) -> str:
    return f"the {type(value).__name__} {value!r}"
