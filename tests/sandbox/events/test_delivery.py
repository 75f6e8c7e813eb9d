"""Rules through the API, and events on their way to builds."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox_process import SandboxProcess

ACCOUNT = "123456789012"
SPEC = "version: 0.2\nphases:\n  build:\n    commands: ['echo word=$WORD']\n"


def trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Target:
    """A build project and a role that may start it: what an event reaches is seen in its list of builds."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        self.name = f"e{uuid.uuid4().hex[:8]}"
        self.events = sandbox.client("events")
        self.builds = sandbox.client("codebuild")
        self.arn = f"arn:aws:codebuild:us-east-1:{ACCOUNT}:project/{self.name}"
        iam = sandbox.client("iam")
        logs = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
        start = {"Effect": "Allow", "Action": "codebuild:StartBuild", "Resource": self.arn}
        for role, service, statement in (("build", "codebuild", logs), ("rule", "events", start)):
            name = f"{self.name}-{role}"
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(f"{service}.amazonaws.com"))
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=policy)
        self.role = f"arn:aws:iam::{ACCOUNT}:role/{self.name}-rule"
        self.builds.create_project(
            name=self.name,
            source={"type": "NO_SOURCE", "buildspec": SPEC},
            artifacts={"type": "NO_ARTIFACTS"},
            environment={
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/standard:7.0",
                "computeType": "BUILD_GENERAL1_SMALL",
            },
            serviceRole=f"arn:aws:iam::{ACCOUNT}:role/{self.name}-build",
        )

    def rule(
        self, pattern: dict[str, Any] | None = None, target: dict[str, Any] | None = None, **members: Any
    ) -> None:
        if pattern is not None:
            members["EventPattern"] = json.dumps(pattern)
        self.events.put_rule(Name=self.name, **members)
        self.events.put_targets(
            Rule=self.name, Targets=[{"Id": "build", "Arn": self.arn, "RoleArn": self.role} | (target or {})]
        )

    def send(self, **detail: Any) -> None:
        entry = {"Source": f"test.{self.name}", "DetailType": "Happened", "Detail": json.dumps(detail)}
        answer = self.events.put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0

    def started(self, count: int, seconds: float = 20) -> list[dict[str, Any]]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            ids = self.builds.list_builds_for_project(projectName=self.name, sortOrder="ASCENDING")["ids"]
            if len(ids) >= count:
                return list(self.builds.batch_get_builds(ids=ids)["builds"])
            time.sleep(0.05)
        raise AssertionError(f"{len(ids)} of {count} builds were started")


@pytest.fixture
def target(sandbox: SandboxProcess) -> Iterator[Target]:
    target = Target(sandbox)
    yield target
    if target.name in [rule["Name"] for rule in target.events.list_rules(NamePrefix=target.name)["Rules"]]:
        target.events.disable_rule(Name=target.name)


def test_an_event_reaches_its_target_once(target: Target) -> None:
    transformer = {
        "InputPathsMap": {"word": "$.detail.word"},
        "InputTemplate": '{"environmentVariablesOverride": [{"name": "WORD", "value": "<word>"}]}',
    }
    target.rule(
        {"source": [f"test.{target.name}"], "detail": {"level": [{"numeric": [">", 2]}]}},
        {"InputTransformer": transformer},
    )
    target.send(level=1, word="low")
    target.send(level=3, word="high")
    [build] = target.started(1)
    assert {"name": "WORD", "value": "high", "type": "PLAINTEXT"} in build["environment"][
        "environmentVariables"
    ]
    assert build["initiator"].startswith(f"{target.name}-rule/")
    target.send(level=4, word="higher")
    assert len(target.started(2)) == 2


def test_a_disabled_rule_is_silent_and_an_enabled_one_speaks(target: Target) -> None:
    target.rule({"source": [f"test.{target.name}"]}, State="DISABLED")
    target.send(n=1)
    target.events.enable_rule(Name=target.name)
    target.send(n=2)
    time.sleep(0.5)
    assert len(target.started(1)) == 1


def test_a_schedule_fires_again_and_again(target: Target) -> None:
    # The clock of these tests passes 600 times faster: an hour in six seconds.
    target.rule(ScheduleExpression="rate(10 minutes)")
    assert len(target.started(3, 15)) >= 3
    target.events.disable_rule(Name=target.name)


def test_a_delivery_that_is_denied_is_not_retried_and_is_kept(target: Target) -> None:
    target.sandbox.client("iam").delete_role_policy(RoleName=f"{target.name}-rule", PolicyName="policy")
    target.rule({"source": [f"test.{target.name}"]})
    target.send(n=1)
    log = target.sandbox.state / "sandbox.log"
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and target.name not in log.read_text():
        time.sleep(0.05)
    [line] = [line for line in log.read_text().splitlines() if f"rule {target.name}" in line]
    assert "not delivered" in line
    assert "is not authorized to perform: codebuild:StartBuild" in line


def test_rules_are_listed_and_deleted_in_order(target: Target) -> None:
    target.rule({"source": ["x"]}, Description="of tests", Tags=[{"Key": "team", "Value": "a"}])
    events = target.events
    arn = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/{target.name}"
    described = events.describe_rule(Name=target.name)
    assert (described["Arn"], described["State"], described["EventBusName"]) == (arn, "ENABLED", "default")
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "team", "Value": "a"}]
    assert events.list_rule_names_by_target(TargetArn=target.arn)["RuleNames"] == [target.name]
    assert events.list_targets_by_rule(Rule=target.name)["Targets"] == [
        {"Id": "build", "Arn": target.arn, "RoleArn": target.role}
    ]
    with pytest.raises(ClientError, match="Rule can't be deleted since it has targets"):
        events.delete_rule(Name=target.name)
    assert events.remove_targets(Rule=target.name, Ids=["build", "none"])["FailedEntryCount"] == 1
    events.delete_rule(Name=target.name)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        events.describe_rule(Name=target.name)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: t.events.put_rule(Name="r"), "EventPattern or ScheduleExpression must be specified"),
        (lambda t: t.events.put_rule(Name="r", EventPattern='{"a": 1}'), "InvalidEventPatternException"),
        (
            lambda t: t.events.put_rule(Name="r", ScheduleExpression="rate(x)"),
            "ScheduleExpression is not valid",
        ),
        (
            lambda t: t.events.put_rule(Name="r", EventPattern='{"a": [1]}', EventBusName="other"),
            "Event bus other does not exist",
        ),
        (
            lambda t: t.rule({"a": [1]}, {"Arn": f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/s"}),
            "target type kinesis is not implemented",
        ),
        (
            lambda t: t.rule({"a": [1]}, {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{t.name}-build"}),
            "cannot be assumed by principal 'events.amazonaws.com'",
        ),
        (
            lambda t: t.rule({"a": [1]}, {"DeadLetterConfig": {"Arn": f"arn:aws:sns:us-east-1:{ACCOUNT}:q"}}),
            "it must be an SQS queue",
        ),
        (
            lambda t: t.events.put_targets(Rule="none", Targets=[{"Id": "a", "Arn": t.arn}]),
            "Rule none does not exist on EventBus default",
        ),
        (lambda t: t.events.create_event_bus(Name="default"), "ResourceAlreadyExistsException"),
        (
            lambda t: t.events.create_archive(ArchiveName="a", EventSourceArn=t.arn),
            "does not implement events CreateArchive",
        ),
    ],
)
def test_refusals(target: Target, call: Callable[[Target], Any], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        call(target)


def test_events_of_aws_cannot_be_forged(target: Target) -> None:
    entries = [
        {"Source": "aws.codecommit", "DetailType": "x", "Detail": "{}"},
        {"Source": "mine", "DetailType": "x", "Detail": "no json"},
        {"Source": "mine", "DetailType": "x", "Detail": "{}"},
    ]
    answer = target.events.put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 2
    assert [e.get("ErrorCode") for e in answer["Entries"]] == [
        "NotAuthorizedForSourceException",
        "MalformedDetail",
        None,
    ]


def test_patterns_can_be_tested(target: Target) -> None:
    event = {
        "id": "1",
        "account": "1",
        "source": "a",
        "time": "2024-01-01T00:00:00Z",
        "region": "r",
        "resources": [],
        "detail-type": "t",
        "detail": {},
    }
    assert target.events.test_event_pattern(EventPattern='{"source": ["a"]}', Event=json.dumps(event))[
        "Result"
    ]
    with pytest.raises(ClientError, match="mandatory fields"):
        target.events.test_event_pattern(EventPattern='{"source": ["a"]}', Event="{}")


def test_an_event_survives_a_kill(target: Target) -> None:
    target.rule({"source": [f"test.{target.name}"]})
    target.send(n=1)
    target.sandbox.kill()
    target.sandbox.start_again()
    assert len(target.started(1)) == 1
