"""Evaluation of a template's values under one set of parameters.

References to resources and imports are answered by a `Lookups`: a plan answers Unknown, a deployment answers
with what the created resources returned.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.services.cloudformation.template import functions
from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.parameters import MASK, Values, text_of
from sandbox.services.cloudformation.template.sections import Template
from sandbox.services.cloudformation.template.unknown import Unknown

PSEUDO = (
    "AWS::AccountId",
    "AWS::NotificationARNs",
    "AWS::NoValue",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
)
EXTENSIONS = ("Fn::Length", "Fn::ToJsonString")
_OF_VALUES: dict[str, Callable[[Any], Any]] = {
    "Fn::Base64": functions.base64_of,
    "Fn::Cidr": functions.cidr,
    "Fn::Length": functions.length,
    "Fn::Select": functions.select,
    "Fn::Split": functions.split,
    "Fn::ToJsonString": functions.to_json,
}
_CONDITION_FUNCTIONS = ("Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals", "Condition")
DYNAMIC_SERVICES = ("ssm", "ssm-secure", "secretsmanager")
_DYNAMIC = re.compile(r"\{\{resolve:([^:{}]+):([^{}]*)\}\}")


class _NoValue:
    """AWS::NoValue: whatever holds it is left out."""


NO_VALUE = _NoValue()


class Lookups(Protocol):
    """What lies outside of the template."""

    def ref(self, logical_id: str) -> Any: ...

    def attribute(self, logical_id: str, attribute: str) -> Any: ...

    def imported(self, name: str) -> Any: ...

    def stored(self, reference: str) -> Any:
        """What a dynamic reference stands for: `service:reference`, as between `{{resolve:` and `}}`."""


@dataclass(frozen=True)
class Place:
    """Where a stack lives, for the pseudo parameters."""

    account: str
    region: str
    stack_id: str
    stack_name: str
    partition: str = "aws"
    suffix: str = "amazonaws.com"
    notifications: tuple[str, ...] = ()

    def pseudo(self, name: str) -> Any:
        values: dict[str, Any] = {
            "AWS::AccountId": self.account,
            "AWS::NotificationARNs": list(self.notifications),
            "AWS::NoValue": NO_VALUE,
            "AWS::Partition": self.partition,
            "AWS::Region": self.region,
            "AWS::StackId": self.stack_id,
            "AWS::StackName": self.stack_name,
            "AWS::URLSuffix": self.suffix,
        }
        return values[name]


class Evaluator:
    """Resolves values of one template. Conditions are evaluated once, on first use."""

    def __init__(self, template: Template, values: Values, place: Place, lookups: Lookups) -> None:
        self.template = template
        self.values = values
        self.place = place
        self.lookups = lookups
        self._conditions: dict[str, bool] = {}

    def condition(self, name: str) -> bool:
        """The truth of a condition; raises TemplateError for one that is not defined or circular."""
        if name not in self.template.conditions:
            raise TemplateError(f"Template error: unresolved condition dependency {name}")
        if name not in self._conditions:
            self._conditions[name] = self._truth(self.template.conditions[name])
        return self._conditions[name]

    def conditions(self) -> dict[str, bool]:
        return {name: self.condition(name) for name in self.template.conditions}

    def shown(self, lookups: Lookups, hidden: set[str]) -> Evaluator:
        """The same template and conditions, with the values of `hidden` parameters masked."""
        given, resolved = (
            {name: MASK if name in hidden else text for name, text in values.items()}
            for values in (self.values.given, self.values.resolved)
        )
        masked = Evaluator(self.template, Values(given, resolved, self.values.types), self.place, lookups)
        masked._conditions = self.conditions()
        return masked

    def active(self, declared: dict[str, Any]) -> bool:
        """Whether a resource or output is part of the stack."""
        return "Condition" not in declared or self.condition(declared["Condition"])

    def value(self, value: Any) -> Any:
        """The value without functions; NO_VALUE members are left out of their objects and lists."""
        if isinstance(value, dict):
            if len(value) == 1:
                ((key, argument),) = value.items()
                if key == "Ref" or key.startswith("Fn::"):
                    return self._function(key, argument)
            items = ((key, self.value(item)) for key, item in value.items())
            return {key: item for key, item in items if item is not NO_VALUE}
        if isinstance(value, list):
            return [item for item in map(self.value, value) if item is not NO_VALUE]
        return self._dynamic(value) if isinstance(value, str) and "{{resolve:" in value else value

    def _function(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self._ref(argument)
            case "Fn::GetAtt":
                return self._get_att(argument)
            case "Fn::Sub":
                return self._sub(argument)
            case "Fn::If":
                return self._if(argument)
            case "Fn::FindInMap":
                return self._find_in_map(argument)
            case "Fn::Join":
                return self._again(functions.join(self.value(argument)))
            case "Fn::GetAZs":
                return functions.availability_zones(self.value(argument), self.place.region)
            case "Fn::ImportValue":
                imported = self.value(argument)
                return imported if isinstance(imported, Unknown) else self.lookups.imported(text_of(imported))
        if name in _OF_VALUES and (name not in EXTENSIONS or self.template.extended):
            return _OF_VALUES[name](self.value(argument))
        if name in _CONDITION_FUNCTIONS:
            raise TemplateError(f"Template error: {name} cannot be used outside of conditions")
        if name in EXTENSIONS:
            raise TemplateError(f"Template error: {name} needs the transform AWS::LanguageExtensions")
        raise TemplateError(f"Template validation error: unsupported function {name}")

    def _ref(self, name: Any) -> Any:
        if not isinstance(name, str):
            raise TemplateError("Template error: every Ref object must have a single String value.")
        if name in PSEUDO:
            return self.place.pseudo(name)
        return self.values.ref(name) if name in self.values.types else self.lookups.ref(name)

    def _get_att(self, argument: Any) -> Any:
        if isinstance(argument, str):
            argument = argument.split(".", 1)
        if not (isinstance(argument, list) and len(argument) == 2 and isinstance(argument[0], str)):
            raise TemplateError(
                "Template error: every Fn::GetAtt object requires two non-empty parameters, "
                "the resource name and the resource attribute"
            )
        attribute = self.value(argument[1])
        return self.lookups.attribute(argument[0], text_of(attribute))

    def _sub(self, argument: Any) -> Any:
        text, variables = functions.sub_parts(argument)

        def lookup(name: str) -> Any:
            if name in variables:
                return self.value(variables[name])
            if "." in name and name not in PSEUDO:
                return self._get_att(name.split(".", 1))
            return self._ref(name)

        return self._again(functions.sub(text, lookup))

    def _find_in_map(self, argument: Any) -> Any:
        """The language extensions know a fourth argument: what is there for a key that is not."""
        otherwise: Any = None
        if self.template.extended and isinstance(argument, list) and len(argument) == 4:
            *argument, otherwise = argument
            if not (isinstance(otherwise, dict) and set(otherwise) == {"DefaultValue"}):
                raise TemplateError("Template error: the fourth Fn::FindInMap parameter is DefaultValue")
        asked = self.value(argument)
        if otherwise is not None and not functions.in_map(asked, self.template.mappings):
            return self.value(otherwise["DefaultValue"])
        return functions.find_in_map(asked, self.template.mappings)

    def _again(self, text: Any) -> Any:
        return self._dynamic(text) if isinstance(text, str) and "{{resolve:" in text else text

    def _if(self, argument: Any) -> Any:
        if not (isinstance(argument, list) and len(argument) == 3 and isinstance(argument[0], str)):
            raise TemplateError("Template error: Fn::If requires a list argument with three elements")
        return self.value(argument[1] if self.condition(argument[0]) else argument[2])

    def _truth(self, expression: Any) -> bool:
        if not (isinstance(expression, dict) and len(expression) == 1):
            raise TemplateError(
                "Template format error: Conditions can only be boolean operations on parameters "
                "and other conditions"
            )
        ((name, argument),) = expression.items()
        match name:
            case "Condition":
                return self.condition(argument)
            case "Fn::Equals":
                return self._equals(argument)
            case "Fn::Not":
                return not self._truth(_operands(name, argument, 1, 1)[0])
            case "Fn::And":
                return all(map(self._truth, _operands(name, argument, 2, 10)))
            case "Fn::Or":
                return any(map(self._truth, _operands(name, argument, 2, 10)))
        raise TemplateError(
            "Template format error: Conditions can only be boolean operations on parameters "
            "and other conditions"
        )

    def _equals(self, argument: Any) -> bool:
        left, right = (self.value(item) for item in _operands("Fn::Equals", argument, 2, 2))
        return _comparable(left) == _comparable(right)

    def _dynamic(self, text: str) -> Any:
        """Replaces dynamic references.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
        """
        found: dict[str, Any] = {}
        for match in _DYNAMIC.finditer(text):
            service, reference = match.groups()
            if service not in DYNAMIC_SERVICES:
                raise TemplateError(
                    f"Template error: dynamic reference service {service} is not supported: "
                    f"[{', '.join(DYNAMIC_SERVICES)}]"
                )
            found[match.group(0)] = self.lookups.stored(f"{service}:{reference}")
        if any(isinstance(value, Unknown) for value in found.values()):
            return Unknown(("AWS::DynamicReference", None))
        for reference, value in found.items():
            text = text.replace(reference, value)
        return text


def _operands(name: str, argument: Any, least: int, most: int) -> list[Any]:
    if isinstance(argument, list) and least <= len(argument) <= most:
        return argument
    if name == "Fn::Equals":
        raise TemplateError("Template error: every Fn::Equals object requires a list of 2 string parameters.")
    if name == "Fn::Not":
        raise TemplateError("Template error: every Fn::Not object requires one boolean parameter.")
    raise TemplateError(
        f"Template error: every {name} object requires a list of at least 2 and at most 10 boolean "
        "parameters."
    )


def _comparable(value: Any) -> Any:
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    if isinstance(value, dict):
        return {key: _comparable(item) for key, item in value.items()}
    return text_of(value)
