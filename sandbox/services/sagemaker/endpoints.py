"""Endpoints: created, updated, scaled and deleted; the work itself is done by endpoint_deployment.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.sagemaker import tags
from sandbox.services.sagemaker.deployment_config import check_deployment_config
from sandbox.services.sagemaker.endpoint_configs import find_config
from sandbox.services.sagemaker.endpoint_description import describe
from sandbox.services.sagemaker.endpoint_plans import plan_fleet, retain
from sandbox.services.sagemaker.endpoint_records import DEPLOY, IN_PROGRESS, KEEP, KIND, Place
from sandbox.services.sagemaker.listing import filter_by_request, keep, paged, sort
from sandbox.services.sagemaker.volume_keys import check_grant

Record = dict[str, Any]


def endpoint_arn(call: Call, name: str) -> str:
    return call.arn(f"endpoint/{name}")


def _place(call: Call, name: str) -> Place:
    return Place(call.engine, call.account, call.region, name)


def _find(call: Call, name: str) -> Record:
    record = call.records(KIND).get(name)
    if record is None:
        raise AwsError("ValidationException", f'Could not find endpoint "{endpoint_arn(call, name)}".')
    return record


def _idle(call: Call, name: str) -> Record:
    record = _find(call, name)
    if record["EndpointStatus"] in IN_PROGRESS:
        raise AwsError(
            "ValidationException", f'Cannot update in-progress endpoint "{record["EndpointArn"]}".'
        )
    return record


@operation("sagemaker", "CreateEndpoint")
def create_endpoint(
    call: Call,
    EndpointName: str,
    EndpointConfigName: str,
    DeploymentConfig: Record | None = None,
    Tags: list[dict[str, str]] | None = None,
) -> Record:
    arn, now = endpoint_arn(call, EndpointName), call.engine.clock.now()
    check_deployment_config(DeploymentConfig)
    _check_key(call, EndpointConfigName)
    with call.engine.store.transaction():
        if call.records(KIND).get(EndpointName) is not None:
            raise AwsError("ValidationException", f'Cannot create already existing endpoint "{arn}".')
        plan = plan_fleet(call, EndpointConfigName)
        record: Record = {
            "EndpointName": EndpointName,
            "EndpointArn": arn,
            "EndpointConfigName": EndpointConfigName,
            "EndpointStatus": "Creating",
            "CreationTime": now,
            "LastModifiedTime": now,
            "Deployment": {
                "Kind": "Create",
                "EndpointConfigName": EndpointConfigName,
                "Fleet": plan,
                "Started": now,
            },
        }
        if DeploymentConfig:
            record["LastDeploymentConfig"] = DeploymentConfig
        call.records(KIND).put(EndpointName, record)
        tags.put(call, arn, Tags)
        _place(call, EndpointName).tell(record)
        _submit(call, EndpointName)
    return {"EndpointArn": arn}


def _check_key(call: Call, config: str) -> None:
    """Who creates or updates an endpoint gives the grant for the volumes of its instances."""
    check_grant(call.session(), call.account, find_config(call, config).get("KmsKeyId"))


def _submit(call: Call, name: str) -> None:
    place = _place(call, name)
    call.engine.tasks.submit(KEEP, "all")
    call.engine.tasks.submit(DEPLOY, place.key)


@operation("sagemaker", "UpdateEndpoint")
def update_endpoint(
    call: Call,
    EndpointName: str,
    EndpointConfigName: str,
    RetainAllVariantProperties: bool = False,
    ExcludeRetainedVariantProperties: list[Record] | None = None,
    DeploymentConfig: Record | None = None,
    RetainDeploymentConfig: bool = False,
) -> Record:
    check_deployment_config(DeploymentConfig)
    _check_key(call, EndpointConfigName)
    with call.engine.store.transaction():
        record = _idle(call, EndpointName)
        plan = plan_fleet(call, EndpointConfigName)
        current = record.get("Fleet")
        if current:
            _check_kind(record, current, plan)
            if RetainAllVariantProperties:
                retain(plan, current, ExcludeRetainedVariantProperties or [])
        config = record.get("LastDeploymentConfig") if RetainDeploymentConfig else DeploymentConfig
        deployment = {
            "Kind": "Update" if current else "Create",
            "EndpointConfigName": EndpointConfigName,
            "Fleet": plan,
            "Config": config,
            "Started": call.engine.clock.now(),
        }
        _place(call, EndpointName).change(
            EndpointStatus="Updating",
            FailureReason=None,
            Deployment=deployment,
            LastDeploymentConfig=config,
        )
        _submit(call, EndpointName)
    return {"EndpointArn": record["EndpointArn"]}


def _check_kind(record: Record, current: Record, plan: Record) -> None:
    was, will = ("Serverless" in fleet["Variants"][0] for fleet in (current, plan))
    if will and not was:
        raise AwsError(
            "ValidationException",
            f'Cannot update the instance-based endpoint "{record["EndpointArn"]}" to a serverless one.',
        )


@operation("sagemaker", "UpdateEndpointWeightsAndCapacities")
def update_endpoint_weights_and_capacities(
    call: Call, EndpointName: str, DesiredWeightsAndCapacities: list[Record]
) -> Record:
    with call.engine.store.transaction():
        record = _idle(call, EndpointName)
        plan = record.get("Fleet")
        if plan is None:
            raise AwsError("ValidationException", f'Endpoint "{record["EndpointArn"]}" is not in service.')
        variants = {variant["VariantName"]: variant for variant in plan["Variants"]}
        for wanted in DesiredWeightsAndCapacities:
            variant = variants.get(wanted["VariantName"])
            if variant is None:
                raise AwsError(
                    "ValidationException",
                    f'Could not find variant "{wanted["VariantName"]}" of endpoint '
                    f'"{record["EndpointArn"]}".',
                )
            if wanted.get("ServerlessUpdateConfig"):
                raise AwsError(
                    "ValidationException", "ServerlessUpdateConfig is not implemented by the sandbox."
                )
            if wanted.get("DesiredWeight") is not None:
                variant["DesiredWeight"] = wanted["DesiredWeight"]
            if wanted.get("DesiredInstanceCount") is not None:
                if "Serverless" in variant or wanted["DesiredInstanceCount"] < 1:
                    raise AwsError(
                        "ValidationException", "DesiredInstanceCount is not valid for this variant."
                    )
                variant["DesiredCount"] = wanted["DesiredInstanceCount"]
        deployment = {
            "Kind": "Scale",
            "EndpointConfigName": record["EndpointConfigName"],
            "Fleet": plan,
            "Started": call.engine.clock.now(),
        }
        _place(call, EndpointName).change(EndpointStatus="Updating", Fleet=plan, Deployment=deployment)
        _submit(call, EndpointName)
    return {"EndpointArn": record["EndpointArn"]}


@operation("sagemaker", "DescribeEndpoint")
def describe_endpoint(call: Call, EndpointName: str) -> Record:
    return describe(_find(call, EndpointName))


@operation("sagemaker", "DeleteEndpoint")
def delete_endpoint(call: Call, EndpointName: str) -> None:
    with call.engine.store.transaction():
        record = _idle(call, EndpointName)
        deployment = {
            "Kind": "Delete",
            "EndpointConfigName": record["EndpointConfigName"],
            "Started": call.engine.clock.now(),
        }
        _place(call, EndpointName).change(EndpointStatus="Deleting", Deployment=deployment)
        _submit(call, EndpointName)


@operation("sagemaker", "ListEndpoints")
def list_endpoints(call: Call, **request: Any) -> Record:
    records = filter_by_request(call.records(KIND).list(), request, "EndpointName")
    status = request.get("StatusEquals")
    records = [record for record in records if status in (None, record["EndpointStatus"])]
    key = {"Name": "EndpointName", "Status": "EndpointStatus"}.get(request.get("SortBy", ""), "CreationTime")
    ordered = sort(records, lambda record: record[key], request.get("SortOrder"), "Descending")
    members = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
    return paged("Endpoints", [keep(record, *members) for record in ordered], request)
