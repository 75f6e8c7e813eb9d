"""Secrets through the door."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox_process import SandboxProcess


@pytest.fixture(scope="module")
def secrets(sandbox: SandboxProcess) -> Any:
    return sandbox.client("secretsmanager")


def refused(call: Any, **members: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**members)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def name() -> str:
    return f"room/{uuid.uuid4().hex[:8]}"


def test_versions_move_through_the_stages(secrets: Any) -> None:
    made = secrets.create_secret(Name=name(), SecretString="one", Tags=[{"Key": "a", "Value": "1"}])
    arn, first = made["ARN"], made["VersionId"]
    assert arn.rpartition("-")[0].endswith(made["Name"])
    second = secrets.put_secret_value(SecretId=arn, SecretString="two")["VersionId"]
    assert secrets.get_secret_value(SecretId=made["Name"])["SecretString"] == "two"
    assert secrets.get_secret_value(SecretId=arn[:-7], VersionStage="AWSPREVIOUS")["SecretString"] == "one"
    third = secrets.update_secret(SecretId=arn, SecretBinary=b"\0three", Description="d")["VersionId"]
    described = secrets.describe_secret(SecretId=arn)
    assert described["VersionIdsToStages"] == {second: ["AWSPREVIOUS"], third: ["AWSCURRENT"]}
    assert described["Tags"] == [{"Key": "a", "Value": "1"}]
    assert secrets.get_secret_value(SecretId=arn)["SecretBinary"] == b"\0three"
    versions = secrets.list_secret_version_ids(SecretId=arn, IncludeDeprecated=True)["Versions"]
    assert {item["VersionId"] for item in versions} == {first, second, third}
    secrets.update_secret_version_stage(
        SecretId=arn, VersionStage="AWSCURRENT", RemoveFromVersionId=third, MoveToVersionId=second
    )
    assert secrets.get_secret_value(SecretId=arn)["VersionId"] == second
    code, message = refused(
        secrets.put_secret_value, SecretId=arn, ClientRequestToken=first, SecretString="x"
    )
    assert code == "ResourceExistsException" and first in message
    secrets.put_secret_value(SecretId=arn, ClientRequestToken=first, SecretString="one")


def test_a_deleted_secret_can_be_restored_and_its_name_is_taken(secrets: Any) -> None:
    made = secrets.create_secret(Name=name(), SecretString="x")
    ended = secrets.delete_secret(SecretId=made["ARN"], RecoveryWindowInDays=7)
    assert ended["DeletionDate"]
    assert refused(secrets.get_secret_value, SecretId=made["ARN"])[0] == "InvalidRequestException"
    assert "scheduled for deletion" in refused(secrets.create_secret, Name=made["Name"])[1]
    listed = {item["Name"] for item in secrets.list_secrets()["SecretList"]}
    assert made["Name"] not in listed
    secrets.restore_secret(SecretId=made["ARN"])
    assert secrets.get_secret_value(SecretId=made["ARN"])["SecretString"] == "x"
    secrets.delete_secret(SecretId=made["ARN"], ForceDeleteWithoutRecovery=True)
    assert refused(secrets.describe_secret, SecretId=made["ARN"])[0] == "ResourceNotFoundException"


def test_a_customers_key_is_asked_for_in_the_callers_name(sandbox: SandboxProcess, secrets: Any) -> None:
    iam, kms = sandbox.client("iam"), sandbox.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    user = f"reader-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=user)
    keys = iam.create_access_key(UserName=user)["AccessKey"]
    import boto3

    reader = boto3.client(
        "secretsmanager",
        endpoint_url=sandbox.url,
        region_name=sandbox.running.region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
    )
    secret = secrets.create_secret(Name=name(), KmsKeyId=key, SecretString="deep")
    statement = {
        "Effect": "Allow",
        "Action": "secretsmanager:GetSecretValue",
        "Resource": secret["ARN"][:-6] + "??????",
        "Condition": {"StringEquals": {"secretsmanager:VersionStage": "AWSCURRENT"}},
    }

    def allow(*statements: dict[str, Any]) -> None:
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=policy)

    allow(statement)
    # Without the stage in the request the key is absent: AWS's own behaviour of that condition.
    assert refused(reader.get_secret_value, SecretId=secret["ARN"])[0] == "AccessDeniedException"
    asked = {"SecretId": secret["Name"], "VersionStage": "AWSCURRENT"}
    assert refused(reader.get_secret_value, **asked) == (
        "AccessDeniedException",
        "Access to KMS is not allowed",
    )
    through = {"StringEquals": {"kms:ViaService": f"secretsmanager.{sandbox.running.region}.amazonaws.com"}}
    allow(statement, {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key, "Condition": through})
    assert reader.get_secret_value(**asked)["SecretString"] == "deep"
    assert refused(reader.put_secret_value, SecretId=secret["ARN"], SecretString="x")[1].endswith(
        "because no identity-based policy allows the secretsmanager:PutSecretValue action"
    )


def test_a_resource_policy_denies(secrets: Any) -> None:
    made = secrets.create_secret(Name=name(), SecretString="x")
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [everyone]}
    assert (
        refused(secrets.put_resource_policy, SecretId=made["ARN"], ResourcePolicy=json.dumps(policy))[0]
        == "PublicPolicyException"
    )
    policy["Statement"] = [everyone | {"Effect": "Deny", "Action": "secretsmanager:GetSecretValue"}]
    secrets.put_resource_policy(SecretId=made["ARN"], ResourcePolicy=json.dumps(policy))
    assert json.loads(secrets.get_resource_policy(SecretId=made["ARN"])["ResourcePolicy"]) == policy
    code, message = refused(secrets.get_secret_value, SecretId=made["ARN"])
    assert code == "AccessDeniedException" and "explicit deny in a resource-based policy" in message
    secrets.delete_resource_policy(SecretId=made["ARN"])
    assert secrets.get_secret_value(SecretId=made["ARN"])["SecretString"] == "x"


def test_lists_batches_and_passwords(secrets: Any) -> None:
    stem = name()
    for end in ("a", "b", "c"):
        secrets.create_secret(Name=f"{stem}-{end}", SecretString=end)
    found = secrets.list_secrets(
        Filters=[{"Key": "name", "Values": [stem]}], SortBy="name", SortOrder="asc", MaxResults=2
    )
    assert [item["Name"][-1] for item in found["SecretList"]] == ["a", "b"]
    assert found["NextToken"]
    batch = secrets.batch_get_secret_value(SecretIdList=[f"{stem}-c", f"{stem}-d"])
    assert [item["SecretString"] for item in batch["SecretValues"]] == ["c"]
    assert batch["Errors"][0]["ErrorCode"] == "ResourceNotFoundException"
    password = secrets.get_random_password(PasswordLength=12, ExcludePunctuation=True)["RandomPassword"]
    assert len(password) == 12 and password.isalnum()
    assert any(letter.isdigit() for letter in password)
    assert refused(secrets.rotate_secret, SecretId=f"{stem}-c")[0] == "UnsupportedOperation"
