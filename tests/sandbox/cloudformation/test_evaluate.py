"""Intrinsic functions, conditions, rules, dynamic references."""

from __future__ import annotations

import base64
import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.services.cloudformation.stack.lookups import Recorder
from sandbox.services.cloudformation.template import rules
from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.unknown import Unknown, unknowns
from tests.sandbox.cloudformation.templates import INERT, PLACE, evaluator

_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="{}$"), max_size=12)


def value(item: Any, **sections: Any) -> Any:
    return evaluator(**sections).value(item)


@given(st.lists(_TEXT, min_size=1, max_size=6), st.sampled_from([",", "--", "/"]))
def test_split_undoes_join(items: list[str], delimiter: str) -> None:
    items = [item.replace(delimiter, "").replace("-", "") for item in items]
    assert value({"Fn::Split": [delimiter, {"Fn::Join": [delimiter, items]}]}) == items


@given(st.lists(_TEXT, min_size=1, max_size=6), st.data())
def test_select_takes_any_index_as_text_or_number(items: list[str], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(items) - 1))
    assert value({"Fn::Select": [index, items]}) == value({"Fn::Select": [str(index), items]}) == items[index]


@given(_TEXT)
def test_base64(text: str) -> None:
    assert base64.b64decode(value({"Fn::Base64": text})).decode() == text


@given(st.integers(1, 16), st.integers(4, 8))
def test_cidr_blocks_do_not_overlap(count: int, bits: int) -> None:
    blocks = [ipaddress.ip_network(item) for item in value({"Fn::Cidr": ["10.0.0.0/16", count, bits]})]
    assert len(blocks) == count
    assert all(block.prefixlen == 32 - bits for block in blocks)
    assert all(not a.overlaps(b) for a in blocks for b in blocks if a is not b)


@given(_TEXT, _TEXT)
def test_sub_replaces_variables_and_keeps_literals(before: str, after: str) -> None:
    text = f"{before}${{AWS::Region}}${{!AWS::Region}}${{V}}{after}"
    assert value({"Fn::Sub": [text, {"V": "x"}]}) == f"{before}us-east-1${{AWS::Region}}x{after}"


def test_sub_of_resources() -> None:
    resources = {"A": INERT}
    assert value({"Fn::Sub": "${A}/${A.Arn}/${A.B.C}"}, Resources=resources) == "id-of-A/A-Arn/A-B.C"


def test_pseudo_parameters() -> None:
    names = ["AccountId", "Region", "Partition", "StackName", "StackId", "URLSuffix"]
    found = value([{"Ref": f"AWS::{name}"} for name in names])
    assert found == ["123456789012", "us-east-1", "aws", "s", PLACE.stack_id, "amazonaws.com"]


def test_no_value_is_left_out() -> None:
    nothing = {"Ref": "AWS::NoValue"}
    assert value({"a": nothing, "b": [1, nothing, 2], "c": {"d": nothing}}) == {"b": [1, 2], "c": {}}


def test_find_in_map() -> None:
    mappings = {"M": {"us-east-1": {"Size": 3, "Zones": ["a", "b"]}}}
    assert value({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "Size"]}, Mappings=mappings) == 3
    with pytest.raises(TemplateError, match="Unable to get mapping for M::us-east-1::Nope"):
        value({"Fn::FindInMap": ["M", "us-east-1", "Nope"]}, Mappings=mappings)
    with pytest.raises(TemplateError, match="Mapping named 'N' is not present"):
        value({"Fn::FindInMap": ["N", "a", "b"]}, Mappings=mappings)


@given(st.booleans(), st.booleans(), st.booleans())
def test_conditions_are_boolean_algebra(a: bool, b: bool, c: bool) -> None:
    names = {"A": a, "B": b, "C": c}
    conditions: dict[str, Any] = {name: {"Fn::Equals": [str(truth), "True"]} for name, truth in names.items()}
    conditions["All"] = {"Fn::And": [{"Condition": "A"}, {"Condition": "B"}, {"Condition": "C"}]}
    conditions["Some"] = {"Fn::Or": [{"Condition": "A"}, {"Fn::Not": [{"Condition": "B"}]}]}
    made = evaluator(Conditions=conditions)
    assert made.condition("All") == (a and b and c)
    assert made.condition("Some") == (a or not b)
    assert made.value({"Fn::If": ["All", 1, {"Fn::If": ["Some", 2, 3]}]}) == (
        1 if a and b and c else 2 if a or not b else 3
    )


def test_equals_compares_as_text() -> None:
    conditions = {"C": {"Fn::Equals": [True, "true"]}, "D": {"Fn::Equals": [1, "1"]}}
    assert evaluator(Conditions=conditions).conditions() == {"C": True, "D": True}


def test_the_branch_not_taken_is_not_evaluated() -> None:
    conditions = {"C": {"Fn::Equals": ["a", "a"]}}
    lookups = Recorder()
    made = evaluator(lookups, Conditions=conditions, Resources={"A": INERT, "B": INERT})
    made.value({"Fn::If": ["C", {"Ref": "A"}, {"Ref": "B"}]})
    assert lookups.used == {"A"}


def test_unknown_spreads_through_functions() -> None:
    made = evaluator(Recorder(), Resources={"A": INERT, "B": INERT})
    joined = made.value({"Fn::Join": ["-", ["x", {"Ref": "A"}, {"Fn::GetAtt": ["B", "Arn"]}]]})
    assert joined == Unknown(("A", None), ("B", "Arn"))
    assert unknowns({"p": [made.value({"Fn::Sub": "${A}!"})]}) == {("A", None)}
    assert isinstance(made.value({"Fn::Select": [0, {"Fn::Split": [",", {"Ref": "A"}]}]}), Unknown)


def test_dynamic_references() -> None:
    assert value("a-{{resolve:ssm:/name:3}}-b") == "a-stored:ssm:/name:3-b"
    assert value({"Fn::Sub": "{{resolve:ssm:/x/${AWS::Region}}}"}) == "stored:ssm:/x/us-east-1"
    assert value("{{resolve:secretsmanager:x:SecretString:k}}") == "stored:secretsmanager:x:SecretString:k"
    with pytest.raises(TemplateError, match="dynamic reference service vault is not supported"):
        value("{{resolve:vault:x}}")


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"Fn::Join": ["-", "text"]}, "every Fn::Join object requires two parameters"),
        ({"Fn::Select": [5, ["a"]]}, "cannot select nonexistent value at index 5"),
        ({"Fn::Cidr": ["10.0.0.0/24", 300, 4]}, "Fn::Cidr cannot make"),
        ({"Fn::And": [True, True]}, "Fn::And cannot be used outside of conditions"),
        ({"Fn::ToJsonString": {}}, "Fn::ToJsonString needs the transform"),
        ({"Fn::Sub": ["x"]}, "Fn::Sub intrinsic functions don't specify expected arguments"),
    ],
)
def test_refused(item: Any, message: str) -> None:
    with pytest.raises(TemplateError) as raised:
        value(item)
    assert message in raised.value.message


def test_rules() -> None:
    sections = {
        "Parameters": {"Kind": {"Type": "String"}, "Uri": {"Type": "String", "Default": ""}},
        "Rules": {
            "CaptureNeedsInstance": {
                "RuleCondition": {"Fn::Equals": [{"Ref": "Kind"}, "serverless"]},
                "Assertions": [
                    {
                        "Assert": {"Fn::Equals": [{"Ref": "Uri"}, ""]},
                        "AssertDescription": "no capture on serverless",
                    },
                    {"Assert": {"Fn::Contains": [["a", "serverless"], {"Ref": "Kind"}]}},
                ],
            }
        },
    }
    rules.check(evaluator(given={"Kind": "serverless"}, **sections))
    rules.check(evaluator(given={"Kind": "instance", "Uri": "s3://x"}, **sections))
    with pytest.raises(TemplateError, match="no capture on serverless"):
        rules.check(evaluator(given={"Kind": "serverless", "Uri": "s3://x"}, **sections))


def test_rules_on_all_parameters_of_a_type() -> None:
    def sections(wanted: Any) -> dict[str, Any]:
        every = {"Fn::EachMemberIn": [{"Fn::RefAll": "AWS::EC2::VPC::Id"}, wanted]}
        declared = {"Type": "AWS::EC2::VPC::Id"}
        return {
            "Parameters": {"A": declared | {"Default": "v1"}, "B": declared | {"Default": "v2"}},
            "Rules": {"R": {"Assertions": [{"Assert": every, "AssertDescription": "other"}]}},
        }

    rules.check(evaluator(**sections(["v1", "v2"])))
    with pytest.raises(TemplateError, match="other"):
        rules.check(evaluator(**sections(["v1"])))
    with pytest.raises(TemplateError, match="Fn::ValueOf in Rules is not implemented"):
        rules.check(evaluator(**sections([{"Fn::ValueOf": ["A", "Tags.x"]}])))
