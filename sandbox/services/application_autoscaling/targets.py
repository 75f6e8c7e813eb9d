"""Scalable targets.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.engine.identifiers import random_id
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.application_autoscaling import tags
from sandbox.services.application_autoscaling.listing import listed

Record = dict[str, Any]
KIND = "target"
NAMESPACE = "sagemaker"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
SERVICE = "application-autoscaling.amazonaws.com"
_RESOURCE = re.compile(r"^endpoint/(?P<endpoint>[A-Za-z0-9-]+)/variant/(?P<variant>[A-Za-z0-9-]+)$")
_LINKED_ROLE = (
    "arn:aws:iam::{}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)


def target_key(namespace: str, resource: str, dimension: str) -> str:
    return f"{namespace}|{resource}|{dimension}"


def find_target(call: Call, namespace: str, resource: str, dimension: str) -> Record:
    """The record of a target; AwsError ObjectNotFoundException when there is none."""
    record = call.records(KIND).get(target_key(namespace, resource, dimension))
    if record is None:
        raise AwsError(
            "ObjectNotFoundException",
            f"No scalable target found for service namespace: {namespace}, resource ID: {resource}, "
            f"scalable dimension: {dimension}",
        )
    return record


def _implemented(namespace: str, dimension: str | None) -> None:
    if namespace != NAMESPACE or dimension not in (None, DIMENSION):
        raise AwsError(
            "ValidationException",
            f"Scalable dimension {dimension or 'of ' + namespace} is not implemented by the sandbox.",
        )


def _check_resource(call: Call, resource: str) -> None:
    """The endpoint and its variant must exist, and not be serverless; asked as the caller, as AWS does."""
    from botocore.exceptions import ClientError

    match = _RESOURCE.match(resource)
    if match is None:
        raise AwsError("ValidationException", f"Unsupported service namespace, resource type: {resource}")
    try:
        client = call.session(SERVICE).client("sagemaker")
        endpoint = client.describe_endpoint(EndpointName=match["endpoint"])
    except ClientError as error:
        message = error.response["Error"]["Message"]
        raise AwsError("ValidationException", f"{message} Resource ID: {resource}") from None
    variants = {item["VariantName"]: item for item in endpoint.get("ProductionVariants", [])}
    variant = variants.get(match["variant"])
    if variant is None:
        raise AwsError("ValidationException", f"SageMaker variant not found. Resource ID: {resource}")
    if "CurrentServerlessConfig" in variant:
        raise AwsError(
            "ValidationException",
            f"{DIMENSION} is not supported for a serverless variant. Resource ID: {resource}",
        )


@operation("application-autoscaling", "RegisterScalableTarget", record_only=True)
def register_scalable_target(
    call: Call,
    ServiceNamespace: str,
    ResourceId: str,
    ScalableDimension: str,
    MinCapacity: int | None = None,
    MaxCapacity: int | None = None,
    RoleARN: str | None = None,
    SuspendedState: Record | None = None,
    Tags: dict[str, str] | None = None,
) -> Record:
    _implemented(ServiceNamespace, ScalableDimension)
    _check_resource(call, ResourceId)
    key = target_key(ServiceNamespace, ResourceId, ScalableDimension)
    with call.engine.store.transaction():
        existing = call.records(KIND).get(key)
        old = existing or {}
        low = MinCapacity if MinCapacity is not None else old.get("MinCapacity")
        high = MaxCapacity if MaxCapacity is not None else old.get("MaxCapacity")
        if low is None or high is None:
            raise AwsError(
                "ValidationException", "Both MinCapacity and MaxCapacity must be specified for a new target."
            )
        if low < 0 or low > high:
            raise AwsError(
                "ValidationException", "Maximum capacity cannot be less than minimum capacity"
                if low > high else "Minimum capacity cannot be less than 0",
            )  # fmt: skip
        if existing and Tags:
            raise AwsError("ValidationException", "Tags can only be given to a new scalable target.")
        states = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
        suspended = old.get("SuspendedState") or dict.fromkeys(states, False)
        record = {
            "ServiceNamespace": ServiceNamespace,
            "ResourceId": ResourceId,
            "ScalableDimension": ScalableDimension,
            "MinCapacity": low,
            "MaxCapacity": high,
            # Whatever role is given, AWS uses the service-linked one for endpoints.
            "RoleARN": _LINKED_ROLE.format(call.account),
            "CreationTime": old.get("CreationTime", call.engine.clock.now()),
            "SuspendedState": suspended | (SuspendedState or {}),
            "ScalableTargetARN": old.get("ScalableTargetARN") or call.arn(f"scalable-target/{random_id(34)}"),
        }
        call.records(KIND).put(key, record)
        tags.put(call, record["ScalableTargetARN"], Tags)
    return {"ScalableTargetARN": record["ScalableTargetARN"]}


@operation("application-autoscaling", "DescribeScalableTargets", record_only=True)
def describe_scalable_targets(
    call: Call,
    ServiceNamespace: str,
    ResourceIds: list[str] | None = None,
    ScalableDimension: str | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> Record:
    wanted = {"ResourceId": ResourceIds, "ScalableDimension": [ScalableDimension]}
    items, more = listed(call, KIND, ServiceNamespace, wanted, NextToken, MaxResults)
    return {"ScalableTargets": items, **more}


@operation("application-autoscaling", "DeregisterScalableTarget", record_only=True)
def deregister_scalable_target(
    call: Call, ServiceNamespace: str, ResourceId: str, ScalableDimension: str
) -> Record:
    with call.engine.store.transaction():
        record = find_target(call, ServiceNamespace, ResourceId, ScalableDimension)
        key = target_key(ServiceNamespace, ResourceId, ScalableDimension)
        call.records(KIND).delete(key)
        tags.forget(call, record["ScalableTargetARN"])
        # With the target go its policies.
        policies = call.records("policy")
        for policy in policies.keys(f"{key}|"):
            policies.delete(policy)
    return {}
