"""What pipelines in these tests stand on: a repository, a store, roles, a build project, and pipelines of them."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.sandbox_process import SandboxProcess

ACCOUNT = "123456789012"
REGION = "us-east-1"
STORE = "pipeline-tests-store"
BUILDSPEC = """version: 0.2
env:
  exported-variables: [VERSION, COMMIT]
phases:
  build:
    commands:
      - export VERSION=$(cat version.txt) COMMIT=$CODEBUILD_RESOLVED_SOURCE_VERSION
      - echo "initiator $CODEBUILD_INITIATOR"
      - sh build.sh
artifacts:
  files: ['*.json', 'template.yaml']
"""
TEMPLATE = """
Parameters:
  Value: {Type: String, AllowedPattern: '[a-z0-9]+'}
Resources:
  Parameter:
    Type: AWS::SSM::Parameter
    Properties: {Name: NAME, Type: String, Value: !Ref Value}
Outputs:
  Stored: {Value: !Ref Value}
"""


def trust(service: str, **condition: Any) -> str:
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    if service != "cloudformation.amazonaws.com":  # it tells a trust policy no source
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": ACCOUNT}} | condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allow(*statements: tuple[list[str], Any]) -> str:
    listed = [
        {"Effect": "Allow", "Action": actions, "Resource": resource} for actions, resource in statements
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": listed})


@dataclass
class World:
    """`pipeline(...)` makes a pipeline of the stages a test needs."""

    sandbox: SandboxProcess
    name: str
    files: dict[str, str] = field(default_factory=dict)
    commit: str = ""

    def client(self, service: str) -> Any:
        return self.sandbox.client(service)

    @property
    def role(self) -> str:
        return f"arn:aws:iam::{ACCOUNT}:role/{self.name}-pipeline"

    def push(self, **files: str) -> str:
        """Commits files (`__` in names stands for a dot); the commit's id."""
        put = [{"filePath": name.replace("__", "."), "fileContent": text} for name, text in files.items()]
        arguments = {"parentCommitId": self.commit} if self.commit else {}
        answer = self.client("codecommit").create_commit(
            repositoryName=self.name, branchName="main", putFiles=put, **arguments, commitMessage="change\n"
        )
        self.commit = answer["commitId"]
        return self.commit

    def source(self, **configuration: str) -> dict[str, Any]:
        base = {"RepositoryName": self.name, "BranchName": "main", "PollForSourceChanges": "false"}
        return {
            "name": "Source",
            "actions": [
                {
                    "name": "Checkout",
                    "actionTypeId": {
                        "category": "Source",
                        "owner": "AWS",
                        "provider": "CodeCommit",
                        "version": "1",
                    },
                    "configuration": base | configuration,
                    "outputArtifacts": [{"name": "SourceOutput"}],
                    "namespace": "SourceVariables",
                }
            ],
        }

    def build(self, **members: Any) -> dict[str, Any]:
        return {
            "name": "Build",
            "actions": [
                {
                    "name": "Build",
                    "actionTypeId": {
                        "category": "Build",
                        "owner": "AWS",
                        "provider": "CodeBuild",
                        "version": "1",
                    },
                    "configuration": {"ProjectName": self.name},
                    "inputArtifacts": [{"name": "SourceOutput"}],
                    "outputArtifacts": [{"name": "BuildOutput"}],
                    "namespace": "BuildVariables",
                }
            ],
        } | members

    def deploy(
        self, stage: str = "Deploy", configuration: dict[str, str] | None = None, **members: Any
    ) -> dict[str, Any]:
        base = {
            "ActionMode": "CREATE_UPDATE",
            "StackName": f"{self.name}-stack",
            "TemplatePath": "BuildOutput::template.yaml",
            "TemplateConfiguration": "BuildOutput::config.json",
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{self.name}-stack",
        }
        return {
            "name": stage,
            "actions": [
                {
                    "name": "Stack",
                    "actionTypeId": {
                        "category": "Deploy",
                        "owner": "AWS",
                        "provider": "CloudFormation",
                        "version": "1",
                    },
                    "configuration": base | (configuration or {}),
                    "inputArtifacts": [{"name": "BuildOutput"}],
                    "namespace": f"{stage}Variables",
                }
            ],
        } | members

    def approval(self, stage: str = "Approve", **members: Any) -> dict[str, Any]:
        return {
            "name": stage,
            "actions": [
                {
                    "name": "Gate",
                    "actionTypeId": {
                        "category": "Approval",
                        "owner": "AWS",
                        "provider": "Manual",
                        "version": "1",
                    },
                    "configuration": {"CustomData": "version #{SourceVariables.CommitId}"},
                }
            ],
        } | members

    def declaration(self, *stages: dict[str, Any], **members: Any) -> dict[str, Any]:
        return {
            "name": self.name,
            "roleArn": self.role,
            "artifactStore": {"type": "S3", "location": STORE},
            "pipelineType": "V2",
            "executionMode": "QUEUED",
            "stages": list(stages),
        } | members

    def create(self, *stages: dict[str, Any], **members: Any) -> str:
        """The id of the execution that creation starts."""
        pipeline = self.client("codepipeline")
        pipeline.create_pipeline(pipeline=self.declaration(*stages, **members))
        return str(self.executions()[0]["pipelineExecutionId"])

    def executions(self) -> list[dict[str, Any]]:
        answer = self.client("codepipeline").list_pipeline_executions(pipelineName=self.name)
        return list(answer["pipelineExecutionSummaries"])

    def start(self, **members: Any) -> str:
        return str(
            self.client("codepipeline").start_pipeline_execution(name=self.name, **members)[
                "pipelineExecutionId"
            ]
        )

    def execution(self, execution_id: str) -> dict[str, Any]:
        answer = self.client("codepipeline").get_pipeline_execution(
            pipelineName=self.name, pipelineExecutionId=execution_id
        )
        return dict(answer["pipelineExecution"])

    def finished(self, execution_id: str, seconds: float = 60) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            execution = self.execution(execution_id)
            return None if execution["status"] in ("InProgress", "Stopping") else execution

        return until(ended, seconds, lambda: json.dumps(self.state(), default=str))

    def state(self) -> dict[str, dict[str, Any]]:
        states = self.client("codepipeline").get_pipeline_state(name=self.name)["stageStates"]
        return {state["stageName"]: state for state in states}

    def actions(self, execution_id: str) -> dict[str, dict[str, Any]]:
        details = self.client("codepipeline").list_action_executions(
            pipelineName=self.name, filter={"pipelineExecutionId": execution_id}
        )["actionExecutionDetails"]
        return {detail["actionName"]: detail for detail in reversed(details)}

    def token(self, stage: str = "Approve") -> str:
        """Of the approval that waits in a stage."""

        def waiting() -> str | None:
            state = self.state()[stage]
            return state["actionStates"][0].get("latestExecution", {}).get("token")

        return until(waiting, 30, lambda: json.dumps(self.state(), default=str))

    def answer(self, status: str, token: str, stage: str = "Approve") -> Any:
        return self.client("codepipeline").put_approval_result(
            pipelineName=self.name,
            stageName=stage,
            actionName="Gate",
            token=token,
            result={"status": status, "summary": "why"},
        )


def until(look: Callable[[], Any], seconds: float, explain: Callable[[], str] = str) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {explain()}")


@pytest.fixture(scope="session")
def store(sandbox: SandboxProcess) -> str:
    sandbox.client("s3").create_bucket(Bucket=STORE)
    return STORE


@pytest.fixture
def world(sandbox: SandboxProcess, store: str) -> Iterator[World]:
    name = f"p{uuid.uuid4().hex[:8]}"
    world = World(sandbox, name)
    objects = f"arn:aws:s3:::{store}/*"
    iam = sandbox.client("iam")
    roles = {
        "pipeline": (
            trust(
                "codepipeline.amazonaws.com",
                ArnLike={"aws:SourceArn": f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:{name}"},
            ),
            allow(
                (["s3:GetObject", "s3:PutObject", "s3:GetObjectVersion"], objects),
                (
                    [
                        "codecommit:GetBranch",
                        "codecommit:GetCommit",
                        "codecommit:UploadArchive",
                        "codecommit:GetUploadArchiveStatus",
                    ],
                    f"arn:aws:codecommit:{REGION}:{ACCOUNT}:{name}",
                ),
                (
                    ["codebuild:StartBuild", "codebuild:BatchGetBuilds"],
                    f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/{name}",
                ),
                (["cloudformation:*"], f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}-*"),
                (["iam:PassRole"], f"arn:aws:iam::{ACCOUNT}:role/{name}-stack"),
            ),
        ),
        "build": (
            trust("codebuild.amazonaws.com"),
            allow(
                (
                    ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
                    f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/codebuild/{name}*",
                ),
                (["s3:GetObject", "s3:PutObject"], objects),
            ),
        ),
        "stack": (
            trust("cloudformation.amazonaws.com"),
            allow((["ssm:*"], f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{name}*")),
        ),
    }
    for kind, (document, policy) in roles.items():
        iam.create_role(RoleName=f"{name}-{kind}", AssumeRolePolicyDocument=document)
        iam.put_role_policy(RoleName=f"{name}-{kind}", PolicyName="policy", PolicyDocument=policy)
    sandbox.client("codecommit").create_repository(repositoryName=name)
    sandbox.client("codebuild").create_project(
        name=name,
        source={"type": "CODEPIPELINE"},
        artifacts={"type": "CODEPIPELINE"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=f"arn:aws:iam::{ACCOUNT}:role/{name}-build",
    )
    world.push(
        buildspec__yml=BUILDSPEC,
        version__txt="1",
        build__sh="""echo '{"Parameters": {"Value": "one"}}' >config.json""",
        template__yaml=TEMPLATE.replace("NAME", name),
    )
    yield world
    for execution in _listed(world):
        if execution["status"] == "InProgress":
            world.client("codepipeline").stop_pipeline_execution(
                pipelineName=name, pipelineExecutionId=execution["pipelineExecutionId"], abandon=True
            )


def _listed(world: World) -> list[dict[str, Any]]:
    pipelines = world.client("codepipeline").list_pipelines()["pipelines"]
    return world.executions() if world.name in [p["name"] for p in pipelines] else []
