"""The SageMaker SDK, unmodified: a pipeline defined, put, run, followed and its model approved."""

from __future__ import annotations

import configparser
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sandbox.state import client_files
from tests.sandbox_process import SandboxProcess
from tests.seed_code.conftest import MODEL_BUILD, environment

BUCKET, GROUP, NAME = "sagemaker-clients-sdk", "clients-sdk", "sagemaker-clients-sdk"
ACCOUNT = "123456789012"
TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}


def allow(action: str | list[str], resource: str | list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture(scope="module")
def role(sandbox: SandboxProcess) -> str:
    """What the pipeline and its jobs may."""
    iam = sandbox.client("iam")
    arn: str = iam.create_role(RoleName="clients-sdk", AssumeRolePolicyDocument=document(TRUST))["Role"][
        "Arn"
    ]
    sagemaker = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:"
    jobs = [f"{sagemaker}{kind}/*" for kind in ("processing-job", "training-job", "model-package")]
    group = f"{sagemaker}model-package-group/{GROUP}"
    passing = allow("iam:PassRole", arn)
    passing["Condition"] = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    policy = document(
        allow(
            ["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
            [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
        ),
        allow(
            ["sagemaker:Create*", "sagemaker:Describe*", "sagemaker:Stop*", "sagemaker:AddTags"],
            [*jobs, group],
        ),
        allow(
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            "*",
        ),
        allow(["cloudwatch:PutMetricData"], "*"),
        allow(
            [
                "ecr:GetAuthorizationToken",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
                "ecr:BatchCheckLayerAvailability",
            ],
            "*",
        ),
        passing,
    )
    iam.put_role_policy(RoleName="clients-sdk", PolicyName="work", PolicyDocument=policy)
    return arn


@pytest.fixture(scope="module")
def profiles(sandbox: SandboxProcess, role: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sandbox's profiles, and one of a scientist, who may define pipelines of that role."""
    iam = sandbox.client("iam")
    iam.create_user(UserName="clients-scientist")
    pipeline = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:pipeline/{NAME}"
    policy = document(
        allow(
            ["sagemaker:CreatePipeline", "sagemaker:UpdatePipeline", "sagemaker:DescribePipeline"], pipeline
        ),
        allow(
            ["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
            [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
        ),
        allow("s3:ListAllMyBuckets", "*"),
        allow("iam:PassRole", role),
    )
    iam.put_user_policy(UserName="clients-scientist", PolicyName="define", PolicyDocument=policy)
    key = iam.create_access_key(UserName="clients-scientist")["AccessKey"]
    folder = tmp_path_factory.mktemp("profiles")
    for name in ("config", "credentials"):
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(sandbox.state / "aws" / name)
        section = "profile scientist" if name == "config" else "scientist"
        own = (
            dict(parser["profile sandbox-engineer"])
            if name == "config"
            else {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        )
        parser[section] = own
        with (folder / name).open("w") as file:
            parser.write(file)
    return folder


@pytest.mark.clients
@pytest.mark.timeout(600)
def test_a_pipeline_by_the_sdk(sandbox: SandboxProcess, role: str, profiles: Path, tmp_path: Path) -> None:
    lock = MODEL_BUILD / "requirements.txt"
    python = environment("--no-deps", "--require-hashes", "-r", str(lock), key=lock.read_text())
    sandbox.client("s3").create_bucket(Bucket=BUCKET)
    sandbox.client("sagemaker").create_model_package_group(ModelPackageGroupName=GROUP)
    variables = {
        name: value
        for name, value in client_files.environment(
            sandbox.state, "engineer", "us-east-1", sandbox.url
        ).items()
        if name != "AWS_PROFILE"
    }
    variables |= {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_CONFIG_FILE": str(profiles / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(profiles / "credentials"),
        "AWS_PROFILE": "scientist",
    }
    script = Path(__file__).with_name("sdk_pipeline.py")
    done = subprocess.run(
        [python, "-W", "ignore", script, role, BUCKET, GROUP],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["created"] == told["updated"] == f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:pipeline/{NAME}"
    assert told["first"] == "Succeeded" and set(told["steps"].values()) == {"Succeeded"}, told
    assert told["cached"] == ["Prepare"]
    assert "fewer rows than 5.0" in str(told["reason"]), told
    assert "NotAuthorized" in told["refused"] or "not authorized" in told["refused"]
    assert told["approved by"] == "sandbox-approver" and told["status"] == "Approved"
