"""Processing jobs: CreateProcessingJob and its kin. processing_run.py runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import AwsError, operation
from sandbox.services.sagemaker import jobs
from sandbox.services.sagemaker.jobs import PROCESSING
from sandbox.services.sagemaker.listing import keep
from sandbox.services.sagemaker.refusals import refuse

if TYPE_CHECKING:
    from sandbox.engine.operations import Call

REFUSED = (
    "ProcessingInputs[].AppManaged",
    "ProcessingInputs[].DatasetDefinition",
    "ProcessingInputs[].S3Input.S3DataType=ManifestFile",
    "ProcessingInputs[].S3Input.S3InputMode=Pipe",
    "ProcessingInputs[].S3Input.S3CompressionType=Gzip",
    "ProcessingOutputConfig.Outputs[].FeatureStoreOutput",
    "ProcessingOutputConfig.Outputs[].AppManaged",
    "ProcessingOutputConfig.Outputs[].S3Output.S3UploadMode=Continuous",
    "ProcessingResources.ClusterConfig.InstancePreferences",
)
_COPIED = (
    "ProcessingJobName",
    "ProcessingInputs",
    "ProcessingOutputConfig",
    "ProcessingResources",
    "StoppingCondition",
    "AppSpecification",
    "Environment",
    "NetworkConfig",
    "RoleArn",
    "ExperimentConfig",
)
_LOCAL = "/opt/ml/processing"
_DEFAULT_RUNTIME = 86400


@operation("sagemaker", "CreateProcessingJob")
def create_processing_job(call: Call, **request: Any) -> dict[str, Any]:
    refuse("CreateProcessingJob", request, REFUSED)
    cluster = request["ProcessingResources"]["ClusterConfig"]
    if (cluster.get("InstanceCount") or 1) != 1:
        raise AwsError("ValidationException", "More than one instance is not implemented by the sandbox.")
    if not cluster.get("InstanceType"):
        raise AwsError("ValidationException", "InstanceType of ClusterConfig must be provided.")
    _check_paths(request)
    application = request["AppSpecification"]
    jobs.check_image(application["ImageUri"])
    if not (application.get("ContainerEntrypoint") or application.get("ContainerArguments")):
        raise AwsError(
            "ValidationException",
            f"The image {application['ImageUri']} has no entrypoint of its own: provide ContainerEntrypoint.",
        )
    jobs.check_role(call, request["RoleArn"], PROCESSING.resource, cluster.get("VolumeKmsKeyId"))
    record = {"StoppingCondition": {"MaxRuntimeInSeconds": _DEFAULT_RUNTIME}} | keep(request, *_COPIED)
    return jobs.create(call, PROCESSING, record, request.get("Tags"))


def _check_paths(request: dict[str, Any]) -> None:
    inputs = request.get("ProcessingInputs") or []
    outputs = (request.get("ProcessingOutputConfig") or {}).get("Outputs") or []
    for what, name, entries in (("S3Input", "InputName", inputs), ("S3Output", "OutputName", outputs)):
        seen: set[str] = set()
        for entry in entries:
            if entry[name] in seen:
                raise AwsError("ValidationException", f"{name} must be unique: {entry[name]} occurs twice.")
            seen.add(entry[name])
            if what not in entry:
                raise AwsError("ValidationException", f"{what} must be provided for {entry[name]}.")
            path = entry[what].get("LocalPath") or ""
            if ".." in path.split("/") or not (path == _LOCAL or path.startswith(f"{_LOCAL}/")):
                raise AwsError(
                    "ValidationException",
                    f"LocalPath of {entry[name]} must be under {_LOCAL}/, not '{path}'.",
                )
            if not entry[what]["S3Uri"].startswith("s3://"):
                raise AwsError("ValidationException", f"S3Uri of {entry[name]} must start with s3://.")


@operation("sagemaker", "DescribeProcessingJob")
def describe_processing_job(call: Call, ProcessingJobName: str) -> dict[str, Any]:
    return jobs.described(jobs.find(call, PROCESSING, ProcessingJobName))


@operation("sagemaker", "ListProcessingJobs")
def list_processing_jobs(call: Call, **request: Any) -> dict[str, Any]:
    return jobs.listed(call, PROCESSING, request, "FailureReason", "ExitMessage")


@operation("sagemaker", "StopProcessingJob")
def stop_processing_job(call: Call, ProcessingJobName: str) -> None:
    jobs.stop(call, PROCESSING, ProcessingJobName)
