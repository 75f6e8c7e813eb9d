"""Drift: what was changed behind a stack's back."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.services.cloudformation.stack import drift
from tests.sandbox.cloudformation.stacks import Stacks, new_name, parameter, refusal
from tests.sandbox_process import SandboxProcess
from tests.waiting import until

VALUES: Any = st.recursive(
    st.text("abc", min_size=1, max_size=3) | st.integers(1, 99) | st.just(True),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("PQR", min_size=1), inner, max_size=3)
    ),
    max_leaves=12,
)
PROPERTIES = st.dictionaries(st.text("XYZ", min_size=1, max_size=2), VALUES, max_size=4)


def _as_told(value: Any) -> Any:
    """The same, as an API may tell it: names in another case, lists turned round, numbers as text, more."""
    if isinstance(value, dict):
        return {key.lower(): _as_told(item) for key, item in value.items()} | {"more": 1}
    if isinstance(value, list):
        return [_as_told(item) for item in value][::-1]
    return str(value).lower() if isinstance(value, bool | int) else value


@given(PROPERTIES)
def test_what_is_told_otherwise_is_no_drift(expected: dict[str, Any]) -> None:
    assert drift.differences(expected, _as_told(expected)) == []


@given(PROPERTIES, st.text("XYZ", min_size=1, max_size=2))
def test_a_change_is_named(expected: dict[str, Any], name: str) -> None:
    expected[name] = "wanted"
    live = _as_told(expected)
    (gone,) = drift.differences(expected, {key: item for key, item in live.items() if key != name.lower()})
    assert (gone["PropertyPath"], gone["DifferenceType"]) == (f"/{name}", "REMOVE")
    live[name.lower()] = "other"
    (changed,) = drift.differences(expected, live)
    assert (changed["PropertyPath"], changed["DifferenceType"]) == (f"/{name}", "NOT_EQUAL")
    assert (changed["ExpectedValue"], changed["ActualValue"]) == ("wanted", "other")


def test_lists() -> None:
    assert drift.differences({"L": ["a", "b"]}, {"l": ["b", "c", "d"]}) == [
        {"PropertyPath": "/L/0", "ExpectedValue": "a", "ActualValue": "c", "DifferenceType": "NOT_EQUAL"},
        {"PropertyPath": "/L/2", "ExpectedValue": "null", "ActualValue": "d", "DifferenceType": "ADD"},
    ]


ROLE = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def test_drift_of_a_stack(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name, client, ssm = new_name(), stacks.client, sandbox.client("ssm")
    inline = {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": []}}
    inline["PolicyDocument"]["Statement"] = [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]  # type: ignore[index]
    template = {
        "Resources": {
            "Same": parameter("a", Description="text"),
            "Changed": parameter("a"),
            "Gone": parameter("a"),
            "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}},
            "Bucket": {
                "Type": "AWS::S3::Bucket",
                "Properties": {
                    "BucketName": name,
                    "VersioningConfiguration": {"Status": "Enabled"},
                    "BucketEncryption": {
                        "ServerSideEncryptionConfiguration": [
                            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
                        ]
                    },
                },
            },
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": ROLE, "Policies": [inline]},
            },
            "Key": {"Type": "AWS::KMS::Key", "Properties": {"Description": "d", "EnableKeyRotation": True}},
            "Rule": {
                "Type": "AWS::Events::Rule",
                "Properties": {"EventPattern": {"source": ["mine"]}, "State": "ENABLED"},
            },
            "Group2": {
                "Type": "AWS::SageMaker::ModelPackageGroup",
                "Properties": {"ModelPackageGroupName": name, "ModelPackageGroupDescription": "d"},
            },
            "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        }
    }
    stacks.create(template, name)
    assert refusal(client.describe_stack_resource_drifts, StackName="none")[0] == "ValidationError"
    assert _detected(client, name) == ("IN_SYNC", 0)
    status = {item["LogicalResourceId"]: item for item in _drifts(client, name)}
    assert {key for key, item in status.items() if item["StackResourceDriftStatus"] == "NOT_CHECKED"} == {
        "Handle"
    }
    physical = stacks.physical(name)
    ssm.put_parameter(Name=physical["Changed"], Value="b", Overwrite=True)
    ssm.delete_parameter(Name=physical["Gone"])
    sandbox.client("iam").delete_role_policy(RoleName=physical["Role"], PolicyName="p")
    sandbox.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})
    assert _detected(client, name) == ("DRIFTED", 4)
    found = {item["LogicalResourceId"]: item for item in _drifts(client, name, "MODIFIED", "DELETED")}
    assert set(found) == {"Changed", "Gone", "Role", "Bucket"}
    assert found["Changed"]["PropertyDifferences"] == [
        {
            "PropertyPath": "/Value",
            "ExpectedValue": "a",
            "ActualValue": "b",
            "DifferenceType": "NOT_EQUAL",
        }
    ]
    assert json.loads(found["Changed"]["ActualProperties"])["Value"] == "b"
    assert found["Gone"]["StackResourceDriftStatus"] == "DELETED"
    assert found["Bucket"]["PropertyDifferences"][0]["PropertyPath"] == "/VersioningConfiguration/Status"
    stack = client.describe_stacks(StackName=name)["Stacks"][0]
    assert stack["DriftInformation"]["StackDriftStatus"] == "DRIFTED"
    ssm.put_parameter(Name=physical["Changed"], Value="a", Overwrite=True)
    again = client.detect_stack_resource_drift(StackName=name, LogicalResourceId="Changed")
    assert again["StackResourceDrift"]["StackResourceDriftStatus"] == "IN_SYNC"
    stacks.delete(name)


def _drifts(client: Any, name: str, *statuses: str) -> list[dict[str, Any]]:
    filters = {"StackResourceDriftStatusFilters": list(statuses)} if statuses else {}
    found: list[dict[str, Any]] = client.describe_stack_resource_drifts(StackName=name, **filters)[
        "StackResourceDrifts"
    ]
    return found


def _detected(client: Any, name: str) -> tuple[str, int]:
    identifier = client.detect_stack_drift(StackName=name)["StackDriftDetectionId"]

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = client.describe_stack_drift_detection_status(StackDriftDetectionId=identifier)
        return None if found["DetectionStatus"] == "DETECTION_IN_PROGRESS" else found

    ended = until(look)
    assert ended["DetectionStatus"] == "DETECTION_COMPLETE", ended
    return ended["StackDriftStatus"], ended["DriftedStackResourceCount"]
