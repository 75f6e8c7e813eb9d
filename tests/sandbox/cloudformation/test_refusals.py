"""What the API refuses before anything is touched, in AWS's words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.cloudformation.stacks import Stacks, new_name, parameter, refusal
from tests.sandbox_process import SandboxProcess

ROLE = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        (
            {"A": {"Type": "AWS::Foo::Bar"}},
            "Template format error: Unrecognized resource types: [AWS::Foo::Bar]",
        ),
        (
            {"A": {"Type": "AWS::EC2::Instance"}},
            "Template error: resource types [AWS::EC2::Instance] are not implemented by the sandbox",
        ),
        (
            {"A": parameter({"Ref": "B"}), "B": parameter({"Ref": "A"})},
            "Circular dependency between resources: [A, B]",
        ),
        (
            {"A": parameter({"Fn::GetAtt": ["B", "Nope"]}), "B": parameter("x")},
            "Template error: resource B does not support attribute type Nope in Fn::GetAtt",
        ),
    ],
)
def test_templates(stacks: Stacks, resources: dict[str, Any], message: str) -> None:
    name = new_name()
    assert refusal(stacks.create, {"Resources": resources}, name) == ("ValidationError", message)
    assert refusal(stacks.client.describe_stacks, StackName=name)[0] == "ValidationError"


def test_capabilities(stacks: Stacks) -> None:
    create = stacks.client.create_stack
    body = json.dumps({"Resources": {"R": ROLE}})
    named = json.dumps({"Resources": {"R": ROLE | {"Properties": ROLE["Properties"] | {"RoleName": "x"}}}})
    assert refusal(create, StackName=new_name(), TemplateBody=body) == (
        "InsufficientCapabilitiesException",
        "Requires capabilities : [CAPABILITY_IAM]",
    )
    assert refusal(create, StackName=new_name(), TemplateBody=named, Capabilities=["CAPABILITY_IAM"]) == (
        "InsufficientCapabilitiesException",
        "Requires capabilities : [CAPABILITY_NAMED_IAM]",
    )


def test_names_and_tokens(stacks: Stacks) -> None:
    template, name = {"Resources": {"P": parameter("x")}}, new_name()
    stacks.create(template, name, ClientRequestToken="once")
    stacks.create(template, name, ClientRequestToken="once")
    assert len(stacks.events(name)) == 5
    assert refusal(stacks.create, template, name, ClientRequestToken="twice") == (
        "AlreadyExistsException",
        f"Stack [{name}] already exists",
    )
    code, message = refusal(stacks.create, template, "1bad")
    assert code == "ValidationError" and "[a-zA-Z][-a-zA-Z0-9]*" in message
    assert refusal(stacks.update, new_name(), template)[1].endswith("] does not exist")
    assert refusal(stacks.update, name, template) == ("ValidationError", "No updates are to be performed.")


def test_parameters(stacks: Stacks) -> None:
    template = {
        "Parameters": {
            "N": {"Type": "String", "AllowedPattern": "^[a-z]+$"},
            "S": {"Type": "String", "NoEcho": True, "Default": "s"},
        },
        "Resources": {"P": parameter({"Ref": "N"})},
    }
    assert refusal(stacks.create, template) == ("ValidationError", "Parameters: [N] must have values")
    upper = [{"ParameterKey": "N", "ParameterValue": "ABC"}]
    assert refusal(stacks.create, template, Parameters=upper) == (
        "ValidationError",
        "Parameter 'N' must match pattern ^[a-z]+$",
    )
    stack = stacks.create(template, Parameters=[{"ParameterKey": "N", "ParameterValue": "abc"}])
    assert {"ParameterKey": "S", "ParameterValue": "****"} in stack["Parameters"]


def test_sizes_and_urls(stacks: Stacks, sandbox: SandboxProcess) -> None:
    big = {"Resources": {"P": parameter("x")}, "Metadata": {"M": "x" * 51_200}}
    assert "Member must have length less than or equal to 51200" in refusal(stacks.create, big)[1]
    create = stacks.client.create_stack
    assert refusal(create, StackName=new_name(), TemplateURL="https://example.com/x")[1] == (
        "TemplateURL must be a supported URL."
    )
    s3, bucket = sandbox.client("s3"), new_name()
    s3.create_bucket(Bucket=bucket)
    url = f"https://s3.us-east-1.amazonaws.com/{bucket}/t.json"
    assert refusal(create, StackName=new_name(), TemplateURL=url)[1].startswith(
        "S3 error: The specified key does not exist."
    )
    s3.put_object(Bucket=bucket, Key="t.json", Body=json.dumps(big).encode())
    name = new_name()
    create(StackName=name, TemplateURL=url)
    assert stacks.rest(name)["StackStatus"] == "CREATE_COMPLETE"


def test_what_is_not_implemented_is_named(stacks: Stacks) -> None:
    template = {"Resources": {"P": parameter("x")}}
    code, message = refusal(stacks.create, template, DeploymentConfig={"Mode": "EXPRESS"})
    assert (code, message) == (
        "ValidationError",
        "DeploymentConfig with Mode EXPRESS is not implemented by the sandbox",
    )


def test_validate_and_summary(stacks: Stacks) -> None:
    body = json.dumps(
        {
            "Description": "d",
            "Parameters": {"N": {"Type": "Number", "Default": 1, "AllowedValues": [1, 2]}},
            "Resources": {"R": ROLE, "P": parameter("x")},
        }
    )
    valid = stacks.client.validate_template(TemplateBody=body)
    assert valid["Capabilities"] == ["CAPABILITY_IAM"]
    assert valid["Parameters"] == [{"ParameterKey": "N", "DefaultValue": "1", "NoEcho": False}]
    summary = stacks.client.get_template_summary(TemplateBody=body)
    assert sorted(summary["ResourceTypes"]) == ["AWS::IAM::Role", "AWS::SSM::Parameter"]
    assert summary["Parameters"][0]["ParameterConstraints"] == {"AllowedValues": ["1", "2"]}
