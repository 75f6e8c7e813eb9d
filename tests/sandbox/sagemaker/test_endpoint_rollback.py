"""Deployments watched by alarms, and endpoints across restarts."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.sagemaker.conftest import Room
from tests.sandbox.sagemaker.endpoint_room import EndpointRoom, archive
from tests.sandbox_process import SandboxProcess

FAILING = """
def model_fn(model_dir):
    return None

def predict_fn(data, model):
    raise RuntimeError("always")
"""


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointRoom]:
    process = SandboxProcess(tmp_path_factory.mktemp("rollback"), clock_rate=60.0)
    yield EndpointRoom(Room(process))
    process.stop()


def alarm(endpoints: EndpointRoom, endpoint: str) -> str:
    name = f"{endpoint}-5xx"
    endpoints.room.sandbox.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[
            {"Name": "EndpointName", "Value": endpoint},
            {"Name": "VariantName", "Value": "AllTraffic"},
        ],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=2,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )
    return name


def deployment(alarm_name: str) -> dict[str, Any]:
    routing = {
        "Type": "CANARY",
        "WaitIntervalInSeconds": 900,
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
    }
    return {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm_name}]},
    }


def grant_cloudwatch(endpoints: EndpointRoom) -> None:
    room = endpoints.room
    policy = {"Effect": "Allow", "Action": "cloudwatch:DescribeAlarms", "Resource": "*"}
    room.iam.put_role_policy(
        RoleName=f"{room.name}-role",
        PolicyName="alarms",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [policy]}),
    )


def test_an_alarm_rolls_the_deployment_back(endpoints: EndpointRoom) -> None:
    grant_cloudwatch(endpoints)
    endpoint = endpoints.serving("watched", "good")
    before = endpoints.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    failing = archive({"word.txt": "x", "code/inference.py": FAILING})
    config = endpoints.config("watched-2", endpoints.model("watched-2", "x", data=failing))
    name = alarm(endpoints, endpoint)
    stop = threading.Event()

    def ask() -> None:
        runtime = endpoints.room.sandbox.client("sagemaker-runtime")
        while not stop.wait(0.02):
            try:
                runtime.invoke_endpoint(EndpointName=endpoint, Body="x", ContentType="text/csv")
            except ClientError:
                continue  # half of the requests meet the failing model: that is what the alarm is for

    thread = threading.Thread(target=ask)
    thread.start()
    endpoints.sagemaker.update_endpoint(
        EndpointName=endpoint, EndpointConfigName=config, DeploymentConfig=deployment(name)
    )
    description = endpoints.settled(endpoint)
    stop.set()
    thread.join()
    assert description["EndpointStatus"] == "InService"
    assert description["EndpointConfigName"] == before
    assert f"these alarms went off: {name}" in description["FailureReason"]
    assert json.loads(endpoints.invoke(endpoint)["Body"].read())["word"] == "good"
    alarms = endpoints.room.sandbox.client("cloudwatch")
    # Without further errors the alarm comes back by itself.
    endpoints.room.until(
        lambda: alarms.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"],
        lambda state: state == "OK",
    )


def test_a_missing_alarm_rolls_the_deployment_back(endpoints: EndpointRoom) -> None:
    endpoint = endpoints.serving("alarmless", "good")
    config = endpoints.config("alarmless-2", endpoints.model("alarmless-2", "new"))
    endpoints.sagemaker.update_endpoint(
        EndpointName=endpoint, EndpointConfigName=config, DeploymentConfig=deployment("no-such-alarm")
    )
    description = endpoints.settled(endpoint)
    assert "Could not find the alarms" in description["FailureReason"]
    assert description["EndpointConfigName"] != config


def test_endpoints_serve_again_after_stop_and_after_kill(endpoints: EndpointRoom) -> None:
    endpoint = endpoints.serving("durable", "still here")
    sandbox = endpoints.room.sandbox
    for again in (sandbox.restart, lambda: (sandbox.kill(), sandbox.start_again())):
        again()
        answer = json.loads(endpoints.invoke(endpoint)["Body"].read())
        assert answer["word"] == "still here"


def test_a_killed_update_goes_on(endpoints: EndpointRoom) -> None:
    endpoint = endpoints.serving("resumed", "old")
    config = endpoints.config("resumed-2", endpoints.model("resumed-2", "new"))
    routing = {
        "Type": "CANARY",
        "WaitIntervalInSeconds": 240,
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
    }
    endpoints.sagemaker.update_endpoint(
        EndpointName=endpoint,
        EndpointConfigName=config,
        DeploymentConfig={"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}},
    )
    endpoints.room.until(
        lambda: endpoints.sagemaker.describe_endpoint(EndpointName=endpoint),
        lambda answer: (
            answer.get("PendingDeploymentSummary", {})
            .get("ProductionVariants", [{}])[0]
            .get("VariantStatus", [{}])[0]
            .get("Status")
            == "ActivatingTraffic"
        ),
    )
    endpoints.room.sandbox.kill()
    endpoints.room.sandbox.start_again()
    description = endpoints.settled(endpoint)
    assert (description["EndpointStatus"], description["EndpointConfigName"]) == ("InService", config)
    assert json.loads(endpoints.invoke(endpoint)["Body"].read())["word"] == "new"
