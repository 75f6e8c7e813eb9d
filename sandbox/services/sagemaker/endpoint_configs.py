"""Endpoint configurations: which models serve, on how many instances, with what share of the traffic.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.sagemaker import tags
from sandbox.services.sagemaker.listing import filter_by_request, keep, paged, sort
from sandbox.services.sagemaker.models import find_model
from sandbox.services.sagemaker.refusals import refuse

KIND = "endpoint-config"
REFUSED = (
    "AsyncInferenceConfig",
    "ExplainerConfig",
    "ShadowProductionVariants",
    "CrossRegionTrafficConfig",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
    "ProductionVariants[].InstancePools",
    "ProductionVariants[].ManagedInstanceScaling",
    "ProductionVariants[].AcceleratorType",
    "ProductionVariants[].CapacityReservationConfig",
    "ProductionVariants[].CoreDumpConfig",
)
SERVERLESS_MEMORY = (1024, 2048, 3072, 4096, 5120, 6144)


def config_arn(call: Call, name: str) -> str:
    return call.arn(f"endpoint-config/{name}")


def find_config(call: Call, name: str) -> dict[str, Any]:
    """The record of a configuration; AwsError ValidationException when there is none."""
    record = call.records(KIND).get(name)
    if record is None:
        raise AwsError(
            "ValidationException", f'Could not find endpoint configuration "{config_arn(call, name)}".'
        )
    return record


@operation("sagemaker", "CreateEndpointConfig")
def create_endpoint_config(call: Call, **request: Any) -> dict[str, Any]:
    refuse("CreateEndpointConfig", request, REFUSED)
    name = request["EndpointConfigName"]
    arn = config_arn(call, name)
    with call.engine.store.transaction():
        if call.records(KIND).get(name) is not None:
            raise AwsError(
                "ValidationException", f'Cannot create already existing endpoint configuration "{arn}".'
            )
        _check_variants(call, request)
        record = {
            **keep(request, "EndpointConfigName", "KmsKeyId", "DataCaptureConfig", "MetricsConfig"),
            "ProductionVariants": [_with_defaults(variant) for variant in request["ProductionVariants"]],
            "EndpointConfigArn": arn,
            "CreationTime": call.engine.clock.now(),
        }
        call.records(KIND).put(name, record)
        tags.put(call, arn, request.get("Tags"))
    return {"EndpointConfigArn": arn}


def _with_defaults(variant: dict[str, Any]) -> dict[str, Any]:
    return {"InitialVariantWeight": 1.0} | variant


def _check_variants(call: Call, request: dict[str, Any]) -> None:
    variants = request["ProductionVariants"]
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) < len(names):
        raise AwsError("ValidationException", f"Production variant names must be unique: {', '.join(names)}")
    serverless = [variant for variant in variants if variant.get("ServerlessConfig")]
    if serverless and len(variants) > 1:
        raise AwsError("ValidationException", "Serverless endpoints support exactly one production variant.")
    if serverless and request.get("DataCaptureConfig"):
        raise AwsError("ValidationException", "Data capture is not supported for serverless endpoints.")
    if serverless and request.get("KmsKeyId"):
        raise AwsError("ValidationException", "KmsKeyId is not supported for serverless endpoints.")
    for variant in variants:
        if not variant.get("ModelName"):
            raise AwsError(
                "ValidationException",
                "A variant without ModelName (inference components) is not implemented by the sandbox.",
            )
        model = find_model(call, variant["ModelName"])
        if variant.get("ServerlessConfig"):
            _check_serverless(variant, model)
        elif not variant.get("InstanceType") or not variant.get("InitialInstanceCount"):
            raise AwsError(
                "ValidationException",
                f"InstanceType and InitialInstanceCount are required for production variant "
                f"{variant['VariantName']}.",
            )


def _check_serverless(variant: dict[str, Any], model: dict[str, Any]) -> None:
    name = variant["VariantName"]
    for member in ("InstanceType", "InitialInstanceCount", "VolumeSizeInGB"):
        if variant.get(member) is not None:
            raise AwsError(
                "ValidationException",
                f"{member} cannot be specified together with ServerlessConfig for production variant {name}.",
            )
    config = variant["ServerlessConfig"]
    if config["MemorySizeInMB"] not in SERVERLESS_MEMORY:
        allowed = ", ".join(str(size) for size in SERVERLESS_MEMORY)
        raise AwsError("ValidationException", f"MemorySizeInMB must be one of {allowed}.")
    if config.get("ProvisionedConcurrency", 0) > config["MaxConcurrency"]:
        raise AwsError("ValidationException", "ProvisionedConcurrency must not exceed MaxConcurrency.")
    if model["EnableNetworkIsolation"]:
        raise AwsError(
            "ValidationException",
            f'Network isolation is not supported for serverless endpoints: model "{model["ModelArn"]}".',
        )
    if model.get("VpcConfig"):
        raise AwsError(
            "ValidationException",
            f'VpcConfig is not supported for serverless endpoints: model "{model["ModelArn"]}".',
        )


@operation("sagemaker", "DescribeEndpointConfig")
def describe_endpoint_config(call: Call, EndpointConfigName: str) -> dict[str, Any]:
    return find_config(call, EndpointConfigName)


@operation("sagemaker", "DeleteEndpointConfig")
def delete_endpoint_config(call: Call, EndpointConfigName: str) -> None:
    with call.engine.store.transaction():
        record = find_config(call, EndpointConfigName)
        for endpoint in call.records("endpoint").list():
            pending = (endpoint.get("Deployment") or {}).get("EndpointConfigName")
            if EndpointConfigName in (endpoint["EndpointConfigName"], pending):
                raise AwsError(
                    "ValidationException",
                    f'Cannot delete endpoint configuration "{record["EndpointConfigArn"]}": it is in use by '
                    f'endpoint "{endpoint["EndpointArn"]}".',
                )
        call.records(KIND).delete(EndpointConfigName)
        tags.forget(call, record["EndpointConfigArn"])


@operation("sagemaker", "ListEndpointConfigs")
def list_endpoint_configs(call: Call, **request: Any) -> dict[str, Any]:
    records = filter_by_request(call.records(KIND).list(), request, "EndpointConfigName")
    key = "EndpointConfigName" if request.get("SortBy") == "Name" else "CreationTime"
    ordered = sort(records, lambda record: record[key], request.get("SortOrder"), "Descending")
    summaries = [keep(item, "EndpointConfigName", "EndpointConfigArn", "CreationTime") for item in ordered]
    return paged("EndpointConfigs", summaries, request)
