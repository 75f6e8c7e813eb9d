"""What builds in these tests stand on: a bucket, a service role, projects."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox_process import SandboxProcess

ACCOUNT = "123456789012"
BUCKET = "codebuild-tests"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/codebuild/*",
        },
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject", "s3:GetObjectVersion"],
            "Resource": f"arn:aws:s3:::{BUCKET}/*",
        },
        {
            "Effect": "Allow",
            "Action": "ssm:GetParameters",
            "Resource": f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/build/*",
        },
        {
            "Effect": "Allow",
            "Action": "codecommit:GitPull",
            "Resource": f"arn:aws:codecommit:us-east-1:{ACCOUNT}:*",
        },
        {"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": "*"},
    ],
}


def make_role(sandbox: SandboxProcess, name: str, service: str, policy: dict[str, Any]) -> str:
    iam = sandbox.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
            }
        ],
    }
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=json.dumps(policy))
    return str(arn)


@pytest.fixture(scope="session")
def role(sandbox: SandboxProcess) -> str:
    sandbox.client("s3").create_bucket(Bucket=BUCKET)
    return make_role(sandbox, "codebuild-tests", "codebuild.amazonaws.com", POLICY)


@pytest.fixture
def project(sandbox: SandboxProcess, role: str) -> Callable[..., str]:
    """Creates a project with an inline buildspec; its name."""

    def create(buildspec: str, **members: Any) -> str:
        name = f"test-{uuid.uuid4().hex[:8]}"
        arguments: dict[str, Any] = {
            "source": {"type": "NO_SOURCE", "buildspec": buildspec},
            "artifacts": {"type": "NO_ARTIFACTS"},
            "environment": {
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
                "computeType": "BUILD_GENERAL1_SMALL",
            },
            "serviceRole": role,
        }
        sandbox.client("codebuild").create_project(name=name, **arguments | members)
        return name

    return create


@pytest.fixture
def run(sandbox: SandboxProcess) -> Callable[..., dict[str, Any]]:
    """Starts a build and waits for its end; the build."""

    def build(name: str, **members: Any) -> dict[str, Any]:
        client = sandbox.client("codebuild")
        build_id = client.start_build(projectName=name, **members)["build"]["id"]
        return finished(sandbox, build_id)

    return build


def finished(sandbox: SandboxProcess, build_id: str, seconds: float = 60) -> dict[str, Any]:
    client = sandbox.client("codebuild")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        [build] = client.batch_get_builds(ids=[build_id])["builds"]
        if build["buildComplete"]:
            return dict(build)
        time.sleep(0.05)
    raise AssertionError(f"build {build_id} did not end: {build['currentPhase']}")


def phase(build: dict[str, Any], name: str) -> dict[str, Any]:
    return next(p for p in build["phases"] if p["phaseType"] == name)


def lines(sandbox: SandboxProcess, build: dict[str, Any]) -> list[str]:
    logs = build["logs"]
    events = sandbox.client("logs").get_log_events(
        logGroupName=logs["groupName"], logStreamName=logs["streamName"], startFromHead=True, limit=10000
    )
    return [event["message"] for event in events["events"]]
