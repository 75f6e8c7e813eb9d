"""An alarm tells topics of its own account without further ado, and of whose policy forbids it, nobody."""

from __future__ import annotations

import json

from tests.sandbox.messaging import Queue
from tests.sandbox_process import SandboxProcess


def test_an_alarm_tells_a_topic(sandbox: SandboxProcess) -> None:
    cloudwatch, sns = sandbox.client("cloudwatch"), sandbox.client("sns")
    topic = sns.create_topic(Name="alarm-actions")["TopicArn"]
    queue = Queue(sandbox, "alarm-actions").open_to("sns.amazonaws.com", topic)
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes=raw)
    cloudwatch.put_metric_alarm(
        AlarmName="alarm-actions",
        Namespace="Tests/Actions",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="ignore",  # or an evaluation between the two would set its own state
        AlarmActions=[topic],
    )
    for state in ("OK", "ALARM"):
        cloudwatch.set_alarm_state(AlarmName="alarm-actions", StateValue=state, StateReason="a test")
    message = json.loads(queue.take()[0])
    assert (message["AlarmName"], message["NewStateValue"], message["OldStateValue"]) == (
        "alarm-actions",
        "ALARM",
        "OK",
    )
    assert message["Region"] == "US East (N. Virginia)"
    assert message["Trigger"]["MetricName"] == "Errors"
    cloudwatch.disable_alarm_actions(AlarmNames=["alarm-actions"])
    for state in ("OK", "ALARM"):
        cloudwatch.set_alarm_state(AlarmName="alarm-actions", StateValue=state, StateReason="silent")
    sns.publish(TopicArn=topic, Message="after")
    assert queue.take() == ["after"]
