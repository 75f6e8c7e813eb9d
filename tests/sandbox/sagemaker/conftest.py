"""A role that SageMaker may assume, a bucket, and waiting for what they run."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox_process import SandboxProcess

PATIENCE = 90.0
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def allow(*actions: str, resource: Any = "*") -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Room:
    """One test module's corner of an account: `role`, `bucket`, clients as the account's root."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        self.name = f"t{uuid.uuid4().hex[:8]}"
        self.bucket = f"{self.name}-data"
        self.sagemaker = sandbox.client("sagemaker")
        self.s3 = sandbox.client("s3")
        self.iam = sandbox.client("iam")
        self.logs = sandbox.client("logs")
        self.s3.create_bucket(Bucket=self.bucket)
        self.role = self.make_role("role", "s3:*", "sagemaker:*", "logs:*", "ecr:*", "iam:PassRole")

    def make_role(self, name: str, *actions: str) -> str:
        name = f"{self.name}-{name}"
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        if actions:
            self.iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=allow(*actions))
        return str(arn)

    def put(self, key: str, body: str | bytes = "x") -> str:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def text(self, uri: str) -> str:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return str(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())

    def create_pipeline(self, name: str, definition: str, role: str | None = None) -> str:
        answer = self.sagemaker.create_pipeline(
            PipelineName=f"{self.name}-{name}", PipelineDefinition=definition, RoleArn=role or self.role
        )
        return str(answer["PipelineArn"])

    def start(self, name: str, **request: Any) -> str:
        parameters = [{"Name": key, "Value": value} for key, value in request.pop("parameters", {}).items()]
        answer = self.sagemaker.start_pipeline_execution(
            PipelineName=f"{self.name}-{name}", PipelineParameters=parameters, **request
        )
        return str(answer["PipelineExecutionArn"])

    def ended(self, execution: str) -> dict[str, Any]:
        """The execution once it has ended."""
        return self.until(
            lambda: self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution),
            lambda answer: answer["PipelineExecutionStatus"] in ("Succeeded", "Failed", "Stopped"),
        )

    def run(self, name: str, definition: str, role: str | None = None, **request: Any) -> dict[str, Any]:
        """Creates a pipeline and runs it to its end."""
        self.create_pipeline(name, definition, role)
        return self.ended(self.start(name, **request))

    def steps(self, execution: str) -> dict[str, dict[str, Any]]:
        answer = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution, MaxResults=100)
        return {step["StepName"]: step for step in answer["PipelineExecutionSteps"]}

    def job(self, kind: str, name: str) -> dict[str, Any]:
        """A `Processing` or `Training` job once it has ended."""
        describe = getattr(self.sagemaker, f"describe_{kind.lower()}_job")
        return self.until(
            lambda: describe(**{f"{kind}JobName": name}),
            lambda answer: answer[f"{kind}JobStatus"] in ("Completed", "Failed", "Stopped"),
        )

    def log(self, kind: str, name: str) -> list[str]:
        group = f"/aws/sagemaker/{kind}Jobs"
        streams = self.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/algo-1-")
        events = self.logs.get_log_events(
            logGroupName=group, logStreamName=streams["logStreams"][0]["logStreamName"], startFromHead=True
        )
        return [event["message"] for event in events["events"]]

    @staticmethod
    def until(ask: Any, done: Any) -> Any:
        end = time.monotonic() + PATIENCE
        while True:
            answer = ask()
            if done(answer):
                return answer
            assert time.monotonic() < end, f"still waiting: {answer}"
            time.sleep(0.02)


@pytest.fixture(scope="module")
def room(sandbox: SandboxProcess) -> Iterator[Room]:
    yield Room(sandbox)
