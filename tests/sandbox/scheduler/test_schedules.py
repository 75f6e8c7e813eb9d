"""Schedules through the API, and what they start."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.stepfunctions.machines import ACCOUNT, Machines, allow, policy, role
from tests.sandbox_process import SandboxProcess

OFF = {"Mode": "OFF"}


class Schedules:
    """Schedules in a group of this test's own; deleted at its end."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        self.client = sandbox.client("scheduler")
        self.group = f"g{uuid.uuid4().hex[:8]}"
        self.client.create_schedule_group(Name=self.group, Tags=[{"Key": "team", "Value": "a"}])
        self.group_arn = f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule-group/{self.group}"

    def make(self, name: str, expression: str, target: dict[str, Any], **more: Any) -> str:
        request = {"FlexibleTimeWindow": OFF, **more}
        return str(
            self.client.create_schedule(
                Name=name, GroupName=self.group, ScheduleExpression=expression, Target=target, **request
            )["ScheduleArn"]
        )


@pytest.fixture
def schedules(sandbox: SandboxProcess) -> Iterator[Schedules]:
    made = Schedules(sandbox)
    yield made
    made.client.delete_schedule_group(Name=made.group)


@pytest.fixture(scope="module")
def machines(sandbox: SandboxProcess) -> Machines:
    return Machines(sandbox)


def eventually(look: Callable[[], Any], seconds: float = 20) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.03)
    raise AssertionError("it did not happen in time")


def at(seconds: float) -> str:
    return f"at({datetime.now(UTC) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S})"


def test_a_rate_starts_executions_under_its_role(schedules: Schedules, machines: Machines) -> None:
    machine = machines.make({"Say": {"Type": "Pass", "End": True}})
    starter = role(schedules.sandbox, "scheduler.amazonaws.com", allow("states:StartExecution", machine))
    text = '{"arn": "<aws.scheduler.schedule-arn>", "time": "<aws.scheduler.scheduled-time>"}'
    target = {"Arn": machine, "RoleArn": starter, "Input": text}
    arn = schedules.make("often", "rate(10 minutes)", target)

    def three() -> list[dict[str, Any]]:
        found = machines.client.list_executions(stateMachineArn=machine)["executions"]
        return found if len(found) >= 3 else []

    executions = eventually(three)
    inputs = [
        json.loads(machines.client.describe_execution(executionArn=item["executionArn"])["input"])
        for item in executions
    ]
    times = sorted(datetime.fromisoformat(item["time"]) for item in inputs)
    assert {item["arn"] for item in inputs} == {arn}
    assert times[1] - times[0] == times[2] - times[1] == timedelta(minutes=10)


def test_a_schedule_that_is_over_is_deleted_where_it_says_so(schedules: Schedules) -> None:
    name = f"/scheduled/{uuid.uuid4().hex}"
    writer = role(schedules.sandbox, "scheduler.amazonaws.com", allow("ssm:PutParameter"))
    target = {
        "Arn": "arn:aws:scheduler:::aws-sdk:ssm:putParameter",
        "RoleArn": writer,
        "Input": json.dumps({"Name": name, "Value": "1", "Type": "String"}),
    }
    schedules.make("once", at(300), target, ActionAfterCompletion="DELETE")
    schedules.make("kept", at(300), target | {"Input": target["Input"].replace(name, name + "k")})
    names = [name, name + "k"]
    ssm = schedules.sandbox.client("ssm")
    eventually(lambda: len(ssm.get_parameters(Names=names)["Parameters"]) == 2)
    assert [
        item["Name"] for item in schedules.client.list_schedules(GroupName=schedules.group)["Schedules"]
    ] == ["kept"]


def test_a_target_that_refuses_is_not_retried_but_buried(schedules: Schedules, machines: Machines) -> None:
    machine = machines.make({"Say": {"Type": "Pass", "End": True}})
    sqs, name = schedules.sandbox.client("sqs"), f"dead-{uuid.uuid4().hex[:8]}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
    writer = role(schedules.sandbox, "scheduler.amazonaws.com", allow("sqs:SendMessage", queue))
    target = {"Arn": machine, "RoleArn": writer, "Input": '{"n": 1}', "DeadLetterConfig": {"Arn": queue}}
    arn = schedules.make("denied", at(60), target)
    plain = schedules.make("queue", at(60), {"Arn": queue, "RoleArn": writer, "Input": "hello"})
    received: dict[str, dict[str, Any]] = {}

    def both() -> bool:
        found = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2, MessageAttributeNames=["All"])
        received.update({item["Body"]: item for item in found.get("Messages", [])})
        return len(received) == 2

    eventually(both)
    assert plain and received.keys() == {"hello", '{"n": 1}'}
    told = {key: item["StringValue"] for key, item in received['{"n": 1}']["MessageAttributes"].items()}
    assert (told["SCHEDULE_ARN"], told["TARGET_ARN"], told["RETRY_ATTEMPTS"]) == (arn, machine, "0")
    assert told["ERROR_CODE"] == "AccessDeniedException"
    assert "is not authorized to perform: states:StartExecution" in told["ERROR_MESSAGE"]


def test_the_role_has_to_trust_the_scheduler_for_the_group(schedules: Schedules, machines: Machines) -> None:
    machine = machines.make({"Say": {"Type": "Pass", "End": True}})
    name = f"sfn-{uuid.uuid4().hex[:8]}"
    iam = schedules.sandbox.client("iam")

    def trust(group: str) -> str:
        source = {"ArnEquals": {"aws:SourceArn": group}, "StringEquals": {"aws:SourceAccount": ACCOUNT}}
        return policy(
            {
                "Effect": "Allow",
                "Principal": {"Service": "scheduler.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": source,
            }
        )

    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(schedules.group_arn + "x"))
    target = {"Arn": machine, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{name}"}
    with pytest.raises(ClientError, match="must allow AWS EventBridge Scheduler to assume the role"):
        schedules.make("mine", "rate(1 days)", target)
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust(schedules.group_arn))
    schedules.make("mine", "rate(1 days)", target, State="DISABLED")
    with pytest.raises(ClientError, match="Schedule mine already exists"):
        schedules.make("mine", "rate(1 days)", target)


def test_a_schedule_is_replaced_by_its_update(schedules: Schedules, machines: Machines) -> None:
    machine = machines.make({"Say": {"Type": "Pass", "End": True}})
    starter = role(schedules.sandbox, "scheduler.amazonaws.com")
    target = {"Arn": machine, "RoleArn": starter, "RetryPolicy": {"MaximumRetryAttempts": 0}}
    zone = "Europe/Berlin"
    schedules.make(
        "daily",
        "cron(0 8 * * ? *)",
        target,
        Description="d",
        ScheduleExpressionTimezone=zone,
        State="DISABLED",
    )
    names = {"Name": "daily", "GroupName": schedules.group}
    found = schedules.client.get_schedule(**names)
    assert (found["State"], found["ScheduleExpressionTimezone"]) == ("DISABLED", zone)
    assert found["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 0}
    window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5}
    schedules.client.update_schedule(
        **names, ScheduleExpression="cron(0 9 * * ? *)", Target=target, FlexibleTimeWindow=window
    )
    found = schedules.client.get_schedule(**names)
    assert (found["State"], found.get("Description"), found["FlexibleTimeWindow"]) == (
        "ENABLED",
        None,
        window,
    )
    schedules.client.delete_schedule(**names)
    with pytest.raises(ClientError, match="Schedule daily does not exist"):
        schedules.client.get_schedule(**names)


@pytest.mark.parametrize(
    ("expression", "arn", "message"),
    [
        ("rate(0 minutes)", None, "Invalid Schedule Expression"),
        ("daily", None, "Invalid Schedule Expression"),
        ("rate(1 hour)", "arn:aws:scheduler:::aws-sdk:ssm:getParameter", "only reads"),
        ("rate(1 hour)", "arn:aws:scheduler:::aws-sdk:ssm:fooBar", "does not identify a valid API"),
        ("rate(1 hour)", "arn:aws:ecs:us-east-1:123456789012:cluster/c", "is not implemented in the sandbox"),
    ],
)
def test_what_can_never_run_is_refused(
    schedules: Schedules, expression: str, arn: str | None, message: str
) -> None:
    target = {
        "Arn": arn or f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:m",
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/r",
    }
    with pytest.raises(ClientError, match=message) as refused:
        schedules.make("bad", expression, target)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_groups_are_tagged(schedules: Schedules) -> None:
    client, arn = schedules.client, schedules.group_arn
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "c"}])
    client.untag_resource(ResourceArn=arn, TagKeys=["team"])
    assert client.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "c"}]
    groups = [item["Name"] for item in client.list_schedule_groups()["ScheduleGroups"]]
    assert {"default", schedules.group} <= set(groups)
