"""Stage conditions: rules evaluated before a stage is entered and after it ended.

Source: https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works-conditions.html
A condition is met when all its rules succeed; its result engages when it is not met. On failure it is the
other way round: the result engages when the condition is met.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from sandbox.services.codepipeline.variables import Namespaces, UnresolvedVariable, resolve_all

Json = dict[str, Any]


def evaluate(conditions: list[Json], namespaces: Namespaces, now: float) -> Json:
    """A record of the evaluation: `status`, `conditions` with their `rules`, and `result`: that of the first
    condition that is not met, None if all are."""
    evaluated = [_condition(condition, namespaces, now) for condition in conditions]
    failed = [one for one in evaluated if one["status"] == "Failed"]
    return {
        "status": "Failed" if failed else "Succeeded",
        "result": failed[0]["result"] if failed else None,
        "conditions": evaluated,
        "time": now,
    }


def _condition(condition: Json, namespaces: Namespaces, now: float) -> Json:
    rules = [_rule(rule, namespaces, now) for rule in condition["rules"]]
    failed = [rule for rule in rules if rule["status"] == "Failed"]
    record = {
        "status": "Failed" if failed else "Succeeded",
        "result": condition.get("result", "FAIL"),
        "rules": rules,
        "time": now,
    }
    return record | ({"summary": failed[0]["summary"]} if failed else {})


def _rule(rule: Json, namespaces: Namespaces, now: float) -> Json:
    record: Json = {
        "name": rule["name"],
        "ruleTypeId": rule["ruleTypeId"],
        "configuration": rule["configuration"],
        "ruleExecutionId": str(uuid.uuid4()),
        "time": now,
    }
    try:
        resolved = resolve_all(rule["configuration"], namespaces)
    except UnresolvedVariable as error:
        message = f"The variable {error} of rule {rule['name']} could not be resolved"
        details = {"code": "InvalidVariableReference", "message": message}
        return record | {"status": "Failed", "summary": message, "errorDetails": details}
    variable, operator, value = resolved["Variable"], resolved["Operator"], resolved["Value"]
    holds = _compare(variable, operator, value)
    summary = f"'{variable}' {operator} '{value}' is {'true' if holds else 'false'}"
    status = "Succeeded" if holds else "Failed"
    return record | {"status": status, "summary": summary, "resolvedConfiguration": resolved}


def _compare(variable: str, operator: str, value: str) -> bool:
    if operator == "EQ":
        return variable == value
    if operator == "NE":
        return variable != value
    if operator == "CONTAINS":
        return value in variable
    try:
        return re.fullmatch(value, variable) is not None
    except re.error:
        return False
