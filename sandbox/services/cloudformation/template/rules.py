"""Rules: assertions on parameters.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
"""

from __future__ import annotations

from typing import Any

from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.evaluate import Evaluator
from sandbox.services.cloudformation.template.parameters import existing_type, text_of

_NOT_IMPLEMENTED = ("Fn::ValueOf", "Fn::ValueOfAll")
"""They ask for attributes of what a parameter names (the VPC of a subnet)."""


def check(evaluator: Evaluator) -> None:
    """Raises TemplateError with the description of every assertion that does not hold."""
    failed: list[str] = []
    for name, rule in evaluator.template.rules.items():
        if not isinstance(rule, dict) or not isinstance(rule.get("Assertions"), list):
            raise TemplateError(f"Template format error: Rule {name} must contain a list of Assertions")
        if "RuleCondition" in rule and not _truth(rule["RuleCondition"], evaluator):
            continue
        for assertion in rule["Assertions"]:
            if not isinstance(assertion, dict) or "Assert" not in assertion:
                raise TemplateError(f"Template format error: Rule {name} has an assertion without Assert")
            if not _truth(assertion["Assert"], evaluator):
                failed.append(assertion.get("AssertDescription", f"Rule {name} failed"))
    if failed:
        raise TemplateError(f"Template validation failed: {'; '.join(failed)}")


def _truth(expression: Any, evaluator: Evaluator) -> bool:
    if not (isinstance(expression, dict) and len(expression) == 1):
        raise TemplateError(
            "Template format error: a rule must be a boolean rule-specific intrinsic function"
        )
    ((name, argument),) = expression.items()
    match name:
        case "Fn::And":
            return all(_truth(item, evaluator) for item in argument)
        case "Fn::Or":
            return any(_truth(item, evaluator) for item in argument)
        case "Fn::Not":
            return not _truth(argument[0], evaluator)
        case "Fn::Equals":
            left, right = _texts(argument, evaluator)
            return left == right
        case "Fn::Contains":
            items, wanted = _texts(argument, evaluator)
            return wanted in items
        case "Fn::EachMemberIn":
            items, allowed = _texts(argument, evaluator)
            return all(item in allowed for item in items)
        case "Fn::EachMemberEquals":
            items, wanted = _texts(argument, evaluator)
            return all(item == wanted for item in items)
    if name in _NOT_IMPLEMENTED:
        raise TemplateError(f"Template error: {name} in Rules is not implemented by the sandbox")
    raise TemplateError(f"Template format error: unsupported function {name} in Rules")


def _value(item: Any, evaluator: Evaluator) -> Any:
    if isinstance(item, list):
        return [_value(member, evaluator) for member in item]
    if not (isinstance(item, dict) and len(item) == 1):
        return evaluator.value(item)
    ((name, argument),) = item.items()
    if name in _NOT_IMPLEMENTED:
        raise TemplateError(f"Template error: {name} in Rules is not implemented by the sandbox")
    if name != "Fn::RefAll":
        return evaluator.value(item)
    if not isinstance(argument, str) or existing_type(argument) is None:
        raise TemplateError("Template format error: Fn::RefAll requires an AWS-specific parameter type")
    found = [items for kind, items in evaluator.values.existing().values() if kind == argument]
    return [text for items in found for text in items]


def _texts(argument: Any, evaluator: Evaluator) -> list[Any]:
    if not (isinstance(argument, list) and len(argument) == 2):
        raise TemplateError("Template format error: a rule function requires two parameters")
    values = [_value(item, evaluator) for item in argument]
    return [
        [text_of(item) for item in value] if isinstance(value, list) else text_of(value) for value in values
    ]
