"""Metrics and alarms through the door."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox_process import SandboxProcess

PATIENCE = 20.0


@pytest.fixture(scope="module")
def cloudwatch(sandbox: SandboxProcess) -> Any:
    return sandbox.client("cloudwatch")


@pytest.fixture
def namespace() -> str:
    return f"Test/{uuid.uuid4().hex[:8]}"


def put_alarm(cloudwatch: Any, namespace: str, **members: Any) -> str:
    name = namespace.replace("/", "-")
    request = {
        "AlarmName": name,
        "Namespace": namespace,
        "MetricName": "errors",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 2.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    cloudwatch.put_metric_alarm(**request | members)
    return name


def state(cloudwatch: Any, name: str) -> str:
    return str(cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"])


def becomes(cloudwatch: Any, name: str, wanted: str) -> bool:
    end = time.monotonic() + PATIENCE
    while (found := state(cloudwatch, name)) != wanted:
        assert time.monotonic() < end, f"{name} is {found}, not {wanted}"
        time.sleep(0.02)
    return True


def put(cloudwatch: Any, namespace: str, *values: float, **members: Any) -> None:
    data = [{"MetricName": "errors", "Value": value, **members} for value in values]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)


def test_statistics_of_what_was_put(cloudwatch: Any, namespace: str) -> None:
    put(cloudwatch, namespace, 1.0, 2.0, 6.0, Unit="Count")
    now = datetime.now(UTC)
    answer = cloudwatch.get_metric_statistics(
        Namespace=namespace,
        MetricName="errors",
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=86400,
        Statistics=["Sum", "SampleCount"],
    )
    totals = {"Sum": 0.0, "SampleCount": 0.0}
    for point in answer["Datapoints"]:
        assert point["Unit"] == "Count"
        for name in totals:
            totals[name] += point[name]
    assert totals == {"Sum": 9.0, "SampleCount": 3.0}


def test_metric_data_queries(cloudwatch: Any, namespace: str) -> None:
    put(cloudwatch, namespace, *range(1, 101))
    now = datetime.now(UTC)

    def ask(**query: Any) -> Any:
        return cloudwatch.get_metric_data(
            MetricDataQueries=[{"Id": "q", **query}],
            StartTime=now - timedelta(days=1),
            EndTime=now + timedelta(days=1),
        )["MetricDataResults"]

    metric = {"Namespace": namespace, "MetricName": "errors"}
    statistic = {"Metric": metric, "Period": 86400 * 7, "Stat": "p90"}
    assert ask(MetricStat=statistic)[0]["Values"] == [90.0]
    with pytest.raises(ClientError) as error:
        ask(Expression="SUM(METRICS())")
    assert "Expression" in str(error.value)


def test_metrics_are_listed_by_dimension(cloudwatch: Any, namespace: str) -> None:
    for value in "ab":
        put(cloudwatch, namespace, 1.0, Dimensions=[{"Name": "Side", "Value": value}])
    wanted = [{"Name": "Side", "Value": "b"}]
    metrics = cloudwatch.list_metrics(Namespace=namespace, Dimensions=wanted)["Metrics"]
    assert metrics == [{"Namespace": namespace, "MetricName": "errors", "Dimensions": wanted}]


def test_namespaces_of_aws_are_reserved(cloudwatch: Any) -> None:
    with pytest.raises(ClientError) as error:
        put(cloudwatch, "AWS/SageMaker", 1.0)
    assert error.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_an_alarm_goes_off_and_comes_back(cloudwatch: Any, namespace: str) -> None:
    name = put_alarm(cloudwatch, namespace, TreatMissingData="notBreaching")
    assert becomes(cloudwatch, name, "OK")
    put(cloudwatch, namespace, 3.0)
    assert becomes(cloudwatch, name, "ALARM")
    alarm = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    assert alarm["StateReason"] == (
        "Threshold Crossed: 1 datapoint [3] was greater than the threshold (2.0)."
    )
    assert becomes(cloudwatch, name, "OK")


def test_missing_data_are_insufficient(cloudwatch: Any, namespace: str) -> None:
    name = put_alarm(cloudwatch, namespace)
    put(cloudwatch, namespace, 1.0)
    assert becomes(cloudwatch, name, "OK")
    assert becomes(cloudwatch, name, "INSUFFICIENT_DATA")


def test_states_can_be_set_and_alarms_deleted(cloudwatch: Any, namespace: str) -> None:
    name = put_alarm(cloudwatch, namespace, Tags=[{"Key": "a", "Value": "1"}])
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="by hand")
    alarm = cloudwatch.describe_alarms(StateValue="ALARM", AlarmNamePrefix=name)["MetricAlarms"][0]
    assert alarm["StateReason"] == "by hand"
    assert cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"] == [
        {"Key": "a", "Value": "1"}
    ]
    cloudwatch.disable_alarm_actions(AlarmNames=[name])
    assert not cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["ActionsEnabled"]
    cloudwatch.delete_alarms(AlarmNames=[name])
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []


@pytest.mark.parametrize(
    "members",
    [
        {"AlarmActions": ["arn:aws:automate:us-east-1:ec2:stop"]},
        {"ComparisonOperator": "GreaterThanUpperThreshold"},
        {"Period": 10},
    ],
)
def test_what_is_not_implemented_is_named(cloudwatch: Any, namespace: str, members: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as error:
        put_alarm(cloudwatch, namespace, **members)
    assert next(iter(members)) in error.value.response["Error"]["Message"]
