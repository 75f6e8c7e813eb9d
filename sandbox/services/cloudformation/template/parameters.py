"""Parameters: declaration, values, constraints.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.patterns import matches

MEMBERS = {
    "Type",
    "Default",
    "Description",
    "AllowedPattern",
    "AllowedValues",
    "ConstraintDescription",
    "MaxLength",
    "MaxValue",
    "MinLength",
    "MinValue",
    "NoEcho",
}
LISTS = ("CommaDelimitedList", "List<Number>", "List<String>")
PLAIN = ("String", "Number", *LISTS)
EXISTING = (
    "AWS::EC2::AvailabilityZone::Name",
    "AWS::EC2::Image::Id",
    "AWS::EC2::Instance::Id",
    "AWS::EC2::KeyPair::KeyName",
    "AWS::EC2::SecurityGroup::GroupName",
    "AWS::EC2::SecurityGroup::Id",
    "AWS::EC2::Subnet::Id",
    "AWS::EC2::Volume::Id",
    "AWS::EC2::VPC::Id",
    "AWS::Route53::HostedZone::Id",
)
"""Types whose values must exist in the account; each as `List<…>`, too, but for key pairs."""
_SSM_VALUE = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
SSM_NAME = "AWS::SSM::Parameter::Name"
MASK = "****"
MAX_VALUE_BYTES = 4096

ParameterStore = Callable[[list[str]], Mapping[str, str]]
"""Values of Systems Manager parameters by name, read as the caller; names that do not exist are left out."""


@dataclass(frozen=True)
class Values:
    """The values of one operation's parameters.

    `given`: as text, the form in which they are stored; `resolved`: those read from Parameter Store.
    """

    given: dict[str, str]
    resolved: dict[str, str]
    types: dict[str, str]

    def ref(self, name: str) -> str | list[str]:
        """What Ref returns: text, or a list of texts for list types."""
        text = self.resolved.get(name, self.given[name])
        return _split(text) if is_list(_value_type(self.types[name])) else text

    def existing(self) -> dict[str, tuple[str, list[str]]]:
        """The parameters whose values name what must exist: type (of one item) and items by name."""
        found = {}
        for name, declared in self.types.items():
            kind = existing_type(_value_type(declared))
            if kind is not None:
                value = self.ref(name)
                found[name] = (kind, [value] if isinstance(value, str) else value)
        return found


def is_list(kind: str) -> bool:
    return kind in LISTS or kind.startswith("List<")


def existing_type(kind: str) -> str | None:
    """The type of an item that must exist in the account, or None."""
    kind = kind.removeprefix("List<").removesuffix(">") if kind.startswith("List<") else kind
    return kind if kind in EXISTING else None


def _split(text: str) -> list[str]:
    return [item.strip() for item in text.split(",")]


def _value_type(declared: str) -> str:
    stored = _SSM_VALUE.fullmatch(declared)
    return stored.group(1) if stored else declared


def check_declarations(declarations: dict[str, Any]) -> None:
    """Raises TemplateError for a Parameters section that AWS would not take."""
    for name, declared in declarations.items():
        if not name.isascii() or not name.isalnum():
            raise TemplateError(f"Template format error: Parameter name {name} is non alphanumeric.")
        if not isinstance(declared, dict) or not isinstance(declared.get("Type"), str):
            raise TemplateError("Template format error: Every Parameters object must contain a Type member.")
        unknown = [member for member in declared if member not in MEMBERS]
        if unknown:
            raise TemplateError(f"Invalid template parameter property '{unknown[0]}'")
        _check_type(name, declared["Type"])
        _check_constraints(name, declared)


def _check_type(name: str, declared: str) -> None:
    kind = _value_type(declared)
    if declared == SSM_NAME or kind in PLAIN or existing_type(kind):
        return
    raise TemplateError(f"Template format error: Unrecognized parameter type: {declared}")


def _check_constraints(name: str, declared: dict[str, Any]) -> None:
    allowed = declared.get("AllowedValues", [])
    if not isinstance(allowed, list) or any(isinstance(item, dict | list) for item in allowed):
        raise TemplateError(
            f"Template format error: AllowedValues of parameter {name} must be a list of strings."
        )
    for member in ("Default", "AllowedPattern", "Description", "ConstraintDescription"):
        if isinstance(declared.get(member), dict | list):
            raise TemplateError(
                f"Template format error: Every {member} member must be a string. Found at parameter {name}."
            )
    for member in ("MinLength", "MaxLength", "MinValue", "MaxValue"):
        if member in declared and _number(declared[member]) is None:
            raise TemplateError(f"Template format error: {member} of parameter {name} must be a number.")
    pattern = declared.get("AllowedPattern")
    if pattern is not None:
        try:
            matches(str(pattern), "")
        except ValueError:
            raise TemplateError(
                f"Template format error: AllowedPattern of parameter {name} is not a valid regular expression"
            ) from None


def no_echo(declared: dict[str, Any]) -> bool:
    return text_of(declared.get("NoEcho", "false")).lower() == "true"


def text_of(value: Any) -> str:
    """A scalar of a template as the text that CloudFormation keeps."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def resolve(
    declarations: dict[str, dict[str, Any]],
    given: list[dict[str, Any]],
    previous: Mapping[str, str],
    store: ParameterStore,
) -> Values:
    """The values of a stack operation; raises TemplateError in CloudFormation's words.

    `given`: the request's Parameters; `previous`: values of the stack's last operation, for UsePreviousValue.
    """
    asked = {item["ParameterKey"]: item for item in given if "ParameterKey" in item}
    surplus = [name for name in asked if name not in declarations]
    if surplus:
        raise TemplateError(f"Parameters: [{', '.join(surplus)}] do not exist in the template")
    values: dict[str, str] = {}
    for name, declared in declarations.items():
        item = asked.get(name, {})
        if item.get("UsePreviousValue"):
            if item.get("ParameterValue") is not None:
                raise TemplateError(
                    f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true "
                    "and non empty value for a parameter"
                )
            if name in previous:
                values[name] = previous[name]
        elif item.get("ParameterValue") is not None:
            values[name] = item["ParameterValue"]
        elif "Default" in declared:
            values[name] = text_of(declared["Default"])
    missing = [name for name in declarations if name not in values]
    if missing:
        raise TemplateError(f"Parameters: [{', '.join(missing)}] must have values")
    for name, text in values.items():
        _check_value(name, text, declarations[name])
    types = {name: declared["Type"] for name, declared in declarations.items()}
    return Values(values, _from_store(values, types, store), types)


def _from_store(values: dict[str, str], types: dict[str, str], store: ParameterStore) -> dict[str, str]:
    wanted = {name: values[name] for name, kind in types.items() if _SSM_VALUE.fullmatch(kind)}
    named = [values[name] for name, kind in types.items() if kind == SSM_NAME]
    if not wanted and not named:
        return {}
    found = store(sorted({*wanted.values(), *named}))
    lost = sorted({key for key in [*wanted.values(), *named] if key not in found})
    if lost:
        raise TemplateError(
            f"Unable to fetch parameters [{','.join(lost)}] from parameter store for this account."
        )
    return {name: found[key] for name, key in wanted.items()}


def _number(value: Any) -> float | None:
    try:
        return float(text_of(value))
    except ValueError:
        return None


def _check_value(name: str, text: str, declared: dict[str, Any]) -> None:
    if len(text.encode()) > MAX_VALUE_BYTES:
        raise TemplateError(
            f"Parameter '{name}' length is greater than {MAX_VALUE_BYTES}: {len(text.encode())}"
        )
    kind = declared["Type"]
    items = _split(text) if is_list(kind) else [text]
    for item in items:
        message = _fault(name, item, kind, declared)
        if message:
            described = declared.get("ConstraintDescription")
            raise TemplateError(
                f"Parameter '{name}' failed to satisfy constraint: {described}" if described else message
            )


def _fault(name: str, text: str, kind: str, declared: dict[str, Any]) -> str | None:
    number = _number(text) if "Number" in kind and not kind.startswith("AWS::") else None
    if kind in ("Number", "List<Number>") and number is None:
        return f"Parameter '{name}' must be a number"
    allowed = declared.get("AllowedValues")
    if allowed is not None and text not in [text_of(item) for item in allowed]:
        return f"Parameter '{name}' must be one of AllowedValues"
    pattern = declared.get("AllowedPattern")
    if pattern is not None and not matches(str(pattern), text):
        return f"Parameter '{name}' must match pattern {pattern}"
    if number is None:
        if len(text) < float(declared.get("MinLength", 0)):
            return f"Parameter '{name}' must contain at least {declared['MinLength']} characters"
        if len(text) > float(declared.get("MaxLength", len(text))):
            return f"Parameter '{name}' must contain at most {declared['MaxLength']} characters"
        return None
    if "MinValue" in declared and number < float(declared["MinValue"]):
        return f"Parameter '{name}' must be a number not less than {declared['MinValue']}"
    if "MaxValue" in declared and number > float(declared["MaxValue"]):
        return f"Parameter '{name}' must be a number not greater than {declared['MaxValue']}"
    return None
