"""Import: resources made elsewhere become a stack's, and stay what they are."""

from __future__ import annotations

import json
from typing import Any

from tests.sandbox.cloudformation.stacks import Stacks, new_name, outputs, parameter, refusal
from tests.sandbox_process import SandboxProcess

KEEP = {"DeletionPolicy": "Retain"}


def listed(kind: str, logical_id: str, **identifier: str) -> dict[str, Any]:
    return {"ResourceType": kind, "LogicalResourceId": logical_id, "ResourceIdentifier": identifier}


def request(name: str, template: dict[str, Any], *imports: dict[str, Any]) -> dict[str, Any]:
    return {
        "StackName": name,
        "ChangeSetName": new_name(),
        "ChangeSetType": "IMPORT",
        "TemplateBody": json.dumps(template),
        "ResourcesToImport": list(imports),
        "Tags": [{"Key": "team", "Value": "blue"}],
    }


def imported(stacks: Stacks, asked: dict[str, Any]) -> dict[str, Any]:
    stacks.client.create_change_set(**asked)
    chosen = {"StackName": asked["StackName"], "ChangeSetName": asked["ChangeSetName"]}
    changes = stacks.client.describe_change_set(**chosen)["Changes"]
    assert {change["ResourceChange"]["Action"] for change in changes} == {"Import"}
    stacks.client.execute_change_set(**chosen)
    return stacks.rest(asked["StackName"])


def test_import(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name, taken = new_name(), f"taken-{new_name()}"
    ssm, s3 = sandbox.client("ssm"), sandbox.client("s3")
    ssm.put_parameter(Name=taken, Value="theirs", Type="String")
    s3.create_bucket(Bucket=taken)
    resources = {"P": parameter("theirs", Name=taken) | KEEP}
    stack = imported(
        stacks, request(name, {"Resources": resources}, listed("AWS::SSM::Parameter", "P", Name=taken))
    )
    assert stack["StackStatus"] == "IMPORT_COMPLETE", stacks.reasons(name)
    assert stacks.physical(name) == {"P": taken}
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=taken)["TagList"]
    assert {"Key": "team", "Value": "blue"} in tags
    assert [event for event in stacks.events(name) if event[0] == "P"] == [
        ("P", "IMPORT_IN_PROGRESS"),
        ("P", "IMPORT_COMPLETE"),
        ("P", "UPDATE_IN_PROGRESS"),
        ("P", "UPDATE_COMPLETE"),
    ]

    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": taken}} | KEEP
    more = listed("AWS::S3::Bucket", "B", BucketName=taken)
    assert imported(stacks, request(name, {"Resources": resources | {"B": bucket}}, more))["StackStatus"] == (
        "IMPORT_COMPLETE"
    )
    shown = {"O": {"Value": {"Fn::GetAtt": "B.Arn"}}, "V": {"Value": {"Fn::GetAtt": "P.Value"}}}
    stack = stacks.update(name, {"Resources": resources | {"B": bucket}, "Outputs": shown})
    assert outputs(stack) == {"O": f"arn:aws:s3:::{taken}", "V": "theirs"}
    assert stacks.delete(name)["StackStatus"] == "DELETE_COMPLETE"
    s3.delete_bucket(Bucket=taken)
    ssm.delete_parameter(Name=taken)


def test_what_is_not_there_is_let_go(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name, lost = new_name(), new_name()
    stacks.create({"Resources": {"A": parameter("x")}}, name)
    template = {"Resources": {"A": parameter("x"), "P": parameter("x", Name=lost) | KEEP}}
    asked = request(name, template, listed("AWS::SSM::Parameter", "P", Name=lost))
    asked["Tags"] = []
    stack = imported(stacks, asked)
    assert stack["StackStatus"] == "IMPORT_ROLLBACK_COMPLETE"
    assert f"with identifier '{lost}' was not found" in stacks.reasons(name)["P"]
    assert set(stacks.physical(name)) == {"A"}
    assert stacks.update(name, {"Resources": {"A": parameter("y")}})["StackStatus"] == "UPDATE_COMPLETE"


def test_an_import_does_nothing_else(stacks: Stacks) -> None:
    name = new_name()
    stacks.create({"Resources": {"A": parameter("x")}}, name)

    def refused(resources: dict[str, Any], *imports: dict[str, Any], **more: Any) -> str:
        asked = request(name, {"Resources": resources} | more, *imports) | {"Tags": []}
        code, message = refusal(stacks.client.create_change_set, **asked)
        assert code == "ValidationError"
        return message

    same, p = {"A": parameter("x")}, parameter("x", Name="n") | KEEP
    item = listed("AWS::SSM::Parameter", "P", Name="n")
    assert "At least one resource" in refused(same)
    assert "modified resources [A]" in refused({"A": parameter("y"), "P": p}, item)
    assert "[Q] is missing from ResourceToImport list" in refused(same | {"P": p, "Q": p}, item)
    assert "must have a DeletionPolicy" in refused(same | {"P": parameter("x", Name="n")}, item)
    assert "cannot modify or add [Outputs]" in refused(
        same | {"P": p}, item, Outputs={"O": {"Value": "text"}}
    )
    wrong = listed("AWS::SSM::Parameter", "P", Id="n")
    assert "that of AWS::SSM::Parameter is [Name]" in refused(same | {"P": p}, wrong)
    rule = {"Type": "AWS::CDK::Metadata"} | KEEP
    other = listed("AWS::CDK::Metadata", "P", Id="n")
    assert "Import of AWS::CDK::Metadata is not implemented" in refused(same | {"P": rule}, other)
