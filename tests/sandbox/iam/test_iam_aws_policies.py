"""AWS's own managed policies: attached by their ARN, they allow what they say."""

from __future__ import annotations

import uuid

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.sandbox_process import SandboxProcess

ARN = "arn:aws:iam::aws:policy/"


def test_a_managed_policy_of_aws_allows(sandbox: SandboxProcess) -> None:
    iam, user = sandbox.client("iam"), f"reader-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=user)
    keys = iam.create_access_key(UserName=user)["AccessKey"]
    ssm = boto3.client(
        "ssm",
        endpoint_url=sandbox.url,
        region_name=sandbox.running.region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
    )
    with pytest.raises(ClientError, match="no identity-based policy allows"):
        ssm.describe_parameters()
    iam.attach_user_policy(UserName=user, PolicyArn=f"{ARN}AmazonSSMReadOnlyAccess")
    ssm.describe_parameters()
    with pytest.raises(ClientError, match="no identity-based policy allows"):
        ssm.put_parameter(Name=user, Value="x", Type="String")
    attached = iam.list_attached_user_policies(UserName=user)["AttachedPolicies"]
    assert [item["PolicyName"] for item in attached] == ["AmazonSSMReadOnlyAccess"]
    version = iam.get_policy(PolicyArn=f"{ARN}service-role/AWSLambdaBasicExecutionRole")["Policy"]
    assert version["DefaultVersionId"]
    for name in ("NoSuchPolicy", "AWSLambdaBasicExecutionRole"):  # the latter lies under a path
        with pytest.raises(ClientError, match="NoSuchEntity"):
            iam.attach_user_policy(UserName=user, PolicyArn=ARN + name)
