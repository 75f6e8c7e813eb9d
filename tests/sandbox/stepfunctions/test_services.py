"""Functions, queues, topics and SageMaker jobs as tasks."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest

from tests.sandbox.messaging import zipped
from tests.sandbox.sagemaker.conftest import Room
from tests.sandbox.sagemaker.definitions import processing
from tests.sandbox.stepfunctions.machines import ACCOUNT, Machines, allow, role
from tests.sandbox_process import SandboxProcess

CODE = """
def handler(event, context):
    if event.get("bad"):
        raise KeyError("bad")
    return {"twice": event["n"] * 2}
"""
RULES = ["events:PutTargets", "events:PutRule", "events:DescribeRule"]


@pytest.fixture(scope="module")
def function(sandbox: SandboxProcess) -> str:
    name = f"sfn-{uuid.uuid4().hex[:8]}"
    client = sandbox.client("lambda")
    arn = client.create_function(
        FunctionName=name,
        Role=role(sandbox, "lambda.amazonaws.com", allow("logs:*")),
        Runtime="python3.12",
        Handler="index.handler",
        Code={"ZipFile": zipped(index=CODE)},
    )["FunctionArn"]
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    return str(arn)


def test_functions(sandbox: SandboxProcess, function: str) -> None:
    machines = Machines(sandbox, allow("lambda:InvokeFunction", function))
    invoke = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": function, "Payload.$": "$"},
        "OutputPath": "$.Payload",
        "End": True,
    }
    plain = {"Type": "Task", "Resource": function, "End": True}
    both = {
        "First": invoke | {"Next": "Second"},
        "Second": {"Type": "Pass", "Parameters": {"n.$": "$.twice"}},
    }
    both["First"].pop("End")
    both["Second"] |= {"Next": "Third"}
    both["Third"] = plain
    execution = machines.start(machines.make(both), {"n": 2})
    assert json.loads(machines.end(execution)["output"]) == {"twice": 8}
    assert [kind for kind in machines.types(execution) if kind.startswith("Lambda")] == [
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
    ]
    found = machines.run({"First": invoke}, {"bad": True})
    assert (found["status"], found["error"]) == ("FAILED", "KeyError")
    assert json.loads(found["cause"])["errorMessage"] == "'bad'"
    missing = {"First": invoke | {"Parameters": {"FunctionName": function + "x"}}}
    assert Machines(sandbox, allow("lambda:*")).run(missing)["error"] == "Lambda.ResourceNotFoundException"


def test_queues_and_topics(sandbox: SandboxProcess) -> None:
    name = f"sfn-{uuid.uuid4().hex[:8]}"
    sqs, sns = sandbox.client("sqs"), sandbox.client("sns")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    topic = sns.create_topic(Name=name)["TopicArn"]
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
    machines = Machines(sandbox, allow("sqs:SendMessage", queue), allow("sns:Publish", topic))
    body = {"token.$": "$$.Task.Token", "n.$": "$.n"}
    states = {
        "Tell": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sns:publish",
            "Parameters": {"TopicArn": topic, "Message": {"n.$": "$.n"}},
            "ResultPath": "$.told",
            "Next": "Ask",
        },
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"QueueUrl": url, "MessageBody": body},
            "End": True,
        },
    }
    execution = machines.start(machines.make(states), {"n": 1})
    [message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=15)["Messages"]
    asked = json.loads(message["Body"])
    machines.client.send_task_success(taskToken=asked["token"], output=json.dumps({"n": asked["n"] + 1}))
    assert json.loads(machines.end(execution)["output"]) == {"n": 2}
    published = machines.history(execution)[4]["taskSucceededEventDetails"]
    assert "MessageId" in json.loads(published["output"])


@pytest.fixture(scope="module")
def room(sandbox: SandboxProcess) -> Room:
    return Room(sandbox)


def _process(room: Room, script: str) -> dict[str, Any]:
    arguments = processing("job", room.role, script, room.bucket)["Arguments"]
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createProcessingJob.sync",
        "Parameters": arguments | {"ProcessingJobName.$": "$$.Execution.Name"},
        "End": True,
    }


def test_jobs_are_followed_and_stopped(sandbox: SandboxProcess, room: Room) -> None:
    jobs = ["CreateProcessingJob", "DescribeProcessingJob", "StopProcessingJob", "AddTags"]
    machines = Machines(
        sandbox,
        allow([f"sagemaker:{action}" for action in jobs]),
        allow("iam:PassRole", room.role),
        allow(RULES),
    )
    good = machines.start(machines.make({"Run": _process(room, "true")}), name=f"{room.name}-good")
    slow = machines.start(machines.make({"Run": _process(room, "sleep 60")}), name=f"{room.name}-slow")
    found = machines.end(good, 60)
    assert found["status"] == "SUCCEEDED", found.get("cause")
    output = json.loads(found["output"])
    assert (output["ProcessingJobStatus"], output["ProcessingJobName"]) == ("Completed", f"{room.name}-good")
    tags = room.sagemaker.list_tags(ResourceArn=output["ProcessingJobArn"])["Tags"]
    assert (
        {tag["Key"]: tag["Value"] for tag in tags}
        == output["Tags"]
        == {
            "MANAGED_BY_AWS": "STARTED_BY_STEP_FUNCTIONS",
            "AWS_STEP_FUNCTIONS_EXECUTION_ARN": good,
        }
    )
    same = _process(room, "true")
    same["Parameters"].pop("ProcessingJobName.$")
    same["Parameters"]["ProcessingJobName"] = f"{room.name}-good"
    assert machines.run({"Run": same})["error"] == "SageMaker.ResourceInUseException"
    deadline = time.monotonic() + 30
    while "TaskSubmitted" not in machines.types(slow):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    machines.client.stop_execution(executionArn=slow)
    assert room.job("Processing", f"{room.name}-slow")["ProcessingJobStatus"] == "Stopped"
