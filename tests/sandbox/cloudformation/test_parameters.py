"""Parameters: constraints, lists, previous values, Parameter Store."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.services.cloudformation.template import parameters
from sandbox.services.cloudformation.template.errors import TemplateError


def resolve(
    declared: dict[str, Any], value: str | None = None, previous: dict[str, str] | None = None, **stored: str
) -> parameters.Values:
    declarations = {"P": declared}
    parameters.check_declarations(declarations)
    given_values = [] if value is None else [{"ParameterKey": "P", "ParameterValue": value}]
    return parameters.resolve(declarations, given_values, previous or {}, lambda names: stored)


@pytest.mark.parametrize(
    ("declared", "value", "message"),
    [
        ({"Type": "String"}, None, "Parameters: [P] must have values"),
        (
            {"Type": "String", "AllowedPattern": "^[a-z](-*[a-z0-9])*$"},
            "Upper",
            "Parameter 'P' must match pattern ^[a-z](-*[a-z0-9])*$",
        ),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "abc1", "Parameter 'P' must match pattern [a-z]+"),
        ({"Type": "String", "AllowedValues": ["a", "b"]}, "c", "Parameter 'P' must be one of AllowedValues"),
        ({"Type": "String", "MaxLength": 3}, "four", "Parameter 'P' must contain at most 3 characters"),
        ({"Type": "String", "MinLength": "3"}, "tw", "Parameter 'P' must contain at least 3 characters"),
        ({"Type": "Number"}, "x", "Parameter 'P' must be a number"),
        ({"Type": "Number", "MinValue": 2}, "1", "Parameter 'P' must be a number not less than 2"),
        ({"Type": "Number", "MaxValue": 2}, "2.5", "Parameter 'P' must be a number not greater than 2"),
        ({"Type": "List<Number>"}, "1,x", "Parameter 'P' must be a number"),
        (
            {"Type": "CommaDelimitedList", "AllowedValues": ["a"]},
            "a,b",
            "Parameter 'P' must be one of AllowedValues",
        ),
        (
            {"Type": "String", "AllowedPattern": "a", "ConstraintDescription": "say a"},
            "b",
            "Parameter 'P' failed to satisfy constraint: say a",
        ),
        ({"Type": "AWS::EC2::VPC::Name"}, "v", "Unrecognized parameter type: AWS::EC2::VPC::Name"),
        (
            {"Type": "List<AWS::EC2::VPC::Id>", "AllowedValues": ["a"]},
            "a,b",
            "Parameter 'P' must be one of AllowedValues",
        ),
        ({"Type": "Strin"}, "v", "Unrecognized parameter type: Strin"),
        ({"Type": "String", "Defualt": 1}, "v", "Invalid template parameter property 'Defualt'"),
        (
            {"Type": "String", "AllowedPattern": "("},
            "v",
            "AllowedPattern of parameter P is not a valid regular expression",
        ),
    ],
)
def test_refused(declared: dict[str, Any], value: str | None, message: str) -> None:
    with pytest.raises(TemplateError) as raised:
        resolve(declared, value)
    assert message in raised.value.message


@given(st.lists(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1), min_size=1))
def test_lists_are_trimmed_and_kept_in_order(items: list[str]) -> None:
    assert resolve({"Type": "CommaDelimitedList"}, " , ".join(items)).ref("P") == items


@given(st.integers(-5, 15))
def test_a_number_within_its_range_is_taken(number: int) -> None:
    declared = {"Type": "Number", "MinValue": 0, "MaxValue": 10}
    if 0 <= number <= 10:
        assert resolve(declared, str(number)).ref("P") == str(number)
    else:
        with pytest.raises(TemplateError):
            resolve(declared, str(number))


def test_defaults_are_text() -> None:
    assert resolve({"Type": "Number", "Default": 5}).ref("P") == "5"
    assert resolve({"Type": "String", "Default": True}).ref("P") == "true"


def test_a_default_must_hold_too() -> None:
    with pytest.raises(TemplateError, match="must be one of AllowedValues"):
        resolve({"Type": "String", "Default": "x", "AllowedValues": ["y"]})


def test_previous_value() -> None:
    use = [{"ParameterKey": "P", "UsePreviousValue": True}]
    found = parameters.resolve({"P": {"Type": "String"}}, use, {"P": "old"}, lambda names: {})
    assert found.ref("P") == "old"
    with pytest.raises(TemplateError, match="must have values"):
        parameters.resolve({"P": {"Type": "String"}}, use, {}, lambda names: {})


def test_surplus() -> None:
    with pytest.raises(TemplateError, match=r"Parameters: \[Q\] do not exist in the template"):
        parameters.resolve({}, [{"ParameterKey": "Q", "ParameterValue": "1"}], {}, lambda names: {})


def test_parameter_store() -> None:
    declared = {"Type": "AWS::SSM::Parameter::Value<List<String>>"}
    assert resolve(declared, "name", name="a,b").ref("P") == ["a", "b"]
    with pytest.raises(TemplateError, match=r"Unable to fetch parameters \[name\] from parameter store"):
        resolve(declared, "name")


def test_values_that_must_exist() -> None:
    subnets = resolve({"Type": "List<AWS::EC2::Subnet::Id>"}, "a, b")
    assert subnets.ref("P") == ["a", "b"]
    assert subnets.existing() == {"P": ("AWS::EC2::Subnet::Id", ["a", "b"])}
    stored = resolve({"Type": "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"}, "name", name="ami-1")
    assert stored.existing() == {"P": ("AWS::EC2::Image::Id", ["ami-1"])}
    lists = resolve({"Type": "AWS::SSM::Parameter::Value<List<AWS::EC2::VPC::Id>>"}, "name", name="v,w")
    assert lists.ref("P") == ["v", "w"]
    assert resolve({"Type": "String"}, "x").existing() == {}
