"""Step Functions, EventBridge, queues, topics and functions through boto3: started, waited for, delivered."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox_process import SandboxProcess
from tests.waiting import until

ACCOUNT, PREFIX = "123456789012", "clients-flow"
MACHINE = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:{PREFIX}"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def role(sandbox: SandboxProcess, name: str, service: str, *allowed: tuple[str, str]) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    iam = sandbox.client("iam")
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    may = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in allowed]
    iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=document(*may))
    return arn


@pytest.fixture(scope="module")
def queue(sandbox: SandboxProcess) -> tuple[str, str]:
    """URL and ARN of a queue that EventBridge and SNS may send to."""
    sqs = sandbox.client("sqs")
    url = sqs.create_queue(QueueName=PREFIX)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    services = {"Service": ["events.amazonaws.com", "sns.amazonaws.com"]}
    let = {"Effect": "Allow", "Principal": services, "Action": "sqs:SendMessage", "Resource": arn}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(let)})
    return url, arn


@pytest.fixture(scope="module")
def machine(sandbox: SandboxProcess, queue: tuple[str, str]) -> str:
    url, arn = queue
    acts = role(sandbox, f"{PREFIX}-states", "states.amazonaws.com", ("sqs:SendMessage", arn))
    states = {
        "Known": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.name", "IsPresent": True, "Next": "Tell"}],
            "Default": "Unknown",
        },
        "Tell": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Parameters": {"QueueUrl": url, "MessageBody.$": "States.Format('hello {}', $.name)"},
            "ResultPath": "$.sent",
            "Next": "Rest",
        },
        "Rest": {"Type": "Wait", "Seconds": 1, "Next": "Done"},
        "Done": {"Type": "Succeed"},
        "Unknown": {"Type": "Fail", "Error": "Nobody", "Cause": "there is no name"},
    }
    definition = json.dumps({"StartAt": "Known", "States": states})
    made = sandbox.client("stepfunctions").create_state_machine(
        name=PREFIX, definition=definition, roleArn=acts
    )
    assert made["stateMachineArn"] == MACHINE
    return MACHINE


def received(sandbox: SandboxProcess, url: str, wanted: str) -> str:
    sqs = sandbox.client("sqs")

    def look() -> str | None:
        for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5).get("Messages", []):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            if wanted in message["Body"]:
                return str(message["Body"])
        return None

    return until(look, 40)


def ended(sandbox: SandboxProcess, execution: str) -> dict[str, Any]:
    states = sandbox.client("stepfunctions")

    def look() -> dict[str, Any] | None:
        answer: dict[str, Any] = states.describe_execution(executionArn=execution)
        return None if answer["status"] == "RUNNING" else answer

    return until(look, 40)


def test_a_state_machine_and_its_history(
    sandbox: SandboxProcess, machine: str, queue: tuple[str, str]
) -> None:
    states = sandbox.client("stepfunctions")
    started = states.start_execution(stateMachineArn=machine, name="one", input=json.dumps({"name": "Ada"}))
    assert ended(sandbox, started["executionArn"])["status"] == "SUCCEEDED"
    assert received(sandbox, queue[0], "hello Ada")
    pages = states.get_paginator("get_execution_history").paginate(
        executionArn=started["executionArn"], PaginationConfig={"PageSize": 3}
    )
    types = [event["type"] for page in pages for event in page["events"]]
    assert types[0] == "ExecutionStarted" and types[-1] == "ExecutionSucceeded"
    for kind in (
        "ChoiceStateEntered",
        "TaskScheduled",
        "TaskSucceeded",
        "WaitStateExited",
        "SucceedStateExited",
    ):
        assert kind in types
    failed = ended(sandbox, states.start_execution(stateMachineArn=machine)["executionArn"])
    assert (failed["status"], failed["error"], failed["cause"]) == ("FAILED", "Nobody", "there is no name")
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        states.start_execution(stateMachineArn=machine, name="one", input="{}")


def test_a_rule_starts_a_machine_and_fills_a_queue(
    sandbox: SandboxProcess, machine: str, queue: tuple[str, str]
) -> None:
    events = sandbox.client("events")
    starts = role(sandbox, f"{PREFIX}-events", "events.amazonaws.com", ("states:StartExecution", machine))
    pattern = json.dumps({"source": ["clients.test"], "detail": {"who": [{"prefix": "Gr"}]}})
    events.put_rule(Name=PREFIX, EventPattern=pattern)
    path = {"InputPathsMap": {"who": "$.detail.who"}, "InputTemplate": '{"name": <who>}'}
    targets = [
        {"Id": "machine", "Arn": machine, "RoleArn": starts, "InputTransformer": path},
        {"Id": "queue", "Arn": queue[1]},
    ]
    assert events.put_targets(Rule=PREFIX, Targets=targets)["FailedEntryCount"] == 0
    entries = [
        {"Source": "clients.test", "DetailType": "Seen", "Detail": json.dumps({"who": who})}
        for who in ("Grace", "Alan")
    ]
    assert events.put_events(Entries=entries)["FailedEntryCount"] == 0
    bodies = {received(sandbox, queue[0], "Grace") for _ in range(2)}
    assert "hello Grace" in bodies
    told = json.loads(next(body for body in bodies if body != "hello Grace"))
    assert told["detail-type"] == "Seen" and told["detail"] == {"who": "Grace"}
    listed = sandbox.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    inputs = [item["name"] for item in listed]
    assert len(inputs) == len(set(inputs))


def test_a_topic_a_queue_and_a_function(sandbox: SandboxProcess, queue: tuple[str, str]) -> None:
    sns, functions = sandbox.client("sns"), sandbox.client("lambda")
    topic = sns.create_topic(Name=PREFIX)["TopicArn"]
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=queue[1], Attributes={"RawMessageDelivery": "true"}
    )
    sns.publish(TopicArn=topic, Message="to all")
    assert received(sandbox, queue[0], "to all") == "to all"
    acts = role(sandbox, f"{PREFIX}-lambda", "lambda.amazonaws.com", ("logs:*", "*"))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("main.py", "def handler(event, context):\n    return {'twice': event['n'] * 2}\n")
    functions.create_function(
        FunctionName=PREFIX,
        Runtime="python3.11",
        Role=acts,
        Handler="main.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=PREFIX)
    answer = functions.invoke(FunctionName=PREFIX, Payload=b'{"n": 21}')
    assert json.loads(answer["Payload"].read()) == {"twice": 42}
