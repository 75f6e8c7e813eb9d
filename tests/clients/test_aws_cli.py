"""The AWS CLI (version 1, of this environment), unmodified, in a shell that `mlops sandbox env` has pointed here."""

from __future__ import annotations

import filecmp
import json
import os
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox_process import SandboxProcess

BUCKET, STACK, ACCOUNT = "sagemaker-clients-cli", "sagemaker-clients-cli", "123456789012"
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
TEMPLATE = """
Parameters: {Value: {Type: String, Default: one}}
Resources:
  Parameter: {Type: AWS::SSM::Parameter, Properties: {Name: /clients/cli/stack, Type: String, Value: !Ref Value}}
  Nested: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: nested.yaml}}
Outputs: {Parameter: {Value: !Ref Parameter}}
"""
NESTED = "Resources: {Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /clients/cli}}}\n"


class Cli:
    """`aws …` as the account's root, in a folder."""

    def __init__(self, sandbox: SandboxProcess, folder: Path) -> None:
        self._sandbox, self.folder = sandbox, folder
        self.variables = {"PATH": PATH, "AWS_PROFILE": "sandbox-root"}

    def refused(self, *arguments: str) -> str:
        done = self._sandbox.run("aws", *arguments, cwd=self.folder, env=self.variables)
        assert done.returncode, f"aws {' '.join(arguments)} was let through: {done.stdout}"
        return done.stderr

    def __call__(self, *arguments: str) -> str:
        done = self._sandbox.run("aws", *arguments, cwd=self.folder, env=self.variables)
        assert done.returncode == 0, f"aws {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--output", "json"))


@pytest.fixture
def aws(sandbox: SandboxProcess, tmp_path: Path) -> Cli:
    return Cli(sandbox, tmp_path)


@pytest.mark.clients
def test_s3_commands(sandbox: SandboxProcess, aws: Cli) -> None:
    folder = aws.folder
    aws("s3", "mb", f"s3://{BUCKET}")
    (folder / "big").write_bytes(os.urandom(20_000_000))  # in parts from 8 MiB on
    aws("s3", "cp", "big", f"s3://{BUCKET}/big", "--no-progress")
    aws("s3", "cp", f"s3://{BUCKET}/big", "back", "--no-progress")
    assert filecmp.cmp(folder / "big", folder / "back", shallow=False)
    (folder / "d" / "e").mkdir(parents=True)
    for name in ("1", "2", "e/3"):
        (folder / "d" / name).write_text(name)
        earlier = time.time() - 60  # S3 tells whole seconds: what is as new as its copy would be synced again
        os.utime(folder / "d" / name, (earlier, earlier))
    aws("s3", "sync", "d", f"s3://{BUCKET}/d", "--no-progress")
    (folder / "d" / "1").unlink()
    (folder / "d" / "2").write_text("changed")
    told = aws("s3", "sync", "d", f"s3://{BUCKET}/d", "--delete", "--no-progress")
    assert told.count("upload:") == told.count("delete:") == 1, told
    url = aws("s3", "presign", f"s3://{BUCKET}/d/2").strip()
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"changed"
    aws("s3", "mv", f"s3://{BUCKET}/d/2", f"s3://{BUCKET}/d/5")
    aws("s3", "cp", f"s3://{BUCKET}/d", f"s3://{BUCKET}/copied", "--recursive", "--no-progress")
    listed = aws("s3", "ls", "--recursive", "--summarize", f"s3://{BUCKET}/copied")
    assert "copied/5" in listed and "copied/e/3" in listed and "Total Objects: 2" in listed
    aws("s3", "rb", f"s3://{BUCKET}", "--force")
    sandbox.client("s3").get_waiter("bucket_not_exists").wait(Bucket=BUCKET)


@pytest.mark.clients
@pytest.mark.timeout(300)
def test_cloudformation_package_and_deploy(sandbox: SandboxProcess, aws: Cli) -> None:
    """`deploy` looks every thirty seconds."""
    sandbox.client("s3").create_bucket(Bucket="sagemaker-clients-package")
    (aws.folder / "t.yaml").write_text(TEMPLATE)
    (aws.folder / "nested.yaml").write_text(NESTED)
    package = ("--s3-bucket", "sagemaker-clients-package", "--output-template-file", "packaged.yaml")
    aws("cloudformation", "package", "--template-file", "t.yaml", *package)
    aws("cloudformation", "validate-template", "--template-body", "file://packaged.yaml")
    deploy = ("cloudformation", "deploy", "--template-file", "packaged.yaml", "--stack-name", STACK)
    aws(*deploy, "--tags", "a=b")
    aws(*deploy, "--tags", "a=b", "--parameter-overrides", "Value=two")
    _deploy_without_a_change(sandbox, aws)
    outputs = "Stacks[0].[StackStatus,Outputs[0].OutputValue]"
    status = aws(
        "cloudformation", "describe-stacks", "--stack-name", STACK, "--query", outputs, "--output", "text"
    )
    assert status.split() == ["UPDATE_COMPLETE", "/clients/cli/stack"]
    value = ("--name", "/clients/cli/stack", "--query", "Parameter.Value", "--output", "text")
    assert aws("ssm", "get-parameter", *value).strip() == "two"
    aws("cloudformation", "delete-stack", "--stack-name", STACK)
    aws("cloudformation", "wait", "stack-delete-complete", "--stack-name", STACK)
    assert "ParameterNotFound" in aws.refused("ssm", "get-parameter", *value)


def _deploy_without_a_change(sandbox: SandboxProcess, aws: Cli) -> None:
    """Of a stack without nested ones: those may have changed, for all that CloudFormation knows."""
    (aws.folder / "plain.yaml").write_text(NESTED.replace("/clients/cli", "/clients/plain"))
    cloudformation = sandbox.client("cloudformation")
    cloudformation.create_stack(
        StackName=f"{STACK}-plain", TemplateBody=(aws.folder / "plain.yaml").read_text()
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=f"{STACK}-plain", WaiterConfig={"Delay": 1}
    )
    deploy = ("cloudformation", "deploy", "--template-file", "plain.yaml", "--stack-name", f"{STACK}-plain")
    assert "No changes to deploy" in aws(*deploy, "--no-fail-on-empty-changeset")


@pytest.mark.clients
def test_profiles_that_assume_a_role(sandbox: SandboxProcess, aws: Cli) -> None:
    iam = sandbox.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="clients-cli", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    config = (sandbox.state / "aws" / "config").read_text()
    for name, source in (("root", "sandbox-root"), ("engineer", "sandbox-engineer")):
        lines = (
            f"[profile as-{name}]",
            f"role_arn = {role}",
            f"source_profile = {source}",
            "region = us-east-1",
        )
        config += "\n" + "\n".join(lines) + "\n"
    (aws.folder / "config").write_text(config)
    aws.variables |= {"AWS_CONFIG_FILE": str(aws.folder / "config"), "HOME": str(aws.folder)}
    # AWS lets no root user assume a role, nor anybody whom no policy allows it.
    for profile in ("as-root", "as-engineer"):
        assert "AccessDenied" in aws.refused("--profile", profile, "sts", "get-caller-identity")
    allow = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName="engineer", PolicyName="clients-cli", PolicyDocument=document)
    try:
        arn = aws.json("--profile", "as-engineer", "sts", "get-caller-identity")["Arn"]
        assert arn.startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/clients-cli/")
        assert "AccessDenied" in aws.refused("--profile", "as-engineer", "iam", "list-users")
    finally:
        iam.delete_user_policy(UserName="engineer", PolicyName="clients-cli")


READS = (
    ("codecommit", "list-repositories"),
    ("codepipeline", "list-pipelines"),
    ("codebuild", "list-projects"),
    ("sagemaker", "list-pipelines"),
    ("sagemaker", "list-model-package-groups"),
    ("events", "list-rules"),
    ("stepfunctions", "list-state-machines"),
    ("sns", "list-topics"),
    ("lambda", "list-functions"),
    ("ecr", "describe-repositories"),
    ("secretsmanager", "list-secrets"),
    ("scheduler", "list-schedules"),
    ("kms", "list-aliases"),
    ("cloudwatch", "describe-alarms"),
    ("servicecatalog", "search-products"),
    ("ec2", "describe-security-groups"),
    ("iam", "list-users"),
    ("logs", "describe-log-groups"),
)


@pytest.mark.clients
def test_each_service_answers(aws: Cli) -> None:
    for service, operation in READS:
        assert isinstance(aws.json(service, operation), dict), service
    # For some services the CLI has addresses of its own, which win over AWS_ENDPOINT_URL.
    url = aws.variables.get("AWS_ENDPOINT_URL") or aws._sandbox.url
    aws("--endpoint-url", url, "sqs", "list-queues")


@pytest.mark.clients
def test_parameters_logs_and_waiters(sandbox: SandboxProcess, aws: Cli) -> None:
    for name, kind in (("a", "String"), ("b/c", "SecureString")):
        aws("ssm", "put-parameter", "--name", f"/clients/path/{name}", "--type", kind, "--value", name)
    by_path = ("ssm", "get-parameters-by-path", "--path", "/clients/path", "--recursive", "--with-decryption")
    found = aws.json(*by_path)["Parameters"]
    assert {item["Name"]: item["Value"] for item in found} == {
        "/clients/path/a": "a",
        "/clients/path/b/c": "b/c",
    }
    told = aws.refused("sagemaker", "wait", "endpoint-in-service", "--endpoint-name", "clients-none")
    assert "terminal failure state" in told
    alarm = ("--alarm-name", "clients", "--namespace", "N", "--metric-name", "M", "--statistic", "Sum")
    limits = ("--period", "60", "--evaluation-periods", "1", "--threshold", "1")
    aws("cloudwatch", "put-metric-alarm", *alarm, *limits, "--comparison-operator", "GreaterThanThreshold")
    aws("cloudwatch", "wait", "alarm-exists", "--alarm-names", "clients")
    assert "does not implement dynamodb ListTables" in aws.refused("dynamodb", "list-tables")
