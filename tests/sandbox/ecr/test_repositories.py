"""Repositories of images through the door."""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox_process import SandboxProcess


@pytest.fixture(scope="module")
def ecr(sandbox: SandboxProcess) -> Any:
    return sandbox.client("ecr")


def code(call: Any, **members: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**members)
    return str(caught.value.response["Error"]["Code"])


def test_a_repository_and_what_is_set_on_it(ecr: Any) -> None:
    name = f"team/{uuid.uuid4().hex[:8]}"
    made = ecr.create_repository(repositoryName=name, tags=[{"Key": "a", "Value": "1"}])["repository"]
    assert made["repositoryUri"].endswith(f".amazonaws.com/{name}")
    assert code(ecr.create_repository, repositoryName=name) == "RepositoryAlreadyExistsException"
    ecr.put_image_scanning_configuration(repositoryName=name, imageScanningConfiguration={"scanOnPush": True})
    ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability="IMMUTABLE")
    ecr.tag_resource(resourceArn=made["repositoryArn"], tags=[{"Key": "b", "Value": "2"}])
    ecr.untag_resource(resourceArn=made["repositoryArn"], tagKeys=["a"])
    assert ecr.list_tags_for_resource(resourceArn=made["repositoryArn"])["tags"] == [
        {"Key": "b", "Value": "2"}
    ]
    shown = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
    assert shown["imageTagMutability"] == "IMMUTABLE"
    assert shown["imageScanningConfiguration"] == {"scanOnPush": True}
    assert code(ecr.get_lifecycle_policy, repositoryName=name) == "LifecyclePolicyNotFoundException"
    bad = {"rules": [{"rulePriority": 1, "description": "x" * 100}]}
    lifecycle = {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {
                    "tagStatus": "any",
                    "countType": "imageCountMoreThan",
                    "countNumber": 3,
                },
                "action": {"type": "expire"},
            }
        ]
    }
    assert (
        code(ecr.put_lifecycle_policy, repositoryName=name, lifecyclePolicyText=json.dumps(bad))
        == "InvalidParameterException"
    )
    ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=json.dumps(lifecycle))
    kept = ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"]
    assert json.loads(kept) == lifecycle
    ecr.delete_repository(repositoryName=name, force=True)
    assert code(ecr.describe_repositories, repositoryNames=[name]) == "RepositoryNotFoundException"


def test_images_cannot_be_pushed(ecr: Any) -> None:
    name = f"empty-{uuid.uuid4().hex[:8]}"
    ecr.create_repository(repositoryName=name)
    assert ecr.list_images(repositoryName=name)["imageIds"] == []
    image = {"imageTag": "latest"}
    assert code(ecr.describe_images, repositoryName=name, imageIds=[image]) == "ImageNotFoundException"
    failures = ecr.batch_get_image(repositoryName=name, imageIds=[image])["failures"]
    assert failures[0]["failureCode"] == "ImageNotFound"
    assert code(ecr.put_image, repositoryName=name, imageManifest="{}") == "UnsupportedOperation"
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    assert base64.b64decode(token).startswith(b"AWS:")


def test_a_repository_policy_counts(ecr: Any) -> None:
    name = f"closed-{uuid.uuid4().hex[:8]}"
    ecr.create_repository(repositoryName=name)
    deny = {"Effect": "Deny", "Principal": "*", "Action": "ecr:ListImages"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    ecr.set_repository_policy(repositoryName=name, policyText=policy)
    assert code(ecr.list_images, repositoryName=name) == "AccessDeniedException"
    ecr.delete_repository_policy(repositoryName=name)
    assert code(ecr.get_repository_policy, repositoryName=name) == "RepositoryPolicyNotFoundException"
    assert ecr.list_images(repositoryName=name)["imageIds"] == []
