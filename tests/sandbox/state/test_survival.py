"""What was acknowledged is there after a stop and after kill -9."""

from __future__ import annotations

import json
import subprocess
import sys
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
                "Principal": {"Service": "sagemaker.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::survivor/*"}],
    }
)


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path)
    yield process
    process.stop()


def fill(sandbox: SandboxProcess) -> dict[str, Any]:
    """Writes something of every kind and returns what clients were told."""
    s3, iam, kms = sandbox.client("s3"), sandbox.client("iam"), sandbox.client("kms")
    key = kms.create_key(Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]
    kms.create_alias(AliasName="alias/survivor", TargetKeyId=key["KeyId"])
    s3.create_bucket(Bucket="survivor")
    s3.put_bucket_versioning(Bucket="survivor", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_tagging(Bucket="survivor", Tagging={"TagSet": [{"Key": "team", "Value": "x"}]})
    first = s3.put_object(Bucket="survivor", Key="a/b", Body=b"one", Tagging="k=v")["VersionId"]
    second = s3.put_object(
        Bucket="survivor",
        Key="a/b",
        Body=b"two" * 100_000,
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=key["Arn"],
    )["VersionId"]
    s3.put_object(Bucket="survivor", Key="gone", Body=b"x")
    s3.delete_object(Bucket="survivor", Key="gone")
    upload = s3.create_multipart_upload(Bucket="survivor", Key="parts")["UploadId"]
    part = s3.upload_part(
        Bucket="survivor", Key="parts", UploadId=upload, PartNumber=1, Body=b"p" * 6_000_000
    )["ETag"]
    role = iam.create_role(RoleName="survivor", AssumeRolePolicyDocument=TRUST)["Role"]
    iam.put_role_policy(
        RoleName="survivor",
        PolicyName="p",
        PolicyDocument=POLICY,
    )
    commit = sandbox.client("codecommit")
    commit.create_repository(repositoryName="sagemaker-survivor")
    head = commit.create_commit(
        repositoryName="sagemaker-survivor",
        branchName="main",
        putFiles=[{"filePath": "f", "fileContent": b"c"}],
    )["commitId"]
    return {
        "key": key["KeyId"],
        "first": first,
        "second": second,
        "upload": upload,
        "part": part,
        "role": role["RoleId"],
        "head": head,
    }


def check(sandbox: SandboxProcess, told: dict[str, Any]) -> None:
    s3, iam, kms = sandbox.client("s3"), sandbox.client("iam"), sandbox.client("kms")
    assert s3.get_object(Bucket="survivor", Key="a/b")["Body"].read() == b"two" * 100_000
    assert s3.get_object(Bucket="survivor", Key="a/b", VersionId=told["first"])["Body"].read() == b"one"
    assert s3.get_object_tagging(Bucket="survivor", Key="a/b", VersionId=told["first"])["TagSet"] == [
        {"Key": "k", "Value": "v"}
    ]
    versions = s3.list_object_versions(Bucket="survivor")
    assert {version["VersionId"] for version in versions["Versions"] if version["Key"] == "a/b"} == {
        told["first"],
        told["second"],
    }
    assert [marker["Key"] for marker in versions["DeleteMarkers"]] == ["gone"]
    assert s3.get_bucket_tagging(Bucket="survivor")["TagSet"] == [{"Key": "team", "Value": "x"}]
    assert s3.get_bucket_versioning(Bucket="survivor")["Status"] == "Enabled"
    parts = [{"ETag": told["part"], "PartNumber": 1}]
    s3.complete_multipart_upload(
        Bucket="survivor", Key="parts", UploadId=told["upload"], MultipartUpload={"Parts": parts}
    )
    assert s3.head_object(Bucket="survivor", Key="parts")["ContentLength"] == 6_000_000
    assert kms.describe_key(KeyId="alias/survivor")["KeyMetadata"]["KeyId"] == told["key"]
    assert iam.get_role(RoleName="survivor")["Role"]["RoleId"] == told["role"]
    assert iam.list_role_policies(RoleName="survivor")["PolicyNames"] == ["p"]
    assert (
        sandbox.client("codecommit").get_branch(repositoryName="sagemaker-survivor", branchName="main")[
            "branch"
        ]["commitId"]
        == told["head"]
    )


def test_all_is_there_after_kill_9_and_again_after_a_stop(mine: SandboxProcess) -> None:
    told = fill(mine)
    mine.kill()
    mine.start_again()
    check(mine, told)
    mine.restart()
    s3 = mine.client("s3")
    assert s3.head_object(Bucket="survivor", Key="parts")["ContentLength"] == 6_000_000
    assert s3.get_object(Bucket="survivor", Key="a/b")["Body"].read() == b"two" * 100_000


def test_deleted_things_stay_deleted_and_their_bodies_go(mine: SandboxProcess) -> None:
    s3 = mine.client("s3")
    s3.create_bucket(Bucket="brief")
    for key in ("one", "two", "three"):
        s3.put_object(Bucket="brief", Key=key, Body=key.encode() * 1000)
    s3.delete_objects(Bucket="brief", Delete={"Objects": [{"Key": "one"}, {"Key": "two"}]})
    mine.kill()
    mine.start_again()
    s3 = mine.client("s3")
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="brief")["Contents"]] == ["three"]
    bodies = list((mine.state / "s3" / "bodies").glob("*/*"))
    assert len(bodies) == 1
    s3.delete_object(Bucket="brief", Key="three")
    s3.delete_bucket(Bucket="brief")
    mine.kill()
    mine.start_again()
    assert mine.client("s3").list_buckets()["Buckets"] == []


def test_principals_keep_their_keys(mine: SandboxProcess) -> None:
    before = mine._keys("engineer")
    mine.kill()
    mine.start_again()
    assert mine._keys("engineer") == before
    assert mine.client("sts", "engineer").get_caller_identity()["Arn"].endswith("user/engineer")


def test_services_written_whole_go_on_after_a_restart(mine: SandboxProcess) -> None:
    ssm, logs = mine.client("ssm"), mine.client("logs")
    ssm.put_parameter(Name="/one", Value="1", Type="String")
    logs.create_log_group(logGroupName="/one")
    mine.restart()
    ssm, logs = mine.client("ssm"), mine.client("logs")
    ssm.put_parameter(Name="/two", Value="2", Type="String")
    ssm.put_parameter(Name="/one", Value="3", Type="String", Overwrite=True)
    logs.create_log_stream(logGroupName="/one", logStreamName="s")
    assert ssm.get_parameter(Name="/one")["Parameter"]["Version"] == 2
    assert {p["Name"] for p in ssm.describe_parameters()["Parameters"]} == {"/one", "/two"}


def test_a_state_folder_is_one_process_only(mine: SandboxProcess) -> None:
    command = [sys.executable, "-m", "sandbox.server", "--state", str(mine.state), "--port", "0"]
    second = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert second.returncode == 1
    assert f"another sandbox runs on {mine.state}" in second.stderr
    assert mine.client("sts").get_caller_identity()["Account"]
