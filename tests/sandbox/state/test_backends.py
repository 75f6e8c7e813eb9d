"""Records of moto's services on disk: what a request changed, and what refers to what."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox_process import SandboxProcess

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::123456789012:root", "Service": "sagemaker.amazonaws.com"},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
            }
        ],
    }
)
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}],
    }
)


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path)
    yield process
    process.stop()


def seen(sandbox: SandboxProcess, keys: list[str]) -> dict[str, Any]:
    iam, kms, logs = sandbox.client("iam"), sandbox.client("kms"), sandbox.client("logs")
    ssm = sandbox.client("ssm")
    details = iam.get_account_authorization_details(MaxItems=1000)
    lines = logs.get_log_events(logGroupName="/a", logStreamName="s/1", startFromHead=True)["events"]
    return {
        "roles": details["RoleDetailList"],
        "policies": details["Policies"],
        "users": details["UserDetailList"],
        "keys of the user": iam.list_access_keys(UserName="u")["AccessKeyMetadata"],
        "account aliases": iam.list_account_aliases()["AccountAliases"],
        "aliases": [a for a in kms.list_aliases()["Aliases"] if a.get("TargetKeyId") in keys],
        "tags of the key": kms.list_resource_tags(KeyId=keys[0])["Tags"],
        "groups": logs.describe_log_groups()["logGroups"],
        "streams": logs.describe_log_streams(logGroupName="/a")["logStreams"],
        "lines": [line["message"] for line in lines],
        "parameters": ssm.get_parameter_history(Name="/p")["Parameters"],
        "tags of the parameter": ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/p")[
            "TagList"
        ],
    }


def change(sandbox: SandboxProcess) -> list[str]:
    """Changes by the names of things, by their ARNs, by what leads to them; some are taken back."""
    iam, kms, logs = sandbox.client("iam"), sandbox.client("kms"), sandbox.client("logs")
    ssm = sandbox.client("ssm")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=POLICY)["Policy"]["Arn"]
    for name in ("one", "two", "gone"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    for name in ("one", "two"):
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    iam.put_role_policy(RoleName="one", PolicyName="in", PolicyDocument=POLICY)
    iam.create_user(UserName="u")
    iam.create_access_key(UserName="u")
    iam.create_account_alias(AccountAlias="endurance")
    keys = [kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2)]
    kms.create_alias(AliasName="alias/moves", TargetKeyId=keys[0])
    kms.create_alias(AliasName="alias/goes", TargetKeyId=keys[0])
    logs.create_log_group(logGroupName="/a")
    logs.create_log_stream(logGroupName="/a", logStreamName="s/1")
    logs.create_log_stream(logGroupName="/a", logStreamName="gone")
    ssm.put_parameter(Name="/p", Value="1", Type="String")
    return keys


def change_again(sandbox: SandboxProcess, keys: list[str], number: int) -> None:
    iam, kms, logs = sandbox.client("iam"), sandbox.client("kms"), sandbox.client("logs")
    ssm = sandbox.client("ssm")
    arn = "arn:aws:iam::123456789012:policy/p"
    document = POLICY.replace("ListAllMyBuckets", f"ListAllMyBuckets*{number}")
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
    iam.tag_role(RoleName="one", Tags=[{"Key": "n", "Value": str(number)}])
    kms.tag_resource(KeyId=keys[0], Tags=[{"TagKey": "n", "TagValue": str(number)}])
    kms.update_alias(AliasName="alias/moves", TargetKeyId=keys[number % 2])
    line = {"timestamp": int(time.time() * 1000), "message": f"line {number}"}
    logs.put_log_events(logGroupName="/a", logStreamName="s/1", logEvents=[line, line])
    ssm.put_parameter(Name="/p", Value=f"v{number}", Type="String", Overwrite=True)
    ssm.add_tags_to_resource(
        ResourceType="Parameter", ResourceId="/p", Tags=[{"Key": "n", "Value": str(number)}]
    )
    if number == 1:
        kms.delete_alias(AliasName="alias/goes")
        iam.detach_role_policy(RoleName="two", PolicyArn=arn)
        iam.delete_role(RoleName="gone")
        logs.delete_log_stream(logGroupName="/a", logStreamName="gone")
        logs.put_retention_policy(logGroupName="/a", retentionInDays=7)


def test_what_is_loaded_is_changed_and_kept_like_what_was_made(mine: SandboxProcess) -> None:
    keys = change(mine)
    for number in (1, 2):
        change_again(mine, keys, number)
        before = seen(mine, keys)
        mine.kill()
        mine.start_again()
        assert seen(mine, keys) == before
    assert [a["AliasName"] for a in before["aliases"]] == ["alias/moves"]
    assert [role["RoleName"] for role in before["roles"]] == ["one", "two"]
    assert before["lines"] == ["line 1", "line 1", "line 2", "line 2"]
    # One policy, however many refer to it: a change of it is a change for all of them.
    iam = mine.client("iam")
    iam.delete_role_policy(RoleName="one", PolicyName="in")
    iam.detach_role_policy(RoleName="one", PolicyArn="arn:aws:iam::123456789012:policy/p")
    assert iam.get_policy(PolicyArn="arn:aws:iam::123456789012:policy/p")["Policy"]["AttachmentCount"] == 0


def test_what_is_renamed_is_found_by_those_that_refer_to_it(mine: SandboxProcess) -> None:
    iam = mine.client("iam")
    iam.create_group(GroupName="g")
    for name in ("before", "leaves"):
        iam.create_user(UserName=name)
        iam.add_user_to_group(GroupName="g", UserName=name)
    iam.update_user(UserName="before", NewUserName="after")
    iam.remove_user_from_group(GroupName="g", UserName="leaves")
    iam.delete_user(UserName="leaves")
    mine.kill()
    mine.start_again()
    assert [user["UserName"] for user in mine.client("iam").get_group(GroupName="g")["Users"]] == ["after"]


def test_credentials_of_a_role_outlive_the_process(mine: SandboxProcess) -> None:
    import boto3

    iam = mine.client("iam")
    arn = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.put_role_policy(RoleName="worker", PolicyName="in", PolicyDocument=POLICY)
    iam.create_user(UserName="caller")
    may = POLICY.replace("s3:ListAllMyBuckets", "sts:*")
    iam.put_user_policy(UserName="caller", PolicyName="in", PolicyDocument=may)
    key = iam.create_access_key(UserName="caller")["AccessKey"]
    caller = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")
    issued = caller.client("sts", endpoint_url=mine.url).assume_role(
        RoleArn=arn, RoleSessionName="session", Policy=POLICY, Tags=[{"Key": "a", "Value": "b"}]
    )["Credentials"]
    keys = (issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])
    session = boto3.Session(*keys, region_name="us-east-1")
    for end in (mine.kill, mine.stop):
        end()
        mine.start_again()
        who = session.client("sts", endpoint_url=mine.url).get_caller_identity()
        assert who["Arn"] == "arn:aws:sts::123456789012:assumed-role/worker/session"
        assert session.client("s3", endpoint_url=mine.url).list_buckets()["Buckets"] == []


def test_records_of_another_version_of_moto_are_refused(tmp_path: Path) -> None:
    SandboxProcess(tmp_path).stop()
    with sqlite3.connect(tmp_path / "moto.sqlite") as connection:
        connection.execute("UPDATE written_by SET version = '1.0.0'")
    command = [sys.executable, "-m", "sandbox.server", "--state", str(tmp_path), "--port", "0"]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1
    last = refused.stderr.strip().splitlines()[-1]
    assert "moto.sqlite was written with moto 1.0.0" in last and "mlops sandbox reset" in last
