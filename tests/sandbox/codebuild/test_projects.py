"""Updates of projects: what they take off, and what they leave when they are refused."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.codebuild.conftest import finished
from tests.sandbox_process import SandboxProcess

Project = Callable[..., str]
SPEC = "version: 0.2\nphases:\n  build:\n    commands: ['true']\n"


def test_an_update_takes_a_limit_off(sandbox: SandboxProcess, project: Project) -> None:
    client = sandbox.client("codebuild")
    name = project(SPEC, concurrentBuildLimit=1)
    assert "concurrentBuildLimit" not in client.update_project(name=name, concurrentBuildLimit=-1)["project"]
    build = client.start_build(projectName=name)["build"]
    assert finished(sandbox, build["id"])["buildStatus"] == "SUCCEEDED"


def test_a_stack_takes_a_key_and_a_limit_off(sandbox: SandboxProcess, role: str) -> None:
    client, name = sandbox.client("cloudformation"), "codebuild-tests-stack"
    properties = {
        "Source": {"Type": "NO_SOURCE", "BuildSpec": SPEC},
        "Artifacts": {"Type": "NO_ARTIFACTS"},
        "Environment": {
            "Type": "LINUX_CONTAINER",
            "Image": "aws/codebuild/standard:7.0",
            "ComputeType": "BUILD_GENERAL1_SMALL",
        },
        "ServiceRole": role,
        "Name": name,
    }

    def body(**more: object) -> str:
        project = {"Type": "AWS::CodeBuild::Project", "Properties": properties | more}
        return json.dumps({"Resources": {"Project": project}})

    key = "arn:aws:kms:us-east-1:123456789012:alias/other"
    client.create_stack(StackName=name, TemplateBody=body(EncryptionKey=key, ConcurrentBuildLimit=1))
    client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 0.1})
    client.update_stack(StackName=name, TemplateBody=body())
    client.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig={"Delay": 0.1})
    [project] = sandbox.client("codebuild").batch_get_projects(names=[name])["projects"]
    assert "concurrentBuildLimit" not in project
    assert project["encryptionKey"].endswith(":alias/aws/s3")


def test_an_update_to_a_role_that_does_not_trust_codebuild_changes_nothing(
    sandbox: SandboxProcess, project: Project
) -> None:
    client, name = sandbox.client("codebuild"), project(SPEC)
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    stranger = sandbox.client("iam").create_role(
        RoleName=f"{name}-stranger", AssumeRolePolicyDocument=json.dumps(trust)
    )["Role"]["Arn"]
    [before] = client.batch_get_projects(names=[name])["projects"]
    with pytest.raises(ClientError, match="not authorized to perform: sts:AssumeRole"):
        client.update_project(name=name, serviceRole=stranger, description="changed")
    assert client.batch_get_projects(names=[name])["projects"] == [before]


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"cache": {"type": "S3", "location": "bucket/cache"}}, "cache type S3"),
        (
            {
                "source": {
                    "type": "CODECOMMIT",
                    "location": "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/any",
                    "gitSubmodulesConfig": {"fetchSubmodules": True},
                }
            },
            "fetchSubmodules",
        ),
    ],
)
def test_what_would_not_be_done_is_refused(project: Project, members: dict[str, object], named: str) -> None:
    with pytest.raises(ClientError, match=f"{named} is not implemented"):
        project(SPEC, **members)
