"""Scaling policies.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html
"""

from __future__ import annotations

import uuid
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.application_autoscaling.listing import listed
from sandbox.services.application_autoscaling.targets import find_target, target_key

Record = dict[str, Any]
KIND = "policy"
TRACKING = "TargetTrackingScaling"
CONFIGURATIONS = {
    "StepScaling": "StepScalingPolicyConfiguration",
    TRACKING: "TargetTrackingScalingPolicyConfiguration",
}
METRICS = (
    "SageMakerVariantInvocationsPerInstance",
    "SageMakerVariantProvisionedConcurrencyUtilization",
    "SageMakerInferenceComponentInvocationsPerCopy",
    "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution",
    "SageMakerVariantConcurrentRequestsPerModelHighResolution",
)


@operation("application-autoscaling", "PutScalingPolicy", record_only=True)
def put_scaling_policy(call: Call, **request: Any) -> Record:
    place = (request["ServiceNamespace"], request["ResourceId"], request["ScalableDimension"])
    with call.engine.store.transaction():
        find_target(call, *place)
        key = f"{target_key(*place)}|{request['PolicyName']}"
        existing = call.records(KIND).get(key)
        kind = request.get("PolicyType") or (existing or {}).get("PolicyType") or "StepScaling"
        _check(request, kind)
        members = ("PolicyName", "ServiceNamespace", "ResourceId", "ScalableDimension")
        record = {member: request[member] for member in members} | {
            "PolicyType": kind,
            CONFIGURATIONS[kind]: request[CONFIGURATIONS[kind]],
            "PolicyARN": (existing or {}).get("PolicyARN") or _arn(call, request),
            "Alarms": [],
            "CreationTime": (existing or {}).get("CreationTime") or call.engine.clock.now(),
        }
        call.records(KIND).put(key, record)
    return {"PolicyARN": record["PolicyARN"], "Alarms": []}


def _arn(call: Call, request: Record) -> str:
    where = f"resource/{request['ServiceNamespace']}/{request['ResourceId']}"
    return (
        f"arn:aws:autoscaling:{call.region}:{call.account}:scalingPolicy:{uuid.uuid4()}:{where}"
        f":policyName/{request['PolicyName']}"
    )


def _check(request: Record, kind: str) -> None:
    if kind not in CONFIGURATIONS:
        raise AwsError("ValidationException", f"PolicyType {kind} is not implemented by the sandbox.")
    for other, member in CONFIGURATIONS.items():
        if bool(request.get(member)) != (other == kind):
            what = "is required for" if other == kind else "cannot be specified for"
            raise AwsError("ValidationException", f"{member} {what} policy type {kind}.")
    if kind != TRACKING:
        return
    configuration = request[CONFIGURATIONS[TRACKING]]
    predefined = configuration.get("PredefinedMetricSpecification")
    if bool(predefined) == bool(configuration.get("CustomizedMetricSpecification")):
        raise AwsError(
            "ValidationException",
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be given.",
        )
    if predefined and predefined["PredefinedMetricType"] not in METRICS:
        raise AwsError(
            "ValidationException",
            f"PredefinedMetricType {predefined['PredefinedMetricType']} is not valid for service namespace "
            f"{request['ServiceNamespace']}.",
        )


@operation("application-autoscaling", "DescribeScalingPolicies", record_only=True)
def describe_scaling_policies(
    call: Call,
    ServiceNamespace: str,
    PolicyNames: list[str] | None = None,
    ResourceId: str | None = None,
    ScalableDimension: str | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> Record:
    wanted = {
        "PolicyName": PolicyNames,
        "ResourceId": [ResourceId],
        "ScalableDimension": [ScalableDimension],
    }
    items, more = listed(call, KIND, ServiceNamespace, wanted, NextToken, MaxResults)
    return {"ScalingPolicies": items, **more}


@operation("application-autoscaling", "DeleteScalingPolicy", record_only=True)
def delete_scaling_policy(
    call: Call, PolicyName: str, ServiceNamespace: str, ResourceId: str, ScalableDimension: str
) -> Record:
    key = f"{target_key(ServiceNamespace, ResourceId, ScalableDimension)}|{PolicyName}"
    with call.engine.store.transaction():
        if call.records(KIND).get(key) is None:
            raise AwsError(
                "ObjectNotFoundException",
                f"No scaling policy found for service namespace: {ServiceNamespace}, resource ID: "
                f"{ResourceId}, scalable dimension: {ScalableDimension}: {PolicyName}",
            )
        call.records(KIND).delete(key)
    return {}
