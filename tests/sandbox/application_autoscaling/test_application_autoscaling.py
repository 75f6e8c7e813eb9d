"""Scalable targets and policies through the door."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.sagemaker.conftest import Room
from tests.sandbox.sagemaker.endpoint_room import EndpointRoom
from tests.sandbox_process import SandboxProcess

PLACE = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
TRACKING = {
    "TargetValue": 500.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
}


@pytest.fixture(scope="module")
def endpoint(sandbox: SandboxProcess) -> str:
    return EndpointRoom(Room(sandbox)).serving("scalable", "x")


@pytest.fixture(scope="module")
def scaling(sandbox: SandboxProcess) -> Any:
    return sandbox.client("application-autoscaling")


def test_a_target_its_policy_and_their_end(scaling: Any, endpoint: str) -> None:
    place = PLACE | {"ResourceId": f"endpoint/{endpoint}/variant/AllTraffic"}
    arn = scaling.register_scalable_target(**place, MinCapacity=1, MaxCapacity=4, Tags={"a": "1"})
    assert scaling.list_tags_for_resource(ResourceARN=arn["ScalableTargetARN"])["Tags"] == {"a": "1"}
    again = scaling.register_scalable_target(**place, MaxCapacity=3)
    assert again["ScalableTargetARN"] == arn["ScalableTargetARN"]
    target = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"][0]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 3)
    scaling.put_scaling_policy(
        **place,
        PolicyName="p",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=TRACKING,
    )
    policy = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"][0]
    assert policy["TargetTrackingScalingPolicyConfiguration"] == TRACKING
    scaling.deregister_scalable_target(**place)
    assert scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"] == []


@pytest.mark.parametrize(
    ("resource", "capacities", "message"),
    [
        ("endpoint/nowhere/variant/AllTraffic", (1, 2), "Could not find endpoint"),
        ("endpoint/{}/variant/Other", (1, 2), "variant not found"),
        ("endpoint/{}/variant/AllTraffic", (3, 2), "cannot be less than minimum"),
    ],
)
def test_a_target_must_exist(
    scaling: Any, endpoint: str, resource: str, capacities: tuple[int, int], message: str
) -> None:
    with pytest.raises(ClientError) as error:
        scaling.register_scalable_target(
            **PLACE,
            ResourceId=resource.format(endpoint),
            MinCapacity=capacities[0],
            MaxCapacity=capacities[1],
        )
    assert error.value.response["Error"]["Code"] == "ValidationException"
    assert message in error.value.response["Error"]["Message"]


def test_a_policy_needs_its_target(scaling: Any, endpoint: str) -> None:
    with pytest.raises(ClientError) as error:
        scaling.put_scaling_policy(
            **PLACE,
            ResourceId=f"endpoint/{endpoint}/variant/Nobody",
            PolicyName="p",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=TRACKING,
        )
    assert error.value.response["Error"]["Code"] == "ObjectNotFoundException"
