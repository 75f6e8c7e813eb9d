"""AWS::LanguageExtensions and AWS::Include: what templates say once they are written out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.services.cloudformation.stack.lookups import Recorder
from sandbox.services.cloudformation.template import parameters, transform
from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.evaluate import Evaluator
from sandbox.services.cloudformation.template.sections import Template, parse
from tests.sandbox.cloudformation.stacks import Stacks, new_name, outputs, parameter, refusal
from tests.sandbox.cloudformation.templates import PLACE, Known
from tests.sandbox_process import SandboxProcess

LANGUAGE = "AWS::LanguageExtensions"


def process(data: dict[str, Any], values: dict[str, str] | None = None, **files: str) -> Template:
    made = parse(json.dumps({"Transform": LANGUAGE} | data))
    pairs = [{"ParameterKey": key, "ParameterValue": value} for key, value in (values or {}).items()]
    found = parameters.resolve(made.parameters, pairs, {}, lambda names: {})
    return transform.process(made, lambda of: Evaluator(of, found, PLACE, Recorder()), files.__getitem__)


def loop(collection: Any, fragment: dict[str, Any], name: str = "X") -> dict[str, Any]:
    return {f"Fn::ForEach::{name}s": [name, collection, fragment]}


def thing(**properties: Any) -> dict[str, Any]:
    return {"Type": "T", "Properties": properties}


NAMES = st.lists(st.text("abcXYZ019", min_size=1, max_size=4), min_size=1, max_size=6, unique=True)


@given(NAMES, NAMES)
def test_loops_are_written_out(outer: list[str], inner: list[str]) -> None:
    fragment = {"A${X}B${Y}": thing(N={"Ref": "X"}, T={"Fn::Sub": "${X}-${Y}-${AWS::Region}"})}
    data = {"Resources": loop(outer, loop(inner, fragment, "Y"))}
    wanted = {
        f"A{x}B{y}": thing(N=x, T={"Fn::Sub": f"{x}-{y}-${{AWS::Region}}"}) for x in outer for y in inner
    }
    if len(wanted) == len(outer) * len(inner):
        assert process(data).resources == wanted
    else:
        with pytest.raises(TemplateError, match="duplicate key"):
            process(data)


def test_loops_in_every_section() -> None:
    data = {
        "Parameters": {"Stages": {"Type": "CommaDelimitedList", "Default": "dev,my-prod"}},
        "Conditions": loop({"Ref": "Stages"}, {"Is&{X}": {"Fn::Equals": [{"Ref": "X"}, "dev"]}}),
        "Resources": loop(
            ["one", {"Ref": "Stages"}],
            {"R&{X}": thing(**loop(["P", "Q"], {"Name${Y}": {"Fn::GetAtt": "R&{X}.${Y}"}}, "Y"))},
        ),
        "Outputs": loop({"Ref": "Stages"}, {"O&{X}": {"Value": {"Fn::GetAtt": ["R&{X}", "Arn"]}}}),
    }
    made = process(data)
    assert set(made.conditions) == {"Isdev", "Ismyprod"}
    assert set(made.resources) == {"Rone", "Rdev", "Rmyprod"}
    assert made.resources["Rmyprod"]["Properties"] == {
        "NameP": {"Fn::GetAtt": "Rmyprod.P"},
        "NameQ": {"Fn::GetAtt": "Rmyprod.Q"},
    }
    assert made.outputs["Omyprod"] == {"Value": {"Fn::GetAtt": ["Rmyprod", "Arn"]}}
    assert set(process(data, {"Stages": "x"}).outputs) == {"Ox"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"Resources": {"Fn::ForEach::A": ["X", ["a"]]}}, "layout is incorrect"),
        ({"Resources": loop({"Ref": "AWS::Region"}, {"A": thing()})}, "must be a list of strings"),
        ({"Resources": loop(["a"], loop(["b"], {"A": thing()}))}, "identifier X is in use already"),
        ({"Resources": loop(["a", "b"], {"A": thing()})}, "duplicate key [A]"),
        (
            {"Resources": {"A": thing()}, "Transform": []} | {"Resources": loop(["a"], {})},
            "needs the transform",
        ),
        ({"Resources": {"A": thing()}, "Transform": "Mine"}, "No transform named Mine found."),
        ({"Resources": {"A": thing() | {"DeletionPolicy": {"Ref": "A"}}}}, "must be a string known before"),
    ],
)
def test_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(TemplateError) as raised:
        process(data)
    assert message in raised.value.message


def value(item: Any, **sections: Any) -> Any:
    made = process({"Resources": {"R": thing(V=item)}} | sections)
    found = parameters.resolve(made.parameters, [], {}, lambda names: {})
    return Evaluator(made, found, PLACE, Known()).value(item)


def test_functions() -> None:
    mappings = {"M": {"us-east-1": {"K": "found"}}}
    missing = ["M", "eu-west-1", "K", {"DefaultValue": {"Ref": "R"}}]
    assert value({"Fn::Length": {"Fn::Split": [",", "a,b,c"]}}) == 3
    assert value({"Fn::ToJsonString": {"A": [1, True], "B": {"Ref": "R"}}}) == '{"A":[1,true],"B":"id-of-R"}'
    assert value({"Fn::FindInMap": missing}, Mappings=mappings) == "id-of-R"
    missing[1] = {"Ref": "AWS::Region"}
    assert value({"Fn::FindInMap": missing}, Mappings=mappings) == "found"
    with pytest.raises(TemplateError, match="Fn::Length expects an array"):
        value({"Fn::Length": "text"})


def test_includes() -> None:
    def include(location: str) -> dict[str, Any]:
        return {"Name": "AWS::Include", "Parameters": {"Location": location}}

    data = {
        "Transform": include("sections"),
        "Resources": {"A": thing(**{"Fn::Transform": include("part"), "Own": 1})},
    }
    sections = json.dumps({"Outputs": {"O": {"Value": "text"}}})
    made = process(data, part=json.dumps({"P": 2}), sections=sections)
    assert made.resources["A"]["Properties"] == {"P": 2, "Own": 1}
    assert made.outputs == {"O": {"Value": "text"}}


def test_through_the_door(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name = new_name()
    template = {
        "Transform": LANGUAGE,
        "Parameters": {"Keep": {"Type": "String", "Default": "Delete"}},
        "Resources": loop(
            ["One", "Two"],
            {"P${X}": parameter({"Fn::Sub": "value of ${X}"}) | {"DeletionPolicy": {"Ref": "Keep"}}},
        ),
        "Outputs": loop(["One", "Two"], {"O${X}": {"Value": {"Fn::GetAtt": "P${X}.Value"}}}),
    }
    code, message = refusal(stacks.create, template, name)
    assert (code, message) == (
        "InsufficientCapabilitiesException",
        "Requires capabilities : [CAPABILITY_AUTO_EXPAND]",
    )
    leave = ["CAPABILITY_AUTO_EXPAND"]
    stack = stacks.create(template, name, Capabilities=leave)
    assert outputs(stack) == {"OOne": "value of One", "OTwo": "value of Two"}
    assert stacks.client.get_template(StackName=name)["TemplateBody"] == template
    processed = stacks.client.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
    assert set(processed["Resources"]) == {"POne", "PTwo"}
    summary = stacks.client.get_template_summary(TemplateBody=json.dumps(template))
    assert summary["DeclaredTransforms"] == [LANGUAGE]
    kept = [{"ParameterKey": "Keep", "ParameterValue": "Retain"}]
    template["Resources"] |= {"Last": parameter("x")}
    stacks.update(name, template, Capabilities=leave, Parameters=kept)
    left = stacks.physical(name)
    assert stacks.delete(name)["StackStatus"] == "DELETE_COMPLETE"
    ssm = sandbox.client("ssm")
    found = ssm.get_parameters(Names=list(left.values()))["Parameters"]
    assert {item["Name"] for item in found} == {left["POne"], left["PTwo"]}
    for item in found:
        ssm.delete_parameter(Name=item["Name"])
