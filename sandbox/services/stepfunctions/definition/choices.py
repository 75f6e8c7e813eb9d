"""Choice rules, retriers and catchers of a definition."""

from __future__ import annotations

from typing import Any

from sandbox.services.stepfunctions.definition import fields
from sandbox.services.stepfunctions.definition.diagnostics import Report
from sandbox.services.stepfunctions.definition.expressions import check_jsonata, check_path, check_template
from sandbox.services.stepfunctions.definition.machine import JSONATA
from sandbox.services.stepfunctions.language import jsonata, timestamps
from sandbox.services.stepfunctions.language.choice import KNOWN

_LOGICAL = ("And", "Or", "Not")
_TOP = frozenset({"Next", "Assign", "Output", "Comment"})


def check(state: dict[str, Any], language: str, place: str, report: Report) -> None:
    rules = state.get("Choices")
    if rules is None:
        return
    if not isinstance(rules, list) or not rules:
        report.schema("Expected a non-empty Array", f"{place}/Choices")
        return
    for index, rule in enumerate(rules):
        here = f"{place}/Choices[{index}]"
        if not isinstance(rule, dict):
            report.schema("Expected value of type Object", here)
            continue
        if not isinstance(rule.get("Next"), str):
            report.schema("These fields are required: [Next]", here)
        if language == JSONATA:
            _condition(rule, here, report)
        else:
            _rule(rule, here, report, top=True)
            check_template(rule.get("Assign", {}), f"{here}/Assign", report)


def _condition(rule: dict[str, Any], place: str, report: Report) -> None:
    for name in rule:
        if name in fields.JSONPATH_ONLY or name in KNOWN or name in _LOGICAL:
            report.schema(
                f"The QueryLanguage is set to 'JSONata', but field '{name}' is only supported for the "
                "'JSONPath' QueryLanguage",
                place,
            )
        elif name not in _TOP | {"Condition"}:
            report.schema(f"Field '{name}' is not supported", place)
    condition = rule.get("Condition")
    if condition is None:
        report.schema("These fields are required: [Condition]", place)
    elif not isinstance(condition, bool) and not jsonata.is_expression(condition):
        report.schema("Expected value of type Boolean or a JSONata expression", f"{place}/Condition")
    for name in ("Condition", "Assign", "Output"):
        if name in rule:
            check_jsonata(rule[name], f"{place}/{name}", report)


def _rule(rule: Any, place: str, report: Report, *, top: bool = False) -> None:
    if not isinstance(rule, dict):
        report.schema("Expected value of type Object", place)
        return
    if "Condition" in rule:
        report.schema(
            "The QueryLanguage is set to 'JSONPath', but field 'Condition' is only supported for the "
            "'JSONata' QueryLanguage",
            place,
        )
        return
    operators = [name for name in rule if name in KNOWN]
    logical = [name for name in rule if name in _LOGICAL]
    for name in rule:
        if (
            name not in KNOWN
            and name not in (*_LOGICAL, "Variable", "Comment")
            and not (top and name in _TOP)
        ):
            report.schema(f"Field '{name}' is not supported", place)
    if len(operators) + len(logical) != 1:
        report.schema("There should be exactly one comparison operator or logical operator", place)
        return
    if logical:
        _logical(rule, logical[0], place, report)
        return
    if "Variable" not in rule:
        report.schema("These fields are required: [Variable]", place)
    else:
        check_path(rule["Variable"], f"{place}/Variable", report)
    _operand(operators[0], rule[operators[0]], f"{place}/{operators[0]}", report)


def _logical(rule: dict[str, Any], operator: str, place: str, report: Report) -> None:
    inner = rule[operator]
    if operator == "Not":
        _rule(inner, f"{place}/Not", report)
        return
    if not isinstance(inner, list) or not inner:
        report.schema("Expected a non-empty Array", f"{place}/{operator}")
        return
    for index, item in enumerate(inner):
        _rule(item, f"{place}/{operator}[{index}]", report)


def _operand(operator: str, value: Any, place: str, report: Report) -> None:
    if operator.endswith("Path"):
        check_path(value, place, report)
    elif operator.startswith(("Is", "Boolean")) and not isinstance(value, bool):
        report.schema("Expected value of type Boolean", place)
    elif operator.startswith("Numeric") and (isinstance(value, bool) or not isinstance(value, int | float)):
        report.schema("Expected value of type Number", place)
    elif operator.startswith(("String", "Timestamp")) and not isinstance(value, str):
        report.schema("Expected value of type String", place)
    elif operator.startswith("Timestamp") and timestamps.parse(value) is None:
        report.schema("Value is not a valid timestamp", place)


def check_retrier(item: Any, language: str, place: str, last: bool, report: Report) -> None:
    if not _known(item, fields.RETRIER, place, report):
        return
    _errors(item, place, last, report)
    for name, low, high in (
        ("IntervalSeconds", 1, 99_999_999),
        ("MaxAttempts", 0, 99_999_999),
        ("BackoffRate", 1.0, None),
        ("MaxDelaySeconds", 1, 31_622_400),
    ):
        value = item.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            report.schema("Expected value of type Number", f"{place}/{name}")
        elif value < low:
            report.schema(f"Minimum value is {low}", f"{place}/{name}")
        elif high is not None and value > high:
            report.schema(f"Maximum value is {high}", f"{place}/{name}")
    if item.get("MaxDelaySeconds", 31_622_400) <= item.get("IntervalSeconds", 1):
        report.schema("MaxDelaySeconds must be greater than IntervalSeconds", f"{place}/MaxDelaySeconds")
    if item.get("JitterStrategy", "NONE") not in ("FULL", "NONE"):
        report.schema("Value is not one of the allowed values: [FULL, NONE]", f"{place}/JitterStrategy")


def check_catcher(item: Any, language: str, place: str, last: bool, report: Report) -> None:
    if not _known(item, fields.CATCHER, place, report):
        return
    _errors(item, place, last, report)
    if not isinstance(item.get("Next"), str):
        report.schema("These fields are required: [Next]", place)
    if language == JSONATA:
        for name in ("Assign", "Output"):
            if name in item:
                check_jsonata(item[name], f"{place}/{name}", report, error_output=True)
        return
    if item.get("ResultPath") is not None:
        check_path(item["ResultPath"], f"{place}/ResultPath", report, reference=True)
    check_template(item.get("Assign", {}), f"{place}/Assign", report)


def _known(item: Any, allowed: frozenset[str], place: str, report: Report) -> bool:
    if not isinstance(item, dict):
        report.schema("Expected value of type Object", place)
        return False
    for name in item:
        if name not in allowed:
            report.schema(f"Field '{name}' is not supported", place)
    return True


def _errors(item: dict[str, Any], place: str, last: bool, report: Report) -> None:
    names = item.get("ErrorEquals")
    if names is None:
        report.schema("These fields are required: [ErrorEquals]", place)
        return
    here = f"{place}/ErrorEquals"
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        report.schema("Expected a non-empty Array of Strings", here)
        return
    if "States.ALL" in names and (len(names) > 1 or not last):
        report.schema(
            "States.ALL must appear alone and at end of list" if len(names) > 1 else _NOT_LAST, here
        )


_NOT_LAST = "States.ALL must appear in the last element"
