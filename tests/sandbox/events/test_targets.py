"""Rules of buses of one's own, and the targets that decide by their own policies."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.messaging import ACCOUNT, Queue, allow, arn, make_role
from tests.sandbox_process import SandboxProcess


def emit(sandbox: SandboxProcess, bus: str, number: int) -> None:
    entry = {
        "Source": "my.app",
        "DetailType": "made",
        "Detail": json.dumps({"n": number}),
        "EventBusName": bus,
    }
    assert sandbox.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def until(look: Callable[[], Any]) -> Any:
    """What CloudWatch Logs shows, which nobody can wait for."""
    deadline = time.monotonic() + 15
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def test_targets_get_the_event_as_their_policies_allow(sandbox: SandboxProcess) -> None:
    events, logs = sandbox.client("events"), sandbox.client("logs")
    bus = events.create_event_bus(Name="ev-own", Tags=[{"Key": "team", "Value": "a"}])["EventBusArn"]
    rule = events.put_rule(Name="ev-all", EventBusName="ev-own", EventPattern='{"source": ["my.app"]}')
    rule_arn = rule["RuleArn"]
    assert rule_arn == arn("events", "rule/ev-own/ev-all")
    queue = Queue(sandbox, "ev-queue").open_to("events.amazonaws.com", rule_arn)
    letters = Queue(sandbox, "ev-letters").open_to("events.amazonaws.com", rule_arn)
    closed = Queue(sandbox, "ev-closed")
    topic = sandbox.client("sns").create_topic(Name="ev-topic")["TopicArn"]
    group = arn("logs", "log-group:/aws/events/ev")
    logs.create_log_group(logGroupName="/aws/events/ev")
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    policy = allow(actions, f"{group}:*", "events.amazonaws.com", rule_arn)
    logs.put_resource_policy(policyName="ev", policyDocument=policy)
    transformer = {"InputPathsMap": {"n": "$.detail.n"}, "InputTemplate": '"n is <n>"'}
    targets = [
        {"Id": "queue", "Arn": queue.arn, "InputTransformer": transformer},
        {"Id": "closed", "Arn": closed.arn, "DeadLetterConfig": {"Arn": letters.arn}},
        {"Id": "topic", "Arn": topic, "DeadLetterConfig": {"Arn": letters.arn}},
        {"Id": "logs", "Arn": group},
    ]
    events.put_targets(Rule="ev-all", EventBusName="ev-own", Targets=targets)
    emit(sandbox, bus, 1)
    assert queue.take() == ['"n is 1"']
    dead = [letters.receive(MessageAttributeNames=["All"])[0]["MessageAttributes"] for _ in range(2)]
    assert {one["TARGET_ARN"]["StringValue"] for one in dead} == {closed.arn, topic}
    assert {one["RULE_ARN"]["StringValue"] for one in dead} == {rule_arn}
    [stream] = until(lambda: logs.describe_log_streams(logGroupName="/aws/events/ev")["logStreams"])
    names = {"logGroupName": "/aws/events/ev", "logStreamName": stream["logStreamName"]}
    [line] = until(lambda: logs.get_log_events(**names)["events"])
    assert json.loads(line["message"])["detail"] == {"n": 1}
    assert events.list_rules()["Rules"] == [
        one for one in events.list_rules()["Rules"] if one["EventBusName"] == "default"
    ]
    with pytest.raises(ClientError, match="it has rules"):
        events.delete_event_bus(Name="ev-own")


def test_a_bus_is_a_target_of_another(sandbox: SandboxProcess) -> None:
    events = sandbox.client("events")
    bus = events.create_event_bus(Name="ev-next")["EventBusArn"]
    role = make_role(sandbox, "ev-next", ["events:PutEvents"], "events.amazonaws.com")
    rule = events.put_rule(Name="ev-onward", EventPattern='{"source": ["my.app"], "detail": {"n": [7]}}')
    with pytest.raises(ClientError, match="RoleArn is required for target"):
        events.put_targets(Rule="ev-onward", Targets=[{"Id": "bus", "Arn": bus}])
    events.put_targets(Rule="ev-onward", Targets=[{"Id": "bus", "Arn": bus, "RoleArn": role}])
    pattern = '{"source": ["my.app"]}'
    rule = events.put_rule(Name="ev-arrived", EventBusName=bus, EventPattern=pattern)["RuleArn"]
    queue = Queue(sandbox, "ev-arrived").open_to("events.amazonaws.com", rule)
    events.put_targets(Rule="ev-arrived", EventBusName=bus, Targets=[{"Id": "q", "Arn": queue.arn}])
    emit(sandbox, "default", 7)
    assert json.loads(queue.take()[0])["detail"] == {"n": 7}


def test_a_bus_has_a_policy(sandbox: SandboxProcess) -> None:
    events = sandbox.client("events")
    events.create_event_bus(Name="ev-policy")
    names = {"EventBusName": "ev-policy", "StatementId": "s"}
    events.put_permission(**names, Action="events:PutEvents", Principal=ACCOUNT)
    policy = json.loads(events.describe_event_bus(Name="ev-policy")["Policy"])
    assert policy["Statement"][0]["Resource"] == arn("events", "event-bus/ev-policy")
    events.remove_permission(**names)
    assert "Policy" not in events.describe_event_bus(Name="ev-policy")
    with pytest.raises(ClientError, match="supported only on the default event bus"):
        events.put_rule(Name="ev-late", EventBusName="ev-policy", ScheduleExpression="rate(1 day)")
    events.delete_event_bus(Name="ev-policy")
