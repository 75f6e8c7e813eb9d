"""Keys of volumes: whoever has SageMaker encrypt one must be able to give it a grant."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.sagemaker.conftest import Room

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"


def create(room: Room, role: str, key: str) -> Any:
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5, "VolumeKmsKeyId": key}
    return room.sagemaker.create_processing_job(
        ProcessingJobName=f"{role.rpartition('/')[2]}-job",
        RoleArn=role,
        ProcessingResources={"ClusterConfig": cluster},
        AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["true"]},
    )


def test_a_job_needs_a_role_that_may_grant_its_volumes_key(room: Room) -> None:
    key = room.sandbox.client("kms").create_key()["KeyMetadata"]["Arn"]
    role = room.make_role("volume", "logs:*")
    with pytest.raises(ClientError, match="kms:CreateGrant") as refused:
        create(room, role, key)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    statement = {
        "Effect": "Allow",
        "Action": "kms:CreateGrant",
        "Resource": key,
        "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    }
    room.iam.put_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyName="grant",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    assert create(room, role, key)["ProcessingJobArn"]
