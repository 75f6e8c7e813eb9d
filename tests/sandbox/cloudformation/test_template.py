"""Text to template: both forms, every short tag, and what is refused."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sandbox.services.cloudformation.template import references
from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.read import read
from sandbox.services.cloudformation.template.sections import parse
from tests.sandbox.cloudformation.templates import INERT, template

_SCALARS = st.one_of(
    st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=8),
    st.booleans(),
    st.integers(-999, 999),
)
_DATA = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=6), inner, max_size=3
        ),
    ),
    max_leaves=12,
)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


@given(
    st.dictionaries(
        st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=6),
        _DATA,
        min_size=1,
        max_size=4,
    )
)
def test_yaml_and_json_say_the_same(data: dict) -> None:
    assert read(json.dumps(data)) == data
    assert read(yaml.dump(data, Dumper=_Dumper)) == data


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("!Ref A", {"Ref": "A"}),
        ("!Condition A", {"Condition": "A"}),
        ("!GetAtt A.B.C", {"Fn::GetAtt": ["A", "B.C"]}),
        ("!GetAtt [A, B]", {"Fn::GetAtt": ["A", "B"]}),
        ("!Sub '${A}'", {"Fn::Sub": "${A}"}),
        ("!Sub ['${A}', {A: !Ref B}]", {"Fn::Sub": ["${A}", {"A": {"Ref": "B"}}]}),
        ("!If [C, !Ref A, !Ref 'AWS::NoValue']", {"Fn::If": ["C", {"Ref": "A"}, {"Ref": "AWS::NoValue"}]}),
        ("!Join ['-', [a, !Ref B]]", {"Fn::Join": ["-", ["a", {"Ref": "B"}]]}),
        ("!Base64 text", {"Fn::Base64": "text"}),
        ("!GetAZs ''", {"Fn::GetAZs": ""}),
        ("!ImportValue x", {"Fn::ImportValue": "x"}),
    ],
)
def test_short_form(short: str, full: dict) -> None:
    assert read(f"X: {short}") == {"X": full}


def test_dates_and_long_account_numbers_stay_text() -> None:
    assert read("A: 2010-09-09\nB: 098765432109") == {"A": "2010-09-09", "B": "098765432109"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "unsupported structure"),
        ("[1]", "unsupported structure"),
        ("{", "JSON not well-formed"),
        ("a: [", "YAML not well-formed"),
        ("a: &x 1\nb: *x", "YAML aliases are not allowed"),
        ("a: 1\na: 2", "duplicate key [a]"),
        ('{"a": 1, "a": 2}', "duplicate key [a]"),
        ("a: !Nope x", "unsupported YAML tag !Nope"),
        ("Resources: {}", "At least one Resources member must be defined."),
        ("Resource: {}", "Invalid template property or properties [Resource]"),
        ("Resources: {A: }", "[/Resources/A] 'null' values are not allowed in templates"),
        ("Resources: {A-b: {Type: T}}", "Resource name A-b is non alphanumeric."),
        ("Resources: {A: {}}", "[/Resources/A] Every Resources object must contain a Type member."),
        ("Resources: {A: {Type: T, Propertys: {}}}", "Invalid template resource property 'Propertys'"),
        ("Resources: {A: {Type: T, DeletionPolicy: Keep}}", "Unrecognized DeletionPolicy Keep"),
        ("Resources: {A: {Type: T, CreationPolicy: {}}}", "CreationPolicy is not implemented by the sandbox"),
        (
            "AWSTemplateFormatVersion: 2020-01-01\nResources: {A: {Type: T}}",
            "unsupported value for AWSTemplateFormatVersion",
        ),
        (
            "Transform: AWS::Serverless-2016-10-31\nResources: {A: {Type: T}}",
            "Template error: transform AWS::Serverless-2016-10-31 is not implemented",
        ),
        ("Resources: {A: {Type: T}}\nOutputs: {O: {}}", "Every Outputs member must contain a Value object"),
    ],
)
def test_refused(body: str, message: str) -> None:
    with pytest.raises(TemplateError) as raised:
        parse(body)
    assert message in raised.value.message
    assert raised.value.code == "ValidationError"


def test_too_many_resources() -> None:
    resources = {f"R{i}": INERT for i in range(501)}
    with pytest.raises(TemplateError, match="Number of resources, 501, is greater than maximum allowed, 500"):
        template(Resources=resources)


def _properties(value: object) -> dict:
    return {"R": {"Type": "T", "Properties": {"P": value}}}


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        (
            {"Resources": _properties({"Ref": "Nope"})},
            "Template format error: Unresolved resource dependencies [Nope] in the Resources block of the template",
        ),
        (
            {"Resources": _properties({"Fn::Sub": "a${Nope}${AWS::Region}${!Literal}"})},
            "Template format error: Unresolved resource dependencies [Nope] in the Resources block of the template",
        ),
        (
            {"Resources": _properties({"Fn::GetAtt": ["Nope", "Arn"]})},
            "Template error: instance of Fn::GetAtt references undefined resource Nope",
        ),
        (
            {"Resources": _properties({"Fn::If": ["Nope", 1, 2]})},
            "Template error: unresolved condition dependency Nope in the Resources block of the template",
        ),
        (
            {"Resources": {"R": INERT | {"DependsOn": "Nope"}}},
            "Template format error: Unresolved resource dependencies [Nope] in the Resources block of the template",
        ),
        (
            {"Resources": {"R": INERT | {"Condition": "Nope"}}},
            "Template format error: Unresolved condition dependency Nope in the Resources block of the template",
        ),
        (
            {"Outputs": {"O": {"Value": {"Ref": "Nope"}}}},
            "Template format error: Unresolved resource dependencies [Nope] in the Outputs block of the template",
        ),
        (
            {"Conditions": {"C": {"Fn::Equals": [{"Ref": "R"}, "x"]}}},
            "Template format error: Unresolved dependencies [R]. "
            "Cannot reference resources in the Conditions block of the template",
        ),
        (
            {"Conditions": {"A": {"Fn::Not": [{"Condition": "B"}]}, "B": {"Fn::Not": [{"Condition": "A"}]}}},
            "Template format error: Circular dependency between conditions: [A, B]",
        ),
        (
            {"Resources": _properties({"Fn::Length": [1]})},
            "Template error: Fn::Length needs the transform AWS::LanguageExtensions",
        ),
        (
            {"Resources": _properties({"Fn::Transform": {}})},
            "Template error: Fn::Transform was not processed",
        ),
    ],
)
def test_references(sections: dict, message: str) -> None:
    with pytest.raises(TemplateError) as raised:
        references.check(template(**sections))
    assert raised.value.message == message


@given(st.integers(2, 8), st.data())
def test_a_cycle_is_named_without_what_merely_waits_for_it(length: int, data: st.DataObject) -> None:
    ring = [f"N{i}" for i in range(length)]
    edges = {name: [ring[(i + 1) % length]] for i, name in enumerate(ring)}
    edges |= {f"Before{i}": [data.draw(st.sampled_from(ring))] for i in range(3)}
    edges |= {"Free": [], "AfterFree": ["Free"]}
    assert sorted(references.cycle(edges)) == sorted(ring)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda e: e[0] > e[1])))
def test_what_can_be_ordered_has_no_cycle(pairs: list[tuple[int, int]]) -> None:
    edges: dict[str, list[str]] = {str(i): [] for i in range(10)}
    for later, earlier in pairs:
        edges[str(later)].append(str(earlier))
    assert references.cycle(edges) == []


@pytest.mark.parametrize(
    "body", ["a: " + "[" * 50_000, '{"a":' + "[" * 50_000, "- " * 50_000 + "x", "a: " + "{b: " * 900]
)
def test_deep_nesting_is_refused(body: str) -> None:
    """libyaml would overrun the stack of the whole process."""
    with pytest.raises(TemplateError):
        parse(body)
