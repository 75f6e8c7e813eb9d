"""Stacks through the door: creation, update, replacement, deletion, rollback."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.cloudformation.stacks import Stacks, new_name, outputs, parameter, refusal
from tests.sandbox_process import SandboxProcess

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudformation.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def _value(sandbox: SandboxProcess, name: str) -> str | None:
    try:
        return sandbox.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ParameterNotFound"
        return None


def _taken(sandbox: SandboxProcess) -> dict[str, Any]:
    """A resource whose name is somebody else's."""
    name = new_name()
    sandbox.client("ssm").put_parameter(Name=name, Value="theirs", Type="String")
    return parameter("ours", Name=name)


def test_life_of_a_stack(stacks: Stacks, sandbox: SandboxProcess) -> None:
    template = {
        "Parameters": {"Text": {"Type": "String", "Default": "one"}},
        "Resources": {
            "First": parameter({"Ref": "Text"}),
            "Second": parameter({"Fn::Sub": "${First}:${First.Value}"}),
        },
        "Outputs": {"Second": {"Value": {"Fn::GetAtt": "Second.Value"}}},
    }
    name = new_name()
    stack = stacks.create(template, name)
    first = stacks.physical(name)["First"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert first.startswith(f"{name}-First-")
    assert outputs(stack) == {"Second": f"{first}:one"}
    assert stacks.events(name) == [
        (name, "CREATE_IN_PROGRESS"),
        ("First", "CREATE_IN_PROGRESS"),
        ("First", "CREATE_IN_PROGRESS"),
        ("First", "CREATE_COMPLETE"),
        ("Second", "CREATE_IN_PROGRESS"),
        ("Second", "CREATE_IN_PROGRESS"),
        ("Second", "CREATE_COMPLETE"),
        (name, "CREATE_COMPLETE"),
    ]
    stack = stacks.update(name, Parameters=[{"ParameterKey": "Text", "ParameterValue": "two"}])
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert outputs(stack) == {"Second": f"{first}:two"}
    assert _value(sandbox, first) == "two"
    stack = stacks.delete(name)
    assert stack["StackStatus"] == "DELETE_COMPLETE"
    assert _value(sandbox, first) is None
    assert refusal(stacks.client.describe_stacks, StackName=name) == (
        "ValidationError",
        f"Stack with id {name} does not exist",
    )


def test_replacement_creates_before_it_deletes(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name, old, new = new_name(), new_name(), new_name()

    def template(physical: str, **members: Any) -> dict[str, Any]:
        return {"Resources": {"P": parameter("x", Name=physical) | members, "Q": parameter({"Ref": "P"})}}

    stacks.create(template(old), name)
    stack = stacks.update(name, template(new))
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    events = [item for item in stacks.events(name) if item[0] in ("P", name)]
    assert events[-6:] == [
        ("P", "UPDATE_IN_PROGRESS"),
        ("P", "UPDATE_COMPLETE"),
        (name, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("P", "DELETE_IN_PROGRESS"),
        ("P", "DELETE_COMPLETE"),
        (name, "UPDATE_COMPLETE"),
    ]
    assert (_value(sandbox, old), _value(sandbox, new)) == (None, "x")
    assert _value(sandbox, stacks.physical(name)["Q"]) == new
    third = new_name()
    stacks.update(name, template(third, UpdateReplacePolicy="Retain"))
    stacks.update(name, template(old, UpdateReplacePolicy="Retain"))
    assert _value(sandbox, third) == "x"


def test_a_failed_creation_is_rolled_back_and_named(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name, taken = new_name(), new_name()
    sandbox.client("ssm").put_parameter(Name=taken, Value="mine", Type="String")
    template = {"Resources": {"A": parameter("x", Name=name), "B": parameter({"Ref": "A"}, Name=taken)}}
    stack = stacks.create(template, name)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert f"with identifier '{taken}' already exists" in stacks.reasons(name)["B"]
    assert "HandlerErrorCode: AlreadyExists" in stacks.reasons(name)["B"]
    assert (_value(sandbox, name), _value(sandbox, taken)) == (None, "mine")
    events = stacks.client.describe_stack_events(StackName=name)["StackEvents"]
    reason = next(e["ResourceStatusReason"] for e in events if e["ResourceStatus"] == "ROLLBACK_IN_PROGRESS")
    assert reason == "The following resource(s) failed to create: [B]. Rollback requested by user."
    code, message = refusal(stacks.update, name, template)
    assert code == "ValidationError" and "is in ROLLBACK_COMPLETE state and can not be updated." in message


@pytest.mark.parametrize(
    ("choice", "status", "left"),
    [
        ({"OnFailure": "DO_NOTHING"}, "CREATE_FAILED", "x"),
        ({"DisableRollback": True}, "CREATE_FAILED", "x"),
        ({"OnFailure": "DELETE"}, "DELETE_COMPLETE", None),
    ],
)
def test_on_failure(
    stacks: Stacks, sandbox: SandboxProcess, choice: dict[str, Any], status: str, left: str | None
) -> None:
    name = new_name()
    template = {"Resources": {"A": parameter("x", Name=name), "B": _taken(sandbox) | {"DependsOn": "A"}}}
    identifier = stacks.client.create_stack(StackName=name, TemplateBody=json.dumps(template), **choice)
    stack = stacks.rest(identifier["StackId"])
    assert stack["StackStatus"] == status
    assert _value(sandbox, name) == left


def test_an_unknown_property_touches_nothing(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name = new_name()
    template = {"Resources": {"A": parameter("x", Name=name), "B": parameter("x", Foo="bar")}}
    stack = stacks.create(template, name)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert stacks.reasons(name) == {
        "B": "Properties validation failed for resource B with message:\n#: extraneous key [Foo] is not permitted"
    }
    assert ("A", "CREATE_IN_PROGRESS") not in stacks.events(name)


def test_a_failed_update_is_rolled_back(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name, renamed, taken = new_name(), new_name(), new_name()
    sandbox.client("ssm").put_parameter(Name=taken, Value="mine", Type="String")
    before = {
        "Resources": {"Kept": parameter("one"), "Moved": parameter("m", Name=name), "Gone": parameter("g")},
        "Outputs": {"Kept": {"Value": {"Fn::GetAtt": "Kept.Value"}}},
    }
    after = {
        "Resources": {
            "Kept": parameter("two"),
            "Moved": parameter("m", Name=renamed),
            "New": parameter("n"),
            "Bad": parameter("b", Name=taken) | {"DependsOn": ["Kept", "Moved", "New"]},
        },
        "Outputs": {"Kept": {"Value": {"Fn::GetAtt": "Kept.Value"}}},
    }
    stacks.create(before, name)
    physical = stacks.physical(name)
    stack = stacks.update(name, after)
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.physical(name) == physical
    assert outputs(stack) == {"Kept": "one"}
    assert _value(sandbox, physical["Kept"]) == "one"
    assert (_value(sandbox, name), _value(sandbox, renamed)) == ("m", None)
    assert _value(sandbox, taken) == "mine"
    assert [item for item in stacks.events(name) if item[0] == "New"][-1] == ("New", "DELETE_COMPLETE")
    stack = stacks.update(name, before | {"Description": "again"}, Tags=[{"Key": "k", "Value": "v"}])
    assert stack["StackStatus"] == "UPDATE_COMPLETE"


def test_deletion_policies(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name, kept, once = new_name(), new_name(), new_name()
    template = {
        "Resources": {
            "Kept": parameter("k", Name=kept) | {"DeletionPolicy": "Retain"},
            "Once": parameter("o", Name=once) | {"DeletionPolicy": "RetainExceptOnCreate"},
        }
    }
    stacks.create(template, name)
    stacks.delete(name)
    assert (_value(sandbox, kept), _value(sandbox, once)) == ("k", "o")
    for item in (kept, once):
        sandbox.client("ssm").delete_parameter(Name=item)
    template["Resources"]["Bad"] = _taken(sandbox) | {"DependsOn": ["Kept", "Once"]}
    stack = stacks.create(template, new_name())
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert (_value(sandbox, kept), _value(sandbox, once)) == ("k", None)


def test_a_failed_deletion_can_retain(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name = new_name()
    template = {"Resources": {"B": {"Type": "AWS::S3::Bucket"}, "P": parameter({"Ref": "B"})}}
    stacks.create(template, name)
    bucket = stacks.physical(name)["B"]
    sandbox.client("s3").put_object(Bucket=bucket, Key="k", Body=b"x")
    stack = stacks.delete(name)
    assert stack["StackStatus"] == "DELETE_FAILED"
    assert stack["StackStatusReason"] == "The following resource(s) failed to delete: [B]. "
    assert "BucketNotEmpty" in stacks.reasons(name)["B"]
    assert stacks.delete(name, RetainResources=["B"])["StackStatus"] == "DELETE_COMPLETE"
    sandbox.client("s3").head_bucket(Bucket=bucket)


def test_tags_reach_resources(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name = new_name()
    template = {
        "Resources": {
            "P": parameter("x", Tags={"own": "p", "both": "resource"}),
            "R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
            "K": {"Type": "AWS::KMS::Key", "Properties": {"Tags": [{"Key": "own", "Value": "k"}]}},
            "L": {"Type": "AWS::Logs::LogGroup"},
        }
    }
    given = [{"Key": "team", "Value": "ml"}, {"Key": "both", "Value": "stack"}]
    stack = stacks.create(template, name, Tags=given)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(name)
    physical = stacks.physical(name)
    ssm = sandbox.client("ssm").list_tags_for_resource(ResourceType="Parameter", ResourceId=physical["P"])
    found = {tag["Key"]: tag["Value"] for tag in ssm["TagList"]}
    assert found.items() >= {"own": "p", "both": "resource", "team": "ml"}.items()
    assert found["aws:cloudformation:stack-name"] == name
    assert found["aws:cloudformation:logical-id"] == "P"
    assert found["aws:cloudformation:stack-id"] == stack["StackId"]
    role = sandbox.client("iam").list_role_tags(RoleName=physical["R"])["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in role} == {"team": "ml", "both": "stack"}
    key = sandbox.client("kms").list_resource_tags(KeyId=physical["K"])["Tags"]
    assert {tag["TagKey"]: tag["TagValue"] for tag in key} == {"team": "ml", "both": "stack", "own": "k"}
    stacks.update(name, Tags=[{"Key": "team", "Value": "data"}])
    role = sandbox.client("iam").list_role_tags(RoleName=physical["R"])["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in role} == {"team": "data"}


def test_what_cannot_be_resolved_fails_the_stack(stacks: Stacks) -> None:
    name = new_name()
    stack = stacks.create({"Resources": {"P": parameter("{{resolve:ssm:/no/such/name}}")}}, name)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    events = stacks.client.describe_stack_events(StackName=name)["StackEvents"]
    reasons = [event.get("ResourceStatusReason", "") for event in events]
    assert any("[ssm:/no/such/name] cannot be found" in reason for reason in reasons)


def test_exports_and_imports(stacks: Stacks) -> None:
    producer, consumer, export = new_name(), new_name(), new_name()
    source = {
        "Parameters": {"V": {"Type": "String", "Default": "1"}},
        "Resources": {"P": parameter({"Ref": "V"})},
        "Outputs": {"O": {"Value": {"Fn::GetAtt": "P.Value"}, "Export": {"Name": export}}},
    }
    stacks.create(source, producer)
    use = {"Resources": {"Q": parameter({"Fn::ImportValue": export})}}
    assert stacks.create(use, consumer)["StackStatus"] == "CREATE_COMPLETE"
    assert stacks.client.list_imports(ExportName=export)["Imports"] == [consumer]
    exported = {item["Name"]: item["Value"] for item in stacks.client.list_exports()["Exports"]}
    assert exported[export] == "1"
    stack = stacks.delete(producer)
    assert stack["StackStatus"] == "DELETE_FAILED"
    assert stack["StackStatusReason"] == f"Export {export} cannot be deleted as it is in use by {consumer}"
    other = stacks.create(source, new_name())
    assert other["StackStatus"] == "ROLLBACK_COMPLETE"
    stacks.update(consumer, {"Resources": {"Q": parameter("no import")}})
    assert stacks.delete(producer)["StackStatus"] == "DELETE_COMPLETE"
    assert stacks.create(use, new_name())["StackStatus"] == "ROLLBACK_COMPLETE"


def test_least_privilege_role(stacks: Stacks, sandbox: SandboxProcess) -> None:
    iam, name, role = sandbox.client("iam"), new_name(), new_name()
    allowed = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["ssm:PutParameter", "ssm:DeleteParameter", "ssm:AddTagsToResource"],
                "Resource": f"arn:aws:ssm:*:*:parameter/{name}-ok*",
            }
        ],
    }
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=json.dumps(allowed))
    template = {"Resources": {"Ok": parameter("x", Name=f"{name}-ok")}}
    stack = stacks.create(template, name, RoleARN=arn)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(name)
    assert stack["RoleARN"] == arn
    template["Resources"]["Denied"] = parameter("x", Name=f"{name}-no")
    stack = stacks.update(name, template)
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    reason = stacks.reasons(name)["Denied"]
    assert f"assumed-role/{role}/AWSCloudFormation is not authorized to perform: ssm:PutParameter" in reason
    assert "HandlerErrorCode: AccessDenied" in reason
    plain = {
        "Version": "2012-10-17",
        "Statement": [TRUST["Statement"][0] | {"Principal": {"Service": "ec2.amazonaws.com"}}],
    }
    untrusting = iam.create_role(RoleName=new_name(), AssumeRolePolicyDocument=json.dumps(plain))["Role"][
        "Arn"
    ]
    assert refusal(stacks.create, template, RoleARN=untrusting)[0] in ("ValidationError", "AccessDenied")


def test_stack_policy(stacks: Stacks) -> None:
    name = new_name()
    template = {"Resources": {"P": parameter("one"), "Q": parameter("one")}}
    stacks.create(template, name)
    policy = {
        "Statement": [
            {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "LogicalResourceId/P"},
        ]
    }
    stacks.client.set_stack_policy(StackName=name, StackPolicyBody=json.dumps(policy))
    changed = {"Resources": {"P": parameter("two"), "Q": parameter("two")}}
    assert stacks.update(name, changed)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.reasons(name)["P"].startswith(
        "Action denied by stack policy: Statement [#2] does not allow"
    )
    during = json.dumps({"Statement": [policy["Statement"][0]]})
    assert (
        stacks.update(name, changed, StackPolicyDuringUpdateBody=during)["StackStatus"] == "UPDATE_COMPLETE"
    )


def test_termination_protection(stacks: Stacks) -> None:
    name = new_name()
    stacks.create({"Resources": {"P": parameter("one")}}, name, EnableTerminationProtection=True)
    assert refusal(stacks.client.delete_stack, StackName=name) == (
        "ValidationError",
        f"Stack [{name}] cannot be deleted while TerminationProtection is enabled",
    )
    stacks.client.update_termination_protection(StackName=name, EnableTerminationProtection=False)
    assert stacks.delete(name)["StackStatus"] == "DELETE_COMPLETE"


def test_nested_stacks(stacks: Stacks, sandbox: SandboxProcess) -> None:
    s3, bucket, name = sandbox.client("s3"), new_name(), new_name()
    s3.create_bucket(Bucket=bucket)
    inner = {
        "Parameters": {"V": {"Type": "String"}, "L": {"Type": "CommaDelimitedList"}},
        "Resources": {"P": parameter({"Fn::Join": ["+", {"Ref": "L"}]})},
        "Outputs": {"O": {"Value": {"Fn::Sub": "${V}:${P.Value}"}}},
    }
    s3.put_object(Bucket=bucket, Key="inner.json", Body=json.dumps(inner).encode())
    url = f"https://{bucket}.s3.us-east-1.amazonaws.com/inner.json"
    child = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": url, "Parameters": {"V": "v", "L": ["a", "b"]}},
    }
    template = {"Resources": {"Child": child}, "Outputs": {"O": {"Value": {"Fn::GetAtt": "Child.Outputs.O"}}}}
    stack = stacks.create(template, name, Tags=[{"Key": "team", "Value": "ml"}])
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(name)
    assert outputs(stack) == {"O": "v:a+b"}
    nested = stacks.client.describe_stacks(StackName=stacks.physical(name)["Child"])["Stacks"][0]
    assert nested["ParentId"] == nested["RootId"] == stack["StackId"]
    assert nested["Tags"] == [{"Key": "team", "Value": "ml"}]
    child["Properties"]["Parameters"]["V"] = "w"
    assert outputs(stacks.update(name, template)) == {"O": "w:a+b"}
    stacks.delete(name)
    assert (
        stacks.client.describe_stacks(StackName=nested["StackId"])["Stacks"][0]["StackStatus"]
        == "DELETE_COMPLETE"
    )
