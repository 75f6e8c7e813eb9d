"""Models: an image, model data and an execution role under a name.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModel.html
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.sagemaker import tags
from sandbox.services.sagemaker.listing import filter_by_request, keep, paged, sort
from sandbox.services.sagemaker.model_containers import resolve_containers
from sandbox.services.sagemaker.refusals import refuse

KIND = "model"
REFUSED = (
    "PrimaryContainer.MultiModelConfig",
    "PrimaryContainer.Mode=MultiModel",
    "PrimaryContainer.ModelDataSource",
    "PrimaryContainer.AdditionalModelDataSources",
    "PrimaryContainer.ImageConfig.RepositoryAuthConfig",
    "Containers[].MultiModelConfig",
    "Containers[].Mode=MultiModel",
    "Containers[].ModelDataSource",
    "Containers[].AdditionalModelDataSources",
    "Containers[].ImageConfig.RepositoryAuthConfig",
    "InferenceExecutionConfig",
)


def model_arn(call: Call, name: str) -> str:
    return call.arn(f"model/{name}")


def find_model(call: Call, name: str) -> dict[str, Any]:
    """The record of a model; AwsError ValidationException when there is none."""
    record = call.records(KIND).get(name)
    if record is None:
        raise AwsError("ValidationException", f'Could not find model "{model_arn(call, name)}".')
    return record


@operation("sagemaker", "CreateModel")
def create_model(call: Call, **request: Any) -> dict[str, Any]:
    refuse("CreateModel", request, REFUSED)
    name = request["ModelName"]
    arn = model_arn(call, name)
    containers = _containers(request)
    if not request.get("ExecutionRoleArn"):
        raise AwsError("ValidationException", "ExecutionRoleArn is required to create a model.")
    _check_new(call, name, arn)
    resolved = resolve_containers(call, containers, request["ExecutionRoleArn"], arn)
    record = {
        **keep(request, "ModelName", "PrimaryContainer", "Containers", "ExecutionRoleArn", "VpcConfig"),
        "EnableNetworkIsolation": request.get("EnableNetworkIsolation", False),
        "CreationTime": call.engine.clock.now(),
        "ModelArn": arn,
        "Resolved": resolved,
    }
    with call.engine.store.transaction():
        _check_new(call, name, arn)
        call.records(KIND).put(name, record)
        tags.put(call, arn, request.get("Tags"))
    return {"ModelArn": arn}


def _containers(request: dict[str, Any]) -> list[dict[str, Any]]:
    primary, several = request.get("PrimaryContainer"), request.get("Containers")
    if (primary is None) != bool(several):
        raise AwsError("ValidationException", "Specify either PrimaryContainer or Containers, but not both.")
    if several and len(several) > 1:
        raise AwsError(
            "ValidationException",
            "Several Containers of CreateModel (an inference pipeline) are not implemented by the sandbox.",
        )
    primary = several[0] if several else primary
    assert primary is not None
    if bool(primary.get("Image")) == bool(primary.get("ModelPackageName")):
        raise AwsError(
            "ValidationException", "Specify either Image or ModelPackageName of a container, but not both."
        )
    if primary.get("ModelPackageName") and primary.get("ModelDataUrl"):
        raise AwsError(
            "ValidationException", "ModelDataUrl cannot be specified together with ModelPackageName."
        )
    return [primary]


def _check_new(call: Call, name: str, arn: str) -> None:
    if call.records(KIND).get(name) is not None:
        raise AwsError("ValidationException", f'Cannot create already existing model "{arn}".')


@operation("sagemaker", "DescribeModel")
def describe_model(call: Call, ModelName: str) -> dict[str, Any]:
    record = find_model(call, ModelName)
    del record["Resolved"]
    return record


@operation("sagemaker", "DeleteModel")
def delete_model(call: Call, ModelName: str) -> None:
    with call.engine.store.transaction():
        record = find_model(call, ModelName)
        call.records(KIND).delete(ModelName)
        tags.forget(call, record["ModelArn"])


@operation("sagemaker", "ListModels")
def list_models(call: Call, **request: Any) -> dict[str, Any]:
    records = filter_by_request(call.records(KIND).list(), request, "ModelName")
    key = "ModelName" if request.get("SortBy") == "Name" else "CreationTime"
    ordered = sort(records, lambda record: record[key], request.get("SortOrder"), "Descending")
    models = [keep(record, "ModelName", "ModelArn", "CreationTime") for record in ordered]
    return paged("Models", models, request)
