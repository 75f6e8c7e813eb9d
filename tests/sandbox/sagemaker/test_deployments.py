"""How traffic moves, and the events that tell of an endpoint's status."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.engine.engine import Engine, Settings
from sandbox.engine.events import listener
from sandbox.engine.operations import AwsError
from sandbox.services.sagemaker.deployment_config import check_deployment_config, steps
from sandbox.services.sagemaker.endpoint_records import Place


def blue_green(routing: dict[str, Any], termination: int = 0) -> dict[str, Any]:
    policy = {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": termination}
    return {"BlueGreenUpdatePolicy": policy}


def size(member: str, kind: str, value: int) -> dict[str, Any]:
    return {member: {"Type": kind, "Value": value}}


def percent(member: str, value: int) -> dict[str, Any]:
    return size(member, "CAPACITY_PERCENT", value)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (None, [(1.0, 0.0)]),
        (blue_green({"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 60}, 30), [(1.0, 90.0)]),
        (
            blue_green({"Type": "CANARY", "WaitIntervalInSeconds": 300, **percent("CanarySize", 10)}, 60),
            [(0.1, 300.0), (1.0, 360.0)],
        ),
        (
            blue_green(
                {"Type": "CANARY", "WaitIntervalInSeconds": 5, **size("CanarySize", "INSTANCE_COUNT", 1)}
            ),
            [(0.25, 5.0), (1.0, 5.0)],
        ),
        (
            blue_green({"Type": "LINEAR", "WaitIntervalInSeconds": 10, **percent("LinearStepSize", 30)}),
            [(0.3, 10.0), (0.6, 10.0), (0.9, 10.0), (1.0, 10.0)],
        ),
        (
            blue_green({"Type": "LINEAR", "WaitIntervalInSeconds": 10, **percent("LinearStepSize", 50)}),
            [(0.5, 10.0), (1.0, 10.0)],
        ),
    ],
)
def test_traffic_moves_in_steps(config: dict[str, Any] | None, expected: list[tuple[float, float]]) -> None:
    found = steps(config, instances=4)
    assert [step.wait for step in found] == [wait for _, wait in expected]
    assert [step.share for step in found] == pytest.approx([share for share, _ in expected])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (blue_green({"Type": "CANARY", "WaitIntervalInSeconds": 1}), "CanarySize is required"),
        (
            blue_green({"Type": "CANARY", "WaitIntervalInSeconds": 1, **percent("CanarySize", 51)}),
            "between 1 and 50 percent",
        ),
        (
            blue_green({"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 1, **percent("CanarySize", 5)}),
            "cannot be specified",
        ),
        ({"RollingUpdatePolicy": {"WaitIntervalInSeconds": 1}}, "RollingUpdatePolicy"),
        (
            {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": str(n)} for n in range(11)]}},
            "At most 10 alarms",
        ),
    ],
)
def test_a_bad_deployment_configuration_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(AwsError, match=message):
        check_deployment_config(config)


@listener(source="aws.sagemaker", detail_type="SageMaker Endpoint State Change")
def _hear(engine: Engine, event: dict[str, Any]) -> None:
    """Gives the event somewhere to go; the test reads it where it waits."""


def test_each_change_of_status_is_an_event(tmp_path: Path) -> None:
    engine = Engine(Settings(tmp_path))
    place = Place(engine, "123456789012", "us-east-1", "e")
    record = {
        "EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/e",
        "EndpointConfigName": "c",
        "EndpointStatus": "Creating",
        "CreationTime": 1.0,
        "LastModifiedTime": 1.0,
    }
    place.records.put("e", record)
    place.change(EndpointStatus="InService")
    place.change(FailureReason="x")
    place.change(EndpointStatus="RollingBack")
    waiting = [item["payload"] for _, item in engine.store.items("engine/task") if "_hear" in item["key"]]
    assert [event["detail"]["EndpointStatus"] for event in waiting] == ["IN_SERVICE", "ROLLING_BACK"]
    assert waiting[1]["detail"]["FailureReason"] == "x"
    assert waiting[0]["resources"] == [record["EndpointArn"]]
    engine.store.close()
